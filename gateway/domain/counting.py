"""
What a recorded transaction changes of what is used of limits, on the day it is made.

One function counts for every operation, so that none forgets it; `card_use_v1` in the
books says the same in SQL, and `scrip books check` holds the two equal (ADR 0020).
"""

from datetime import datetime, tzinfo
from typing import Final

from gateway.domain.ids import TransactionId
from gateway.domain.limits import DayUse, Flow, Use
from gateway.domain.record import TransactionRecord
from gateway.domain.results import APPROVALS, UNDOINGS, ActivityType

_LOADS: Final = (ActivityType.LOAD, ActivityType.ACTIVATE)
_SALES: Final = (ActivityType.REDEEM, ActivityType.CASH_OUT)
_FROM_HOLDS: Final = (ActivityType.CAPTURE, ActivityType.RELEASE)


def count_card(
    used: DayUse,
    record: TransactionRecord,
    *,
    zone: tzinfo,
    original: TransactionRecord | None = None,
    placed_at: datetime | None = None,
) -> DayUse:
    """
    Give what is used of a card's day after a transaction on it.

    A hold counts as spent when it is placed; what a capture, a cancellation or its end
    leaves free of it is given back, and so is what a reversal or a void undoes: each on
    the same day only, and on the same card. Where a hold was placed on another, what an
    increment held is given back up to what that counted here: rounding may free more. A
    refund gives nothing back.

    Args:
        used: the card's day before.
        record: the transaction.
        zone: that of the card's programme.
        original: what an undoing undid.
        placed_at: when the hold it is about was placed on this card.

    """
    if record.card_seq is None or record.result not in APPROVALS:
        return used
    day = record.host_time.astimezone(zone).date()
    activity, today = record.activity, used.on(day)
    flow = flow_of(record)
    if flow is not None:
        return today.adding(flow, record.card_minor, 1)
    if activity is ActivityType.AUTHORIZE:
        return today.adding(Flow.SPEND, record.card_minor, 0)
    if activity in _FROM_HOLDS:
        taken = _taken(record)
        if taken < 0 and not (today.day == day and _is_on(day, placed_at, zone)):
            return used
        return today.adding(Flow.SPEND, taken, 0)
    if activity not in UNDOINGS or original is None or not record.effective:
        return used
    if original.card_id != record.card_id or today.day != day:
        return used
    taken, placed_here = _taken(record), _is_on(day, placed_at, zone)
    if original.activity is ActivityType.CAPTURE:
        return today.adding(Flow.SPEND, taken, 0) if placed_here else used
    if not _is_on(day, original.host_time, zone):
        return used
    if not placed_here:
        taken = max(taken, -original.card_minor)
    return _without(today, taken, original)


def count_terminal(
    used: DayUse, record: TransactionRecord, original: TransactionRecord | None = None
) -> DayUse:
    """
    Give what a terminal did in its business day after a transaction.

    With an `original` the transaction undid that one, which was made on this terminal:
    it is given back on the same business day, unless a later one is counted by now.
    Holds keep what they counted.
    """
    counted = record if original is None else original
    flow, minor = _terminal_flow(counted), counted.terminal_minor
    if flow is None or minor is None or record.result not in APPROVALS:
        return used
    times = 1 if _is_first(counted) else 0
    if original is None:
        return used.on(record.business_date).adding(flow, minor, times)
    same_day = used.day == record.business_date == original.business_date
    if not record.effective or not same_day:
        return used
    return used.adding(flow, -minor, -times)


def flow_of(record: TransactionRecord) -> Flow | None:
    """
    Tell what a transaction is a use of: a load, a sale, a hold that is placed, or none.
    """
    if not record.card_minor or record.result not in APPROVALS:
        return None
    activity = record.activity
    if activity in _SALES:
        return Flow.SPEND
    if activity in _LOADS:
        return Flow.LOAD
    if activity is ActivityType.AUTHORIZE and _is_first(record):
        return Flow.SPEND
    return None


def use_of(record: TransactionRecord) -> Use | None:
    """
    Give a transaction as a use that limits look back on.
    """
    flow = flow_of(record)
    if flow is None or record.card_seq is None or record.transaction_id is None:
        return None
    return Use(record.transaction_id, flow, record.host_time)


def without(
    uses: tuple[Use, ...], transaction_id: TransactionId | None
) -> tuple[Use, ...]:
    """
    Leave out the use that was undone.
    """
    return tuple(use for use in uses if use.transaction_id != transaction_id)


def _without(today: DayUse, taken_minor: int, original: TransactionRecord) -> DayUse:
    flow = flow_of(original)
    if original.activity is ActivityType.AUTHORIZE:
        return today.adding(Flow.SPEND, taken_minor, 0 if flow is None else -1)
    if flow is None:
        return today
    return today.adding(flow, -original.card_minor, -1)


def _taken(record: TransactionRecord) -> int:
    """
    Tell what can be spent of the card's money no more; below zero it is free again.
    """
    before = record.available_before_minor or 0
    return before - (record.available_after_minor or 0)


def _terminal_flow(record: TransactionRecord) -> Flow | None:
    if record.activity in _LOADS:
        return Flow.LOAD
    if record.activity in _SALES or record.activity is ActivityType.AUTHORIZE:
        return Flow.SPEND
    return None


def _is_first(record: TransactionRecord) -> bool:
    """
    Tell an increment, which enlarges the hold it names, from what stands for itself.
    """
    return (
        record.activity is not ActivityType.AUTHORIZE
        or record.original_transaction_id is None
    )


def _is_on(day: object, at: datetime | None, zone: tzinfo) -> bool:
    return at is not None and at.astimezone(zone).date() == day
