"""
Show an answer to a person, or to a program as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from babel.dates import format_date, format_datetime

from currency import Money
from till.answer import Answer, ConversionRecord, HoldRecord
from till.codes import ActivityType, CurrentState, HoldState, Result
from till.errors import TillError

LOCALE: Final = "en_GB"
_LABEL_WIDTH: Final = 14
_UNPAID: Final = frozenset(
    {CurrentState.REVERSED, CurrentState.VOIDED, CurrentState.REFUNDED}
)


def answer_lines(answer: Answer) -> Iterator[str]:
    """
    Say what was decided, in lines a cashier can read.
    """
    for label, text in _rows(answer):
        if text:
            yield f"{label:<{_LABEL_WIDTH}} {text}"


def _rows(answer: Answer) -> Iterator[tuple[str, str]]:
    yield _verdict(answer), f"{answer.response_code} {answer.result.name}"
    yield "what", answer.activity_type.name.lower() if answer.activity_type else ""
    yield "state now", _state(answer)
    yield "asked", _money(answer.requested_amount)
    yield "approved", _money(answer.approved_amount) if answer.approved else ""
    if answer.amount_due is not None and answer.amount_due.minor_units:
        yield "still to pay", _money(answer.amount_due)
    if answer.exception is not None:
        yield "not paid in full", answer.exception.name
    if answer.cash_back_amount is not None and answer.cash_back_amount.minor_units:
        yield "cash to pay", _money(answer.cash_back_amount)
    if answer.conversion is not None:
        yield "converted", _conversion(answer.conversion)
    if answer.card is not None:
        yield "card", f"...{answer.card.last_four}, {answer.card.state.name.lower()}"
    yield "available", _balance(answer)
    if answer.ledger_balance != answer.available_balance:
        yield "in the books", _money(answer.ledger_balance)
    if answer.hold is not None:
        yield "hold", _hold(answer.hold)
    yield "expires", _day(answer.expires_on)
    yield "approval code", answer.approval_code
    yield "receipt", answer.receipt_text
    yield "decided", _decided(answer)
    yield "terminal", answer.terminal_id
    yield "transaction", str(answer.transaction_id or "")
    yield "request id", str(answer.request_id or "")


def answer_json(answer: Answer) -> str:
    """
    Write the answer with the contract's names; amounts as minor units and as text.
    """
    card = answer.card
    return _dump(
        {
            "result": answer.result.name,
            "response_code": answer.response_code,
            "approved": answer.approved,
            "stands": answer.stands,
            "current_state": answer.current_state.name,
            "replayed": answer.replayed,
            "request_id": _text(answer.request_id),
            "transaction_id": _text(answer.transaction_id),
            "original_transaction_id": _text(answer.original_transaction_id),
            "approval_code": answer.approval_code or None,
            "activity_type": answer.activity_type.name,
            "requested_amount": _money_json(answer.requested_amount),
            "approved_amount": _money_json(answer.approved_amount),
            "amount_due": _money_json(answer.amount_due),
            "exception": answer.exception and answer.exception.name,
            "previous_balance": _money_json(answer.previous_balance),
            "available_balance": _money_json(answer.available_balance),
            "ledger_balance": _money_json(answer.ledger_balance),
            "held_amount": _money_json(answer.held_amount),
            "cash_back_amount": _money_json(answer.cash_back_amount),
            "conversion": _conversion_json(answer.conversion),
            "hold": _hold_json(answer.hold),
            "card": card and {"last_four": card.last_four, "state": card.state.name},
            "expires_on": _text(answer.expires_on),
            "receipt_text": answer.receipt_text or None,
            "host_time": answer.host_time and answer.host_time.isoformat(),
            "business_date": _text(answer.business_date),
            "batch_no": answer.batch_no,
            "terminal_id": answer.terminal_id or None,
        }
    )


def error_json(error: TillError) -> str:
    """
    Write an error with what it means and what to do.
    """
    return _dump(
        {
            "error": {
                "meaning": error.meaning.name,
                "message": error.message,
                "status": error.status,
                "reason": error.reason or None,
                "retry_after_s": error.retry_after_s,
                "fields": [problem._asdict() for problem in error.problems],
                "advice": error.advice,
            }
        }
    )


def _verdict(answer: Answer) -> str:
    if answer.result is Result.APPROVED_PARTIAL:
        return "approved part"
    return "approved" if answer.approved else "declined"


def _state(answer: Answer) -> str:
    """
    Tell the state only where it says more than the result does.
    """
    if answer.current_state in _UNPAID:
        return f"{answer.current_state.name.lower()} since: not paid"
    return "decided before: this is its stored answer" if answer.replayed else ""


def _balance(answer: Answer) -> str:
    text = _money(answer.available_balance)
    before = answer.previous_balance
    read_only = answer.activity_type is ActivityType.BALANCE
    if not text or before is None or read_only or before == answer.available_balance:
        return text
    return f"{text} (before: {before})"


def _conversion(record: ConversionRecord) -> str:
    return (
        f"{record.transaction_amount} = {record.card_amount} at "
        f"{record.applied_rate.normalize():f} (rate table {record.rate_table_version})"
    )


def _hold(hold: HoldRecord) -> str:
    """
    Say what became of a hold; while it is open also until when it is.
    """
    text = f"{hold.state.name.lower()}, {hold.authorized_amount}"
    if hold.captured_amount.minor_units:
        text += f", captured {hold.captured_amount}"
    if hold.state is not HoldState.OPEN:
        return text
    return f"{text}, {hold.held_amount} held until {_moment(hold.expires_at)}"


def _decided(answer: Answer) -> str:
    if answer.host_time is None:
        return ""
    text = _moment(answer.host_time)
    if answer.business_date is None:
        return text
    return f"{text} (business day {_day(answer.business_date)})"


def _moment(moment: datetime) -> str:
    return format_datetime(moment, "EEE d MMM y, HH:mm:ss", locale=LOCALE) + " UTC"


def _day(day: date | None) -> str:
    return "" if day is None else format_date(day, "d MMM y", locale=LOCALE)


def _money(money: Money | None) -> str:
    return "" if money is None else str(money)


def _money_json(money: Money | None) -> dict[str, Any] | None:
    if money is None:
        return None
    return {
        "minor_units": money.minor_units,
        "currency": money.currency.code,
        "amount": money.to_decimal_text(),
    }


def _conversion_json(record: ConversionRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "transaction_amount": _money_json(record.transaction_amount),
        "card_amount": _money_json(record.card_amount),
        "transaction_rate_to_usd": str(record.transaction_rate_to_usd),
        "card_rate_to_usd": str(record.card_rate_to_usd),
        "applied_rate": str(record.applied_rate),
        "rate_table_version": record.rate_table_version,
        "rounding": str(record.rounding),
    }


def _hold_json(hold: HoldRecord | None) -> dict[str, Any] | None:
    if hold is None:
        return None
    return {
        "state": hold.state.name,
        "authorized_amount": _money_json(hold.authorized_amount),
        "captured_amount": _money_json(hold.captured_amount),
        "held_amount": _money_json(hold.held_amount),
        "expires_at": hold.expires_at.isoformat(),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
