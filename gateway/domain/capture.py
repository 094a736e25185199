"""
Capture and CancelAuthorization: how a hold ends before its time.
"""

from dataclasses import replace
from typing import NamedTuple

from currency import MAX_MINOR_UNITS, Currency
from gateway.domain.cards import Card, CardState
from gateway.domain.commands import Amount, CancelAuthorization, Capture
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import postings_of
from gateway.domain.holding import look_up, rate_of, recorded_id, refuse_ended
from gateway.domain.holds import Hold, HoldState, step_of
from gateway.domain.originals import Original
from gateway.domain.policy import Policy
from gateway.domain.pricing import Price
from gateway.domain.release import end_hold
from gateway.domain.results import ActivityType, Result

_WHOLE_BPS = 10_000


class _Taken(NamedTuple):
    """
    What a capture takes: its own amount, and all that is captured with it, priced.
    """

    amount: Amount
    captured_minor: int
    whole: Price


def decide_capture(command: Capture, view: View, original: Original | None) -> Decision:
    """
    Spend from a hold at the hold's own rate, and release the rest unless told to wait.

    `view.card` is the original's card, or the last that replaced it. What was promised
    is kept: the card may be blocked or have expired since, so no check of 7 to 11 and
    14 applies. Results: APPROVED, or 58/03, 13, 14, 25, 57, 13, 12, 61, 51.
    """
    facts = Facts(ActivityType.CAPTURE, Result.APPROVED, amount=command.amount)
    named = look_up(command, view, original, facts)
    if isinstance(named, Decision):
        return named
    card, hold, facts = named.card, named.hold, named.facts
    asked, sold_in = command.amount, named.currency_code
    if asked is not None and sold_in is not None and asked.currency_code != sold_in:
        facts = facts._replace(result=Result.CURRENCY_NOT_SUPPORTED)
        return decline(command, view, facts)
    if card is None or hold is None:
        facts = facts._replace(result=Result.ORIGINAL_NOT_FOUND)
        return decline(command, view, facts)
    refusal = _refuse_state(hold) if asked is None else None
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    taken = _taken(asked, hold, card)
    refusal = _refuse_taking(taken, hold, card, view.policy)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    facts = facts._replace(amount=taken.amount)
    return _approve(command, view, facts, taken, (hold, card))


def _taken(asked: Amount | None, hold: Hold, card: Card) -> _Taken:
    """
    Find out what is captured; without an amount it is all that is left.
    """
    if asked is None:
        own = Currency.of(hold.currency_code)
        left = hold.authorized_minor - hold.captured_minor
        asked = Amount(left, own.code, own.exponent)
    captured = hold.captured_minor + asked.minor_units
    return _Taken(asked, captured, rate_of(hold, card.currency).price(captured))


def _refuse_state(hold: Hold) -> Result | None:
    """
    Apply check 15 to the hold: it is open (12), and not captured as a whole (61).
    """
    if hold.state is HoldState.CAPTURED:
        return Result.EXCEEDS_AUTHORIZED
    return refuse_ended(hold)


def _refuse_taking(
    taken: _Taken, hold: Hold, card: Card, policy: Policy
) -> Result | None:
    """
    Apply checks 13 (nothing to debit, or beyond all bounds), 15 and 16.

    Beyond what was authorized a programme may allow a tip; it is paid from what is
    available, because nobody held it.
    """
    whole_minor = taken.whole.card_minor
    if (
        whole_minor <= hold.captured_card_minor
        or max(whole_minor, taken.captured_minor) > MAX_MINOR_UNITS
    ):
        return Result.INVALID_AMOUNT
    refusal = _refuse_state(hold)
    if refusal:
        return refusal
    tolerance_bps = policy.programs[card.program_id].tip_tolerance_bps
    tip = hold.authorized_minor * tolerance_bps // _WHOLE_BPS
    if taken.captured_minor > hold.authorized_minor + tip:
        return Result.EXCEEDS_AUTHORIZED
    if whole_minor - hold.card_minor > card.available_minor:
        return Result.INSUFFICIENT_FUNDS
    return None


def _approve(
    command: Capture,
    view: View,
    facts: Facts,
    taken: _Taken,
    seen: tuple[Hold, Card],
) -> Decision:
    """
    Debit the card, and let go of what the hold does not keep any more.

    A hold of which nothing is left has ended, also where it was to be kept open.
    """
    (hold, card), now = seen, view.stamp.now
    whole_minor = taken.whole.card_minor
    debit = whole_minor - hold.captured_card_minor
    ends = not command.keep_open or whole_minor >= hold.card_minor
    after = replace(
        hold,
        state=HoldState.CAPTURED if ends else HoldState.OPEN,
        captured_minor=taken.captured_minor,
        captured_card_minor=whole_minor,
    )
    step = step_of(recorded_id(view), hold, after)
    spent = card.balance_minor == debit and card.state is CardState.ACTIVE
    emptied = spent and not view.policy.products[card.product_id].reloadable
    paid = card.moved(
        -debit,
        now,
        state=CardState.DEPLETED if emptied else None,
        expires_on=card.expires_on,
        held_minor=step.held_change_minor,
    )
    facts = facts._replace(
        price=taken.whole._replace(card_minor=debit),
        approved_minor=taken.amount.minor_units,
        card_minor=debit,
        shown=True,
        approved=True,
    )
    record = write_record(command, view, facts, before=card, after=paid)
    return Decision(record, postings_of(record), paid, holds=(after,), step=step)


def decide_cancel(
    command: CancelAuthorization, view: View, original: Original | None
) -> Decision:
    """
    Give up what is left of an open hold. What was captured of it stays captured.

    Results: APPROVED, or 58/03, 14, 25, 12.
    """
    facts = Facts(ActivityType.RELEASE, Result.APPROVED)
    named = look_up(command, view, original, facts)
    if isinstance(named, Decision):
        return named
    card, hold, facts = named.card, named.hold, named.facts
    if card is None or hold is None:
        facts = facts._replace(result=Result.ORIGINAL_NOT_FOUND)
        return decline(command, view, facts)
    refusal = refuse_ended(hold)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    facts = facts._replace(shown=True, approved=True)
    return end_hold(command, view, facts, hold, HoldState.CANCELLED)
