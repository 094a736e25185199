"""
What was read, as the objects of the domain.
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Final, TypeVar

from currency import Currency
from gateway.books.wire import Row
from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Fingerprint
from gateway.domain.holds import Hold, HoldState, HoldStep
from gateway.domain.ids import CardId, RequestId, RequestKey, TerminalId
from gateway.domain.limits import DayUse, Flow, LimitKind, Use
from gateway.domain.originals import Refunds
from gateway.domain.record import TransactionRecord
from gateway.domain.restrictions import RefusalReason
from gateway.domain.results import ADJUSTMENTS, ActivityType, Channel, EntryMode, Result
from gateway.engine.stored import StoredRequest

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
_CHANNEL: Final = _FIELDS.index("channel")
_LIMIT_KIND: Final = _FIELDS.index("limit_kind")

# `stored_requests` gives so many columns before those of the transaction.
_STEP: Final = 9
_BEFORE_RECORD: Final = _STEP + len(HoldStep._fields)
_STEP_STATE: Final = HoldStep._fields.index("state")

# `lock_cards` gives so many columns of a card before those of its day.
_CARD_COLUMNS: Final = 21

# The columns of `hold`, and the fields of Hold, in one order.
HOLD_FIELDS: Final = tuple(field.name for field in fields(Hold))


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
        next_hold_expiry,
        replaced_by,
        limit_set_id,
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
        next_hold_expiry=next_hold_expiry,
        replaced_by=replaced_by,
        limit_set_id=limit_set_id,
    )


def locked_card_of(row: Row) -> tuple[Card, DayUse]:
    """
    Read a card and what it used of its day from the columns of `lock_cards`.
    """
    return card_of(row[:_CARD_COLUMNS]), DayUse._make(row[_CARD_COLUMNS:])


def recent_of(
    rows: Iterable[Row], card_ids: Iterable[CardId]
) -> dict[CardId, tuple[Use, ...]]:
    """
    Read the uses of cards, none for some, from the columns of `recent_uses`.
    """
    recent: dict[CardId, tuple[Use, ...]] = dict.fromkeys(card_ids, ())
    for card_id, transaction_id, flow, at in rows:
        recent[card_id] += (Use(transaction_id, Flow(flow), at),)
    return recent


def hold_of(row: Row) -> Hold:
    """
    Read a hold from the columns of `holds_named` or `holds_open`.
    """
    values = dict(zip(HOLD_FIELDS, row, strict=True))
    values["state"] = HoldState(values["state"])
    return Hold(**values)


def pins_of(rows: Iterable[Row]) -> list[CardPin]:
    """
    Read PINs from the rows of `card_pins`, several of which may be of one card.
    """
    pins: dict[CardId, CardPin] = {}
    for card_id, key_id, tag, channel, *counted in rows:
        pin = pins.get(card_id) or CardPin(card_id=card_id, key_id=key_id, tag=tag)
        if channel is not None:
            pin = pin.tried(PinTries(card_id, Channel(channel), *counted))
        pins[card_id] = pin
    return list(pins.values())


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
    values[_CHANNEL] = Channel(values[_CHANNEL])
    if values[_LIMIT_KIND] is not None:
        values[_LIMIT_KIND] = LimitKind(values[_LIMIT_KIND])
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
    _, _, key_id, tag, undone_by, confirmed_by, later_activity, *refunded = row[:_STEP]
    return StoredRequest(
        fingerprint=None if tag is None else Fingerprint(key_id, tag),
        record=record_of(row[_BEFORE_RECORD:]),
        reversed=undone_by == ActivityType.REVERSAL,
        later_activity=frozenset(later_activity),
        voided=undone_by == ActivityType.VOID,
        refunds=Refunds._make(refunded),
        confirmed=confirmed_by is not None or undone_by in ADJUSTMENTS,
        step=_step_of(row[_STEP:_BEFORE_RECORD]),
    )


def _step_of(row: Row) -> HoldStep | None:
    if row[0] is None:
        return None
    values = list(row)
    values[_STEP_STATE] = HoldState(values[_STEP_STATE])
    return HoldStep._make(values)
