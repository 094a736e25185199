"""
What the books keep of what was decided before a batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from gateway.domain.commands import Fingerprint
from gateway.domain.holds import Hold, HoldStep
from gateway.domain.ids import CardId, RequestKey, TransactionId
from gateway.domain.limits import Use
from gateway.domain.originals import NO_REFUNDS, Refunds
from gateway.domain.record import TransactionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """
    What is kept under a request key.

    Without a fingerprint it is a tombstone, and `record` is the reversal's.
    `reversed` and `voided` tell whether an effective reversal or void of the record
    stands, `confirmed` whether a Confirm of it does, or an adjustment's approval.
    `step` is what it made of a hold. `later_activity` holds, for an approved Activate,
    the approved and unreversed transactions on its card since (at most one more than a
    batch holds); `refunds` what the refunds of an approved Redeem come to that were not
    undone.
    """

    fingerprint: Fingerprint | None
    record: TransactionRecord
    reversed: bool
    later_activity: frozenset[TransactionId]
    voided: bool = False
    refunds: Refunds = NO_REFUNDS
    confirmed: bool = False
    step: HoldStep | None = None


class Stored(NamedTuple):
    """
    What a batch reads of what was recorded before, its cards being locked.

    `recent` holds the uses of those cards whose limits look back.
    """

    requests: dict[RequestKey, StoredRequest]
    holds: Sequence[Hold]
    recent: Mapping[CardId, tuple[Use, ...]] = MappingProxyType({})


NOTHING_STORED = Stored({}, ())
