"""
Release: what a hold keeps is free again when its time is over (domain 1.7).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain.commands import NO_CONTEXT, CardRef, TillContext
from gateway.domain.decision import Asked, Decision, Facts, View, write_record
from gateway.domain.errors import InvariantError
from gateway.domain.holds import Hold, HoldState, step_of
from gateway.domain.ids import RequestId, TerminalId
from gateway.domain.results import ActivityType, Channel, Result
from gateway.domain.seen import seen_at_expiry


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expiry:
    """
    What a record takes over where nobody asked.
    """

    terminal_id: TerminalId
    request_id: RequestId | None = None
    card: CardRef | None = None
    till: TillContext = NO_CONTEXT
    channel: Channel = Channel.SYSTEM
    actor: str | None = None


def is_due(hold: Hold, now: datetime) -> bool:
    """
    Tell whether an open hold's time is over: from its last moment on.
    """
    return hold.state is HoldState.OPEN and hold.expires_at <= now


def expire(hold: Hold, view: View) -> Decision:
    """
    Release an open hold whose time is over.

    `view.card` is its card, `view.place` where it was placed.
    """
    view = view._replace(seen=seen_at_expiry(hold, view))
    facts = Facts(
        ActivityType.RELEASE,
        Result.APPROVED,
        original_transaction_id=hold.hold_id,
        approved=True,
    )
    asked = _Expiry(terminal_id=hold.terminal_id)
    return end_hold(asked, view, facts, hold, HoldState.EXPIRED)


def end_hold(
    asked: Asked, view: View, facts: Facts, hold: Hold, state: HoldState
) -> Decision:
    """
    Let go of all that an open hold keeps, and leave it in `state`.
    """
    card, stamp = view.card, view.stamp
    if card is None or stamp.transaction_id is None:
        message = "a hold that ends is on a card, and its end is recorded"
        raise InvariantError(message)
    ended = replace(hold, state=state)
    after = card.moved(
        0, stamp.now, expires_on=card.expires_on, held_minor=-hold.held_minor
    )
    facts = facts._replace(card_minor=hold.held_minor)
    record = write_record(asked, view, facts, before=card, after=after)
    step = step_of(stamp.transaction_id, hold, ended)
    return Decision(record, (), after, holds=(ended,), step=step)


def first_expiry(holds: Sequence[Hold]) -> datetime | None:
    """
    Give the moment when the first of a card's open holds ends.
    """
    return min(
        (hold.expires_at for hold in holds if hold.state is HoldState.OPEN),
        default=None,
    )
