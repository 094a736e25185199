"""
`scrip product pin`: what a product asks a PIN for, and when a wrong one locks it.
"""

from enum import StrEnum
from typing import Annotated

import typer

from gateway.books.admin_pins import PinPolicy, set_product_pins
from gateway.console.faults import BadInputError
from gateway.console.options import ProductArgument
from gateway.console.screen import say
from gateway.console.session import session_of
from gateway.domain.results import ActivityType

MOST_TRIES = 10
SHORTEST_LOCK_S = 60
LONGEST_LOCK_S = 31_622_400


class PinActivity(StrEnum):
    """
    What a till can send a PIN with.
    """

    LOAD = "load"
    REDEEM = "redeem"
    BALANCE = "balance"
    CASH_OUT = "cash-out"
    AUTHORIZE = "authorize"
    TRANSFER_BALANCE_FROM = "transfer"


PinForOption = Annotated[
    list[PinActivity] | None,
    typer.Option(
        "--pin-for",
        metavar="|".join(PinActivity),
        help="What its cards need their PIN for, may stand several times; else "
        "nothing. A card without a PIN then cannot be used for it.",
    ),
]
_TRIES = typer.Option(
    "--pin-max-tries",
    min=1,
    max=MOST_TRIES,
    metavar="N",
    help="So many wrong PINs in a row lock a card's PIN.",
)
_LOCK = typer.Option(
    "--pin-lock-s",
    min=SHORTEST_LOCK_S,
    max=LONGEST_LOCK_S,
    metavar="SECONDS",
    help="After so long without a try the count of wrong PINs starts anew.",
)
PinMaxTriesOption = Annotated[int, _TRIES]
PinLockOption = Annotated[int, _LOCK]
MaxTriesChange = Annotated[int | None, _TRIES]
LockChange = Annotated[int | None, _LOCK]


def required_for(activities: list[PinActivity] | None) -> tuple[int, ...]:
    """
    Give the activity types that options name, in order, each once.
    """
    return tuple(sorted({int(ActivityType[item.name]) for item in activities or ()}))


def ask_pins(
    context: typer.Context,
    name: ProductArgument,
    *,
    pin_for: PinForOption = None,
    pin_max_tries: MaxTriesChange = None,
    pin_lock_s: LockChange = None,
) -> None:
    """
    Say what a product's cards need their PIN for: in force with the next request.

    Without --pin-for they need it for nothing; one that is sent all the same, to a card
    that has one, is compared.
    """
    policy = PinPolicy(
        required_for=required_for(pin_for),
        max_tries=pin_max_tries,
        lock_s=pin_lock_s,
    )
    with session_of(context).change() as books:
        if not set_product_pins(
            books, program=name.program, product=name.product, policy=policy
        ):
            raise BadInputError(
                f"PROGRAM/PRODUCT: there is no product {'/'.join(name)}: "
                "see `scrip product list`"
            )
    asked = " ".join(pin_for) if pin_for else "nothing"
    say(f"product {'/'.join(name)} needs a PIN for {asked}")
