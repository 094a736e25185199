"""
`scrip limit product`, `batch` and `card`: which cards have a limit set.
"""

from typing import Annotated

import typer

from gateway.books.admin import AdminConnection
from gateway.books.admin_cards import products
from gateway.books.admin_limits import (
    limit_card,
    limit_issue_batch,
    limit_product,
    limit_sets,
)
from gateway.books.admin_restrictions import issue_batches
from gateway.console.asked_card import asked_card_index, find_card
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code
from gateway.console.options import ProductName, read_product_name
from gateway.console.screen import say
from gateway.console.session import session_of

SetOption = Annotated[
    str | None,
    typer.Option(
        "--set",
        parser=read_code,
        metavar="SET",
        help="A limit set of the same programme and currency.",
    ),
]
LiftOption = Annotated[bool, typer.Option("--lift", help="Take its limit set away.")]


def give_product(
    context: typer.Context,
    name: Annotated[
        ProductName,
        typer.Argument(
            parser=read_product_name,
            metavar="PROGRAM/PRODUCT",
            help="The product, as gift/standard.",
        ),
    ],
    *,
    limit_set: SetOption = None,
    lift: LiftOption = False,
) -> None:
    """
    Give a product a limit set, or take it away: in force with the next request.

    Without one that says what is loaded in a day, that is at most USD 2,000.00.
    """
    with session_of(context).change() as books:
        rows = products(books, name.program, name.product)
        if not rows:
            raise BadInputError(
                f"PROGRAM/PRODUCT: there is no product {'/'.join(name)}: "
                "see `scrip product list`"
            )
        set_id = _wanted(books, name.program, rows[0]["currency"], limit_set, lift=lift)
        limit_product(books, program=name.program, product=name.product, set_id=set_id)
    say(f"product {'/'.join(name)} has {limit_set or 'no limit set'}")


def give_batch(
    context: typer.Context,
    batch: Annotated[
        int, typer.Argument(min=1, metavar="BATCH", help="The issue batch's number.")
    ],
    *,
    limit_set: SetOption = None,
    lift: LiftOption = False,
) -> None:
    """
    Give the cards of an issue batch a limit set, or take it away.
    """
    with session_of(context).change() as books:
        rows = issue_batches(books, issue_batch_id=batch, limit=1)
        if not rows:
            raise BadInputError(
                f"BATCH: there is no issue batch {batch}: see `scrip card batches`"
            )
        program, product = rows[0]["program"], rows[0]["product"]
        (found,) = products(books, program, product)
        set_id = _wanted(books, program, found["currency"], limit_set, lift=lift)
        limit_issue_batch(books, issue_batch_id=batch, set_id=set_id)
    say(f"issue batch {batch} has {limit_set or 'no limit set'}")


def give_card(
    context: typer.Context,
    *,
    limit_set: SetOption = None,
    lift: LiftOption = False,
) -> None:
    """
    Give one card a limit set of its own, or take it away.

    Its number is read from standard input, where it is not echoed.
    """
    session = session_of(context)
    number_index = asked_card_index(session)
    with session.change() as books:
        card = find_card(books, number_index)
        set_id = _wanted(books, card["program"], card["currency"], limit_set, lift=lift)
        limit_card(books, card_id=card["card_id"], set_id=set_id)
    say(f"card {card['card_id']} has {limit_set or 'no limit set'} of its own")


def _wanted(
    books: AdminConnection,
    program: str,
    currency: str,
    limit_set: str | None,
    *,
    lift: bool,
) -> int | None:
    """
    Find the set that options name, None to lift it.

    Raises:
        BadInputError: both options or none are given, or the set is for other cards.

    """
    if (limit_set is None) != lift:
        raise BadInputError("--set, --lift: give one of the two")
    if limit_set is None:
        return None
    rows = limit_sets(books, program=program, code=limit_set)
    if not rows:
        raise BadInputError(
            f"--set: there is no set {program}/{limit_set}: see `scrip limit list`"
        )
    if rows[0]["currency"] != currency:
        raise BadInputError(
            f"--set: {program}/{limit_set} is in {rows[0]['currency']}, and the cards "
            f"are in {currency}: make a set in {currency}"
        )
    set_id: int = rows[0]["limit_set_id"]
    return set_id
