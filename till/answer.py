"""
What the gateway answered, as values a till can count with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from currency import Currency, Money, find_currency
from scrip.v1 import money_pb2, transaction_pb2
from till.codes import (
    APPROVALS,
    ActivityType,
    CardState,
    CurrentState,
    EntryMode,
    HoldState,
    Result,
)
from till.errors import AnswerUnreadableError
from till.requests import NO_CONTEXT, TillContext

# Of ISO 8583 field 39.
_APPROVAL_CODES: Final = frozenset({"00", "10"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCard:
    """
    Be what an answer tells of the card.
    """

    last_four: str
    state: CardState
    currency: Currency | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRecord:
    """
    Be the conversion as it was decided and stored. No amount is computed from it.
    """

    transaction_amount: Money
    card_amount: Money
    settlement_amount: Money | None
    transaction_rate_to_usd: Decimal
    card_rate_to_usd: Decimal
    applied_rate: Decimal
    rate_table_version: int
    rate_effective_from: str
    rounding: Decimal
    markup_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRecord:
    """
    Be a hold as a request left it; a later one may have changed it since.

    What is authorized and captured is in the currency of the sale, what is still held
    in the card's.
    """

    state: HoldState
    authorized_amount: Money
    captured_amount: Money
    held_amount: Money
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    Be a final answer, approved or declined; domain names are the contract's.

    Amounts asked, approved and due are in the currency of the sale, balances in the
    card's. Balances are None where the checks before them declined. `hold` is the one
    that the request placed or changed, `exception` what kept an Advice from being paid
    in full.
    """

    result: Result
    response_code: str
    request_id: UUID | None
    transaction_id: UUID | None
    approval_code: str
    activity_type: ActivityType
    requested_amount: Money | None
    approved_amount: Money | None
    amount_due: Money | None
    previous_balance: Money | None
    available_balance: Money | None
    ledger_balance: Money | None
    held_amount: Money | None
    cash_back_amount: Money | None
    expires_on: date | None
    receipt_text: str
    host_time: datetime | None
    business_date: date | None
    batch_no: int
    replayed: bool
    current_state: CurrentState
    card: ShownCard | None
    conversion: ConversionRecord | None
    original_transaction_id: UUID | None
    terminal_id: str
    context: TillContext
    exception: Result | None = None
    hold: HoldRecord | None = None

    @property
    def approved(self) -> bool:
        """
        Tell whether it was approved, in whole or in part, when it was decided.
        """
        return self.result in APPROVALS

    @property
    def stands(self) -> bool:
        """
        Tell whether it was approved and is still in force: paid, to a till.

        An approval that was reversed since is replayed as approved, with the state
        REVERSED; whoever looked at the result alone would hand out goods for nothing.
        """
        return self.approved and self.current_state is CurrentState.POSTED


def read_answer(outcome: transaction_pb2.Outcome) -> Answer:
    """
    Read an outcome, or raise AnswerUnreadableError.

    On an approval every amount must be readable, in a currency and with the digits
    this till knows: an amount that is misread is worse than none. An approval by a
    result that this till does not know is none it can act on.
    """
    result = Result.read(outcome.result)
    if not result and outcome.response_code in _APPROVAL_CODES:
        raise AnswerUnreadableError(
            f"result {outcome.result} is not known here, and its response code "
            f"{outcome.response_code} is an approval"
        )
    read = _require_money if result in APPROVALS else _find_money
    try:
        return Answer(
            result=result,
            response_code=outcome.response_code,
            request_id=_uuid(outcome.request_id),
            transaction_id=_uuid(outcome.transaction_id),
            approval_code=outcome.approval_code,
            activity_type=ActivityType.read(outcome.activity_type),
            requested_amount=read(outcome, "requested_amount"),
            approved_amount=read(outcome, "approved_amount"),
            amount_due=read(outcome, "amount_due"),
            previous_balance=read(outcome, "previous_balance"),
            available_balance=read(outcome, "available_balance"),
            ledger_balance=read(outcome, "ledger_balance"),
            held_amount=read(outcome, "held_amount"),
            cash_back_amount=read(outcome, "cash_back_amount"),
            expires_on=_day(outcome.expires_on),
            receipt_text=outcome.receipt_text,
            host_time=_host_time(outcome),
            business_date=_day(outcome.business_date),
            batch_no=outcome.batch_no,
            replayed=outcome.replayed,
            current_state=CurrentState.read(outcome.current_state),
            card=_card(outcome),
            conversion=_conversion(outcome),
            original_transaction_id=_uuid(outcome.original_transaction_id),
            terminal_id=outcome.terminal_id,
            context=_context(outcome),
            exception=Result.read(outcome.exception) if outcome.exception else None,
            hold=_hold(outcome),
        )
    except (ValueError, InvalidOperation) as error:
        raise AnswerUnreadableError(f"the answer cannot be read: {error}") from error


