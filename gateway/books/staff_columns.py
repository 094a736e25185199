"""
What staff did, as the statements that write it, with their parameters.

The order is that of the parameters in `sql/staff.sql`.
"""

from collections.abc import Sequence
from typing import Final

from gateway.books.arrays import bools, int2s, int8s, moments, texts, uuids
from gateway.books.columns import Pack, packed
from gateway.books.wire import Step, step
from gateway.domain.auditing import AuditEntry
from gateway.domain.record import AdjustmentApproved, AdjustmentAsked
from gateway.engine.ports import WriteSet

_ASKED: Final[tuple[Pack, ...]] = (uuids, texts, texts)
_APPROVED: Final[tuple[Pack, ...]] = (uuids, uuids, texts)
_AUDIT: Final[tuple[Pack, ...]] = (
    moments,
    int8s,
    texts,
    int2s,
    int2s,
    int2s,
    uuids,
    int8s,
    uuids,
    int2s,
    bools,
)


def staff_steps(writes: WriteSet) -> list[Step]:
    """
    Give the last steps of a batch before its commit, if any of it is staff's.

    The audit comes last: nothing may wait after it, its chain has one lock for all.
    """
    steps = []
    if writes.adjustments_asked:
        asked = asked_parameters(writes.adjustments_asked)
        steps.append(step("insert_adjustments", asked))
    if writes.adjustments_approved:
        approved = approved_parameters(writes.adjustments_approved)
        steps.append(step("approve_adjustments", approved))
    if writes.audit:
        steps.append(step("insert_audit", audit_parameters(writes.audit)))
    return steps


def asked_parameters(asked: Sequence[AdjustmentAsked]) -> list[bytes]:
    """
    Pack requests for adjustments for `insert_adjustments`.
    """
    return packed(_ASKED, asked)


def approved_parameters(approved: Sequence[AdjustmentApproved]) -> list[bytes]:
    """
    Pack approvals for `approve_adjustments`.
    """
    return packed(_APPROVED, approved)


def audit_parameters(entries: Sequence[AuditEntry]) -> list[bytes]:
    """
    Pack rows of the audit for `insert_audit`.
    """
    return packed(_AUDIT, entries)
