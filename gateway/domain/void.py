"""
Void: undo a whole completed operation by request, on the business day it was done.
"""

from gateway.domain.checks import refuse_place
from gateway.domain.commands import Void
from gateway.domain.decision import Decision, Facts, View, decline
from gateway.domain.originals import (
    Original,
    about,
    refuse_blindly,
    refuse_original,
    tells_balance,
)
from gateway.domain.record import TransactionRecord
from gateway.domain.results import (
    APPROVALS,
    VOIDABLE,
    ActivityType,
    Result,
)
from gateway.domain.reverse import undo


def decide_void(command: Void, view: View, original: Original | None) -> Decision:
    """
    Undo an approved Activate, Load, Redeem, CashOut, Refund or Capture, whole.

    `view.card` is the original's card. A void speaks of something that was done, so an
    absence is no business of it: 25 leaves no tombstone, and what was declined cannot
    be voided. Results: APPROVED, or 58/03, 14, 13, 25, 21.
    """
    facts = Facts(ActivityType.VOID, Result.APPROVED)
    refusal = refuse_place(view.place)
    if refusal or original is None:
        result = refusal or Result.ORIGINAL_NOT_FOUND
        return refuse_blindly(command, view, facts, result)
    record = original.record
    blind, facts = facts, about(facts, record)
    decided = refuse_original(command, view, original, known=facts, blind=blind)
    if decided:
        return decided
    if record.result not in APPROVALS:
        facts = facts._replace(result=Result.CANNOT_BE_REVERSED)
        return decline(command, view, facts)
    refusal = _refuse_voiding(original, view)
    if refusal:
        shown = tells_balance(record)
        return decline(command, view, facts._replace(result=refusal, shown=shown))
    return undo(command, view, facts, original, view.card)


def _refuse_voiding(original: Original, view: View) -> Result | None:
    """
    Check 15: it can be voided, was not undone before, and its day is not over.
    """
    if original.record.activity not in VOIDABLE:
        return Result.CANNOT_BE_REVERSED
    if original.reversed or original.voided:
        return Result.ALREADY_REVERSED
    if not _is_open(original.record, view):
        return Result.CANNOT_BE_REVERSED
    return None


def _is_open(record: TransactionRecord, view: View) -> bool:
    """
    Tell whether the original lies in the store's open batch, on its business day.
    """
    today = view.place.store.business_date(view.stamp.now)
    return record.batch_no == view.stamp.batch_no and record.business_date == today
