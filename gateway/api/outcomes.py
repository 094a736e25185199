"""
Write the answer to a request from its record (domain 1.4).

One function for first answers and for replays, so that the two agree in every field by
construction. It fills messages in place: a till waits for this.
"""

from datetime import UTC, datetime
from typing import Final

from google.protobuf import timestamp_pb2

from gateway.api.receipts import receipt_text
from gateway.api.wire_money import exponent_of, plain, put, rfc3339
from gateway.domain.cards import CardState
from gateway.domain.holds import HoldStep
from gateway.domain.ids import uuid_text
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import RESPONSE_CODES, STANDING, ActivityType, Result
from gateway.engine.answers import Answer
from scrip.v1 import card_pb2, money_pb2, result_pb2, transaction_pb2

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS: Final = 86_400

# The domain's numbers are the contract's; by position, because hashing an enum is slow.
_RESULTS: Final = tuple(result_pb2.Result.values())
_RESPONSE_CODES: Final = (
    "",
    *(RESPONSE_CODES[result] for result in sorted(Result)),
)
# The activities have gaps between them, where nothing is told.
_NUMBERED: Final = {int(kind): kind for kind in transaction_pb2.ActivityType.values()}
_ACTIVITIES: Final = tuple(
    _NUMBERED.get(number, transaction_pb2.ACTIVITY_TYPE_UNSPECIFIED)
    for number in range(max(_NUMBERED) + 1)
)
_STATES: Final = tuple(transaction_pb2.CurrentState.values())
_HOLD_STATES: Final = tuple(transaction_pb2.Hold.State.values())
_CARD_STATES: Final = tuple(card_pb2.Card.State.values())
_ENTRY_MODES: Final = tuple(transaction_pb2.EntryMode.values())

# What the till asks for money with: what is not approved is due from elsewhere. It is
# searched by identity, because hashing an enum is slow.
_PAYING: Final = (ActivityType.REDEEM, ActivityType.AUTHORIZE, ActivityType.CAPTURE)

# Refused at checks 7 to 11: the card was found and is accepted here, so what it is may
# be told. Where balances are shown all of these checks were passed.
_CARD_WAS_LOOKED_AT: Final = frozenset(
    {
        Result.NOT_PERMITTED,
        Result.CARD_NOT_RELOADABLE,
        Result.CARD_NOT_ACTIVE,
        Result.CARD_CLOSED,
        Result.LOST_CARD,
        Result.STOLEN_CARD,
        Result.RESTRICTED_CARD,
        Result.CARD_ALREADY_ACTIVATED,
        Result.EXPIRED_CARD,
        Result.CARD_NOT_FLAGGED,
    }
)


def outcome(answer: Answer, policy: Policy) -> transaction_pb2.Outcome:
    """
    Give the answer as a message of its own.
    """
    out = transaction_pb2.Outcome()
    put_outcome(out, answer, policy)
    return out


def put_outcome(out: transaction_pb2.Outcome, answer: Answer, policy: Policy) -> None:
    """
    Fill an empty Outcome. `policy` knows the terminal's name, which never changes.
    """
    record = answer.record
    out.result = _RESULTS[record.result]
    out.response_code = _RESPONSE_CODES[record.result]
    if record.request_id is not None:
        out.request_id = uuid_text(record.request_id)
    if record.transaction_id is not None:
        out.transaction_id = uuid_text(record.transaction_id)
    if record.approval_code is not None:
        out.approval_code = record.approval_code
    out.activity_type = _ACTIVITIES[record.activity]
    if record.transaction_currency is not None:
        _put_amounts(out, record, record.transaction_currency)
    if record.card_currency is not None and record.card_state is not None:
        if record.balances_shown:
            _put_balances(out, record, record.card_currency)
        if record.balances_shown or _is_card_told(record):
            _put_card(out, record, record.card_currency, record.card_state)
    out.receipt_text = receipt_text(record)
    _put_time(out.host_time, record.host_time)
    out.business_date = record.business_date.isoformat()
    out.batch_no = record.batch_no
    out.replayed = answer.replayed
    out.current_state = _STATES[answer.state]
    if record.rate_table_version is not None:
        _put_conversion(out.conversion, record)
    if record.original_transaction_id is not None:
        out.original_transaction_id = uuid_text(record.original_transaction_id)
    place = policy.places.get(record.terminal_id)
    if place is not None:
        out.terminal_id = place.terminal.code
    _put_till(out, record)
    _put_particulars(out, answer)


def _is_card_told(record: TransactionRecord) -> bool:
    """
    Tell whether an answer without balances says what the card is: a block hides them.
    """
    if record.result is Result.APPROVED:
        return record.activity in STANDING
    return record.result in _CARD_WAS_LOOKED_AT


