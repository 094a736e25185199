"""
Holds in the small world for decisions: requests about them, and the holds themselves.
"""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any, NamedTuple

from gateway.domain.card_pins import CardPin
from gateway.domain.cards import Card
from gateway.domain.commands import (
    Amount,
    Authorize,
    CancelAuthorization,
    Capture,
    Command,
    IncrementAuthorization,
    Naming,
)
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.holds import Hold
from gateway.domain.originals import Original
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType
from tests.support import world


def _common(number: int, *, with_card: bool = False) -> dict[str, Any]:
    like = world.redeem(world.amount(1), number=number)
    common = {field.name: getattr(like, field.name) for field in fields(Command)}
    return common if with_card else common | {"card": None}


def authorize(
    asked: Amount,
    *,
    allow_partial: bool = False,
    live_s: int | None = None,
    number: int = 1,
) -> Authorize:
    """
    Ask to hold an amount.
    """
    return Authorize(
        **_common(number, with_card=True),
        amount=asked,
        allow_partial=allow_partial,
        time_to_live_s=live_s,
    )


def increment(
    asked: Amount, original: int = 1, *, number: int = 2
) -> IncrementAuthorization:
    """
    Ask to hold more.
    """
    return IncrementAuthorization(
        **_common(number), original=world.key(original), amount=asked
    )


def capture(
    asked: Amount | None = None,
    original: int = 1,
    *,
    keep_open: bool = False,
    number: int = 3,
) -> Capture:
    """
    Ask to spend from a hold.
    """
    return Capture(
        **_common(number),
        original=world.key(original),
        amount=asked,
        keep_open=keep_open,
    )


def cancel(original: int = 1, *, number: int = 4) -> CancelAuthorization:
    """
    Ask to give a hold up.
    """
    return CancelAuthorization(**_common(number), original=world.key(original))


class Held(NamedTuple):
    """
    A hold on its card, and the record that placed it.
    """

    record: TransactionRecord
    hold: Hold
    card: Card

    def original(self, record: TransactionRecord | None = None) -> Original:
        """
        Give what a command names: the placing, or another record about the hold.
        """
        return Original(
            record or self.record, reversed=False, later_activity=False, hold=self.hold
        )

    def after(self, decision: Decision) -> "Held":
        """
        Give it as a decision left it.
        """
        assert decision.card is not None
        hold = decision.holds[0] if decision.holds else self.hold
        return Held(self.record, hold, decision.card)


def holding_rules(
    *, rates: dict[str, str] | None = None, tip_bps: int = 0, **product: Any
) -> Policy:
    """
    Give rules under which every product permits holds; `product` changes all of them.
    """
    table = None
    if rates is not None:
        table = [world.rate(code, text) for code, text in rates.items()]
    known = world.policy(rates=table)
    program = known.programs[world.PROGRAM]
    products = {
        number: replace(
            one, permitted=one.permitted | {ActivityType.AUTHORIZE}, **product
        )
        for number, one in known.products.items()
    }
    programs = {world.PROGRAM: replace(program, tip_tolerance_bps=tip_bps)}
    return replace(known, products=products, programs=programs)


def held(
    asked: Amount | None = None, seen: Card | None = None, rules: Policy | None = None
) -> Held:
    """
    Hold an amount, 60.00 unless told otherwise, on a card.
    """
    command = authorize(asked or world.amount(60_00))
    view = world.view(seen or world.card(), rules=rules or holding_rules())
    decision = decide(command, view, None)
    assert decision.card is not None
    return Held(decision.record, decision.holds[0], decision.card)


def ask(
    command: Naming,
    on: Held,
    *,
    rules: Policy | None = None,
    record: TransactionRecord | None = None,
    pin: CardPin | None = None,
    now: datetime = world.NOW,
    **card: Any,
) -> Decision:
    """
    Decide what names a hold, or another `record` about it; `card` changes the card.
    """
    view = world.view(
        replace(on.card, **card),
        rules=rules or holding_rules(),
        now=now,
        number=command.request_id[-1],
        pin=pin,
    )
    return decide(command, view, on.original(record))