def _require_money(
    outcome: transaction_pb2.Outcome | money_pb2.Conversion, field: str
) -> Money | None:
    if not outcome.HasField(field):  # type: ignore[arg-type]
        return None
    message: money_pb2.Money = getattr(outcome, field)
    money = _money(message)
    if money is None:
        raise ValueError(
            f"{field} is {message.minor_units} of {message.currency_code!r} with "
            f"{message.exponent} digits, which this till cannot count"
        )
    return money


def _find_money(outcome: transaction_pb2.Outcome, field: str) -> Money | None:
    """
    Read an amount of a decline: it may echo a currency that does not exist.
    """
    if not outcome.HasField(field):  # type: ignore[arg-type]
        return None
    return _money(getattr(outcome, field))


def _money(message: money_pb2.Money) -> Money | None:
    currency = find_currency(message.currency_code)
    if currency is None or message.exponent != currency.exponent:
        return None
    return Money(message.minor_units, currency)


def _card(outcome: transaction_pb2.Outcome) -> ShownCard | None:
    if not outcome.HasField("card"):
        return None
    card = outcome.card
    return ShownCard(
        last_four=card.last_four,
        state=CardState.read(card.state),
        currency=find_currency(card.currency_code),
    )


def _conversion(outcome: transaction_pb2.Outcome) -> ConversionRecord | None:
    if not outcome.HasField("conversion"):
        return None
    record = outcome.conversion
    transaction_amount = _require_money(record, "transaction_amount")
    card_amount = _require_money(record, "card_amount")
    if transaction_amount is None or card_amount is None:
        raise ValueError("the conversion lacks one of its amounts")
    return ConversionRecord(
        transaction_amount=transaction_amount,
        card_amount=card_amount,
        settlement_amount=_require_money(record, "settlement_amount"),
        transaction_rate_to_usd=_decimal(record.transaction_rate_to_usd),
        card_rate_to_usd=_decimal(record.card_rate_to_usd),
        applied_rate=_decimal(record.applied_rate),
        rate_table_version=record.rate_table_version,
        rate_effective_from=record.rate_effective_from,
        rounding=_decimal(record.rounding),
        markup_bps=record.markup_bps,
    )


def _hold(outcome: transaction_pb2.Outcome) -> HoldRecord | None:
    if not outcome.HasField("hold"):
        return None
    hold = outcome.hold
    amounts = [
        _money(each)
        for each in (hold.authorized_amount, hold.captured_amount, hold.held_amount)
    ]
    authorized, captured, held = amounts
    if authorized is None or captured is None or held is None:
        raise ValueError("the hold has an amount which this till cannot count")
    return HoldRecord(
        state=HoldState.read(hold.state),
        authorized_amount=authorized,
        captured_amount=captured,
        held_amount=held,
        expires_at=hold.expires_at.ToDatetime(tzinfo=UTC),
    )


def _context(outcome: transaction_pb2.Outcome) -> TillContext:
    if not outcome.HasField("till"):
        return NO_CONTEXT
    till = outcome.till
    return TillContext(
        merchant_reference=till.merchant_reference,
        cashier_id=till.cashier_id,
        entry_mode=EntryMode.read(till.entry_mode),
        local_time=till.local_time,
        system_trace_no=till.system_trace_no,
        terminal_batch_no=till.terminal_batch_no,
    )


def _host_time(outcome: transaction_pb2.Outcome) -> datetime | None:
    if not outcome.HasField("host_time"):
        return None
    return outcome.host_time.ToDatetime(tzinfo=UTC)


def _uuid(text: str) -> UUID | None:
    return UUID(text) if text else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _decimal(text: str) -> Decimal:
    return Decimal(text) if text else Decimal(0)
