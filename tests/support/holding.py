"""
What a till asks about holds, and what an answer tells of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.duration_pb2 import Duration

from scrip.v1 import transaction_pb2
from tests.support.tills import Till, money
from tests.support.told import Outcome, amount

if TYPE_CHECKING:
    from tests.support.server import Card, Gateway

_OPEN_HOLDS = """
SELECT count(*)::int, coalesce(sum(card_minor - captured_card_minor), 0)::bigint
FROM hold WHERE card_id = %s AND state = 1
"""


class ToldHold(NamedTuple):
    """
    A hold as an answer tells of it; "" stands for an answer that tells of none.
    """

    state: str = ""
    authorized: str = ""
    captured: str = ""
    held: str = ""


def told_hold(outcome: Outcome) -> ToldHold:
    """
    Read what an answer tells of a hold.
    """
    if not outcome.HasField("hold"):
        return ToldHold()
    hold = outcome.hold
    return ToldHold(
        state=transaction_pb2.Hold.State.Name(hold.state).removeprefix("STATE_"),
        authorized=amount(hold.authorized_amount),
        captured=amount(hold.captured_amount),
        held=amount(hold.held_amount),
    )


async def authorize(
    till: Till,
    card: Card | str,
    minor: int,
    currency: str = "USD",
    *,
    partial: bool = False,
    live_s: int | None = None,
    **more: Any,
) -> Outcome:
    """
    Hold an amount, for `live_s` seconds at most.
    """
    return await till.ask(
        "Authorize",
        card_number=card if isinstance(card, str) else card.number,
        amount=money(minor, currency, more.pop("exponent", None)),
        allow_partial=partial,
        time_to_live=None if live_s is None else Duration(seconds=live_s),
        **more,
    )


async def increment(
    till: Till, hold: Outcome | str, minor: int, currency: str = "USD", **more: Any
) -> Outcome:
    """
    Hold more under a hold.
    """
    return await till.ask(
        "IncrementAuthorization",
        original_request_id=_request_id(hold),
        amount=money(minor, currency, more.pop("exponent", None)),
        **more,
    )


async def capture(
    till: Till,
    hold: Outcome | str,
    minor: int | None = None,
    currency: str = "USD",
    *,
    keep_open: bool = False,
    **more: Any,
) -> Outcome:
    """
    Spend from a hold; all that is left of it unless told how much.
    """
    exponent = more.pop("exponent", None)
    return await till.ask(
        "Capture",
        original_request_id=_request_id(hold),
        amount=None if minor is None else money(minor, currency, exponent),
        keep_open=keep_open,
        **more,
    )


async def cancel(till: Till, hold: Outcome | str, **more: Any) -> Outcome:
    """
    Give up what is left of a hold.
    """
    return await till.ask(
        "CancelAuthorization", original_request_id=_request_id(hold), **more
    )


def open_holds(gateway: Gateway, card: Card) -> tuple[int, int]:
    """
    Count a card's open holds in the books, and sum up what they keep.
    """
    ((count, kept),) = gateway.sql(_OPEN_HOLDS, card.card_id)
    return int(count), int(kept)


def _request_id(hold: Outcome | str) -> str:
    return hold if isinstance(hold, str) else hold.request_id
