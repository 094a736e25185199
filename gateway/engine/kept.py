"""
What a batch keeps under a request key, read before or decided a moment ago.
"""

import hmac
from dataclasses import dataclass

from gateway.domain.commands import Command, Fingerprint
from gateway.domain.holds import HoldStep
from gateway.domain.ids import TransactionId
from gateway.domain.originals import NO_REFUNDS, Refunds
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ADJUSTMENTS, APPROVALS, CurrentState
from gateway.engine.ports import Codes
from gateway.engine.stored import StoredRequest

_NO_ACTIVITY: frozenset[TransactionId] = frozenset()


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What stands under a request key. Without a fingerprint it is a tombstone.
    """

    fingerprint: Fingerprint | None
    record: TransactionRecord
    reversed: bool
    later_activity: frozenset[TransactionId] = _NO_ACTIVITY
    voided: bool = False
    refunds: Refunds = NO_REFUNDS
    confirmed: bool = False
    step: HoldStep | None = None


def kept_of(stored: StoredRequest) -> Kept:
    """
    Give what was read as what is kept.
    """
    return Kept(
        stored.fingerprint,
        stored.record,
        stored.reversed,
        stored.later_activity,
        stored.voided,
        stored.refunds,
        stored.confirmed,
        stored.step,
    )


def state_of(kept: Kept) -> CurrentState:
    """
    Derive what has become of a recorded transaction; refunded in part it is posted.
    """
    if kept.record.result not in APPROVALS:
        return CurrentState.DECLINED
    if kept.voided:
        return CurrentState.VOIDED
    if kept.record.activity in ADJUSTMENTS:
        done = kept.record.effective or kept.confirmed
        return CurrentState.POSTED if done else CurrentState.PENDING
    refunded = kept.refunds.approved_minor
    if refunded and refunded == kept.record.approved_minor:
        return CurrentState.REFUNDED
    return CurrentState.REVERSED if kept.reversed else CurrentState.POSTED


def same_content(command: Command, stored: Fingerprint, codes: Codes) -> bool:
    """
    Tell whether a request repeats the stored one, under the key that one was made with.
    """
    tag = command.fingerprint.tag
    if command.fingerprint.key_id != stored.key_id:
        tag = codes.fingerprint(command.content, stored.key_id)
    return hmac.compare_digest(tag, stored.tag)
