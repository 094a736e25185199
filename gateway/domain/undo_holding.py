"""
Undo an Authorize or an IncrementAuthorization, as a reversal asks for it (domain 1.6).
"""

from dataclasses import replace

from gateway.domain.cards import Card
from gateway.domain.commands import Reverse
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.holding import rate_of, recorded_id
from gateway.domain.holds import Hold, HoldState, step_of
from gateway.domain.originals import Original
from gateway.domain.release import end_hold
from gateway.domain.results import Result


def undo_holding(
    command: Reverse, view: View, facts: Facts, original: Original, card: Card
) -> Decision:
    """
    Take back what an approved Authorize or increment put on hold, or refuse (21).
    """
    hold, record = original.hold, original.record
    if hold is None:  # pragma: no cover - what was approved has its hold
        return _refuse(command, view, facts)
    facts = facts._replace(shown=True, effective=True, approved=True)
    if record.transaction_id == hold.hold_id:
        return _undo_placing(command, view, facts, hold, card)
    authorized = hold.authorized_minor - record.approved_minor
    if hold.state is not HoldState.OPEN or authorized < hold.captured_minor:
        return _refuse(command, view, facts)
    facts = facts._replace(approved_minor=record.approved_minor)
    return _shrink(command, view, facts, (hold, card), authorized)


def _undo_placing(
    command: Reverse, view: View, facts: Facts, hold: Hold, card: Card
) -> Decision:
    """
    Cancel the hold with all its increments, unless something was captured of it.

    Where it has ended already there is nothing to free; it counts as undone all the
    same.
    """
    if hold.captured_minor:
        return _refuse(command, view, facts)
    if hold.state is HoldState.OPEN:
        price = rate_of(hold, card.currency).price(hold.authorized_minor)
        facts = facts._replace(approved_minor=hold.authorized_minor, price=price)
        return end_hold(command, view, facts, hold, HoldState.CANCELLED)
    after = card.moved(0, view.stamp.now, expires_on=card.expires_on)
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, (), after)


def _shrink(
    command: Reverse,
    view: View,
    facts: Facts,
    seen: tuple[Hold, Card],
    authorized_minor: int,
) -> Decision:
    """
    Make an open hold as large as it is without the increment.

    If nothing is left of it then, all of it was captured, and it has ended.
    """
    hold, card = seen
    price = rate_of(hold, card.currency).price(authorized_minor)
    left = price.card_minor - hold.captured_card_minor
    smaller = replace(
        hold,
        state=HoldState.OPEN if left else HoldState.CAPTURED,
        authorized_minor=authorized_minor,
        card_minor=price.card_minor,
    )
    step = step_of(recorded_id(view), hold, smaller)
    after = card.moved(
        0,
        view.stamp.now,
        expires_on=card.expires_on,
        held_minor=step.held_change_minor,
    )
    freed = -step.held_change_minor
    facts = facts._replace(price=price._replace(card_minor=freed), card_minor=freed)
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, (), after, holds=(smaller,), step=step)


def _refuse(command: Reverse, view: View, facts: Facts) -> Decision:
    facts = facts._replace(
        result=Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL,
        shown=True,
        effective=None,
        approved=False,
    )
    return decline(command, view, facts)
