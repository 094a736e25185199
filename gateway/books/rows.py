"""
What was read, as the objects of the domain.
"""

from typing import Final, TypeVar

from currency import Currency
from gateway.books.wire import Row
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Fingerprint
from gateway.domain.ids import RequestId, RequestKey, TerminalId
from gateway.domain.originals import Refunds
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import RefusalReason
from gateway.domain.results import ActivityType, EntryMode, Result
from gateway.engine.ports import StoredRequest

K = TypeVar("K")

# Looking a member up by value in a dict costs a tenth of calling its enum.
_CARD_STATES: Final[dict[int, CardState]] = {member: member for member in CardState}
_BLOCK_REASONS: Final[dict[int | None, BlockReason | None]] = {
    None: None,
    **{member.value: member for member in BlockReason},
}
_currency = Currency.of

_FIELDS: Final = TransactionRecord._fields
_ACTIVITY: Final = _FIELDS.index("activity")
_RESULT: Final = _FIELDS.index("result")
_CARD_STATE: Final = _FIELDS.index("card_state")
_ENTRY_MODE: Final = _FIELDS.index("entry_mode")
_REFUSAL: Final = _FIELDS.index("refusal")

# `stored_requests` gives so many columns before those of the transaction.
_BEFORE_RECORD: Final = 8


def card_of(row: Row) -> Card:
    """
    Read a card from the columns of `lock_cards` or `balances`.
    """
    (
        card_id,
        program_id,
        product_id,
        number_index,
        last_four,
        state,
        block_reason,
        currency,
        balance_minor,
        held_minor,
        unconfirmed_minor,
        load_count,
        expires_on,
        version,
        last_transaction_at,
        loaded_minor,
        issue_batch_id,
        restriction_set_id,
    ) = row
    return Card(
        card_id=card_id,
        program_id=program_id,
        product_id=product_id,
        number_index=number_index,
        last_four=last_four,
        state=_CARD_STATES[state],
        block_reason=_BLOCK_REASONS[block_reason],
        currency=_currency(currency),
        balance_minor=balance_minor,
        held_minor=held_minor,
        unconfirmed_minor=unconfirmed_minor,
        load_count=load_count,
        expires_on=expires_on,
        version=version,
        last_transaction_at=last_transaction_at,
        loaded_minor=loaded_minor,
        issue_batch_id=issue_batch_id,
        restriction_set_id=restriction_set_id,
    )


def record_of(row: Row) -> TransactionRecord:
    """
    Read a transaction from its columns in the order of TransactionRecord.
    """
    values = list(row)
    values[_ACTIVITY] = ActivityType(values[_ACTIVITY])
    values[_RESULT] = Result(values[_RESULT])
    if values[_CARD_STATE] is not None:
        values[_CARD_STATE] = _CARD_STATES[values[_CARD_STATE]]
    if values[_ENTRY_MODE] is not None:
        values[_ENTRY_MODE] = EntryMode(values[_ENTRY_MODE])
    if values[_REFUSAL] is not None:
        values[_REFUSAL] = RefusalReason(values[_REFUSAL])
    return TransactionRecord._make(values)


def key_of(row: Row) -> RequestKey:
    """
    Read a request key from the first two columns.
    """
    return RequestKey(TerminalId(row[0]), RequestId(row[1]))


def stored_request_of(row: Row) -> StoredRequest:
    """
    Read what is kept under a key from the columns of `stored_requests`.
    """
    _, _, key_id, tag, undone_by, later_activity, *refunded = row[:_BEFORE_RECORD]
    return StoredRequest(
        fingerprint=None if tag is None else Fingerprint(key_id, tag),
        record=record_of(row[_BEFORE_RECORD:]),
        reversed=undone_by == ActivityType.REVERSAL,
        later_activity=frozenset(later_activity),
        voided=undone_by == ActivityType.VOID,
        refunds=Refunds._make(refunded),
    )