def _put_particulars(out: transaction_pb2.Outcome, answer: Answer) -> None:
    """
    Write what only some kinds of requests have: a hold, an exception.
    """
    record = answer.record
    if answer.step is not None:
        _put_hold(out, answer.step, record.card_currency or "")
    if record.offline and record.reason is not None:
        out.exception = _RESULTS[record.reason]


def _put_hold(out: transaction_pb2.Outcome, step: HoldStep, card_currency: str) -> None:
    """
    Write the hold as this request left it.
    """
    hold, code = out.hold, step.currency_code
    exponent = exponent_of(code)
    hold.state = _HOLD_STATES[step.state]
    put(hold.authorized_amount, step.authorized_minor, code, exponent)
    put(hold.captured_amount, step.captured_minor, code, exponent)
    put(hold.held_amount, step.held_minor, card_currency, exponent_of(card_currency))
    _put_time(hold.expires_at, step.expires_at)


def _put_amounts(
    out: transaction_pb2.Outcome, record: TransactionRecord, currency_code: str
) -> None:
    """
    Write what was asked, approved, due and paid out, in the transaction's currency.

    All four carry the exponent that the till sent: on an approval it is the currency's
    own, and on a decline the till gets its own amounts back as it meant them. Of a sale
    that was made offline nothing is due: the buyer has left with the goods.
    """
    exponent = record.requested_exponent
    if exponent is None:
        exponent = exponent_of(currency_code)
    approved = record.approved_minor
    requested = record.requested_minor or 0
    put(out.requested_amount, requested, currency_code, exponent)
    put(out.approved_amount, approved, currency_code, exponent)
    due = 0
    if record.activity in _PAYING and requested > 0 and not record.offline:
        due = requested - approved
    put(out.amount_due, due, currency_code, exponent)
    paid_out = approved if record.activity is ActivityType.CASH_OUT else 0
    put(out.cash_back_amount, paid_out, currency_code, exponent)


def _put_balances(
    out: transaction_pb2.Outcome, record: TransactionRecord, currency_code: str
) -> None:
    exponent = exponent_of(currency_code)
    put(
        out.previous_balance,
        record.available_before_minor or 0,
        currency_code,
        exponent,
    )
    put(
        out.available_balance,
        record.available_after_minor or 0,
        currency_code,
        exponent,
    )
    put(out.ledger_balance, record.balance_after_minor or 0, currency_code, exponent)
    put(out.held_amount, record.held_after_minor or 0, currency_code, exponent)


def _put_card(
    out: transaction_pb2.Outcome,
    record: TransactionRecord,
    currency_code: str,
    state: CardState,
) -> None:
    card = out.card
    card.last_four = record.card_last_four or ""
    card.state = _CARD_STATES[state]
    card.currency_code = currency_code
    if record.expires_on is not None:
        out.expires_on = record.expires_on.isoformat()


def _put_time(out: timestamp_pb2.Timestamp, moment: datetime) -> None:
    since = moment - _EPOCH
    out.seconds = since.days * _DAY_SECONDS + since.seconds
    out.nanos = since.microseconds * 1_000


def _put_conversion(
    conversion: money_pb2.Conversion, record: TransactionRecord
) -> None:
    currency_code = record.transaction_currency or ""
    exponent = exponent_of(currency_code)
    card_currency = record.card_currency or ""
    approved = record.approved_minor
    put(conversion.transaction_amount, approved, currency_code, exponent)
    put(
        conversion.card_amount,
        record.card_minor,
        card_currency,
        exponent_of(card_currency),
    )
    # A merchant settles in the currency it sold in.
    put(conversion.settlement_amount, approved, currency_code, exponent)
    if record.rate_transaction is not None:
        conversion.transaction_rate_to_usd = plain(record.rate_transaction)
    if record.rate_card is not None:
        conversion.card_rate_to_usd = plain(record.rate_card)
    if record.applied_rate is not None:
        conversion.applied_rate = plain(record.applied_rate)
    conversion.rate_table_version = record.rate_table_version or 0
    if record.rate_effective_from is not None:
        conversion.rate_effective_from = rfc3339(record.rate_effective_from)
    if record.rounding is not None:
        conversion.rounding = plain(record.rounding)
    conversion.markup_bps = record.markup_bps


def _put_till(out: transaction_pb2.Outcome, record: TransactionRecord) -> None:
    if record.merchant_reference is not None:
        out.till.merchant_reference = record.merchant_reference
    if record.cashier_id is not None:
        out.till.cashier_id = record.cashier_id
    if record.entry_mode is not None:
        out.till.entry_mode = _ENTRY_MODES[record.entry_mode]
    if record.local_time is not None:
        out.till.local_time = record.local_time
    if record.system_trace_no is not None:
        out.till.system_trace_no = record.system_trace_no
    if record.terminal_batch_no is not None:
        out.till.terminal_batch_no = record.terminal_batch_no
