"""
What an answer says, in words that stand in a test as they stand in the contract.

    assert told(answer) == Told(
        result="APPROVED", code="00", requested="30.00 USD", approved="30.00 USD", ...
    )

`told` also holds every answer to the rules that need no words: ids, codes and dates are
there exactly when they belong there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from scrip.v1 import card_pb2, money_pb2, result_pb2, transaction_pb2

Outcome = transaction_pb2.Outcome

_MOST_DIGITS: Final = 18
_APPROVALS: Final = ("APPROVED", "APPROVED_PARTIAL")
_UNRECORDED: Final = ("DUPLICATE", "ALREADY_REVERSED")
_BALANCES: Final = (
    "previous_balance",
    "available_balance",
    "ledger_balance",
    "held_amount",
)
_AMOUNTS: Final = (
    "requested_amount",
    "approved_amount",
    "amount_due",
    "cash_back_amount",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    The decided part of an answer. "" stands for a field that is absent.

    `card` is the card's state, `debit` the card amount of a conversion, `cash` what the
    till hands out, if anything.
    """

    result: str
    code: str
    requested: str = ""
    approved: str = ""
    due: str = ""
    previous: str = ""
    available: str = ""
    ledger: str = ""
    held: str = ""
    card: str = ""
    debit: str = ""
    cash: str = ""
    state: str = "POSTED"
    replayed: bool = False


def told(outcome: Outcome) -> Told:
    """
    Read an answer, and fail if its form is not as the contract says.
    """
    found = Told(
        result=result_of(outcome),
        code=outcome.response_code,
        requested=_text(outcome, "requested_amount"),
        approved=_text(outcome, "approved_amount"),
        due=_text(outcome, "amount_due"),
        previous=_text(outcome, "previous_balance"),
        available=_text(outcome, "available_balance"),
        ledger=_text(outcome, "ledger_balance"),
        held=_text(outcome, "held_amount"),
        card=card_state(outcome),
        debit=amount(outcome.conversion.card_amount)
        if outcome.HasField("conversion")
        else "",
        cash=amount(outcome.cash_back_amount)
        if outcome.cash_back_amount.minor_units
        else "",
        state=transaction_pb2.CurrentState.Name(outcome.current_state).removeprefix(
            "CURRENT_STATE_"
        ),
        replayed=outcome.replayed,
    )
    _check_form(outcome, found)
    return found


def result_of(outcome: Outcome) -> str:
    """
    Name an answer's result.
    """
    return result_pb2.Result.Name(outcome.result).removeprefix("RESULT_")


def card_state(outcome: Outcome) -> str:
    """
    Name the state of the card that an answer tells of; "" where it tells of none.
    """
    if not outcome.HasField("card"):
        return ""
    return card_pb2.Card.State.Name(outcome.card.state).removeprefix("STATE_")


def amount(money: money_pb2.Money) -> str:
    """
    Write an amount with the digits that the message says: `10.000 KWD`.
    """
    if not 0 <= money.exponent <= _MOST_DIGITS:
        return f"{money.minor_units} {money.currency_code} ({money.exponent} digits)"
    sign = "-" if money.minor_units < 0 else ""
    digits = str(abs(money.minor_units)).rjust(money.exponent + 1, "0")
    whole = digits[: len(digits) - money.exponent]
    part = digits[len(digits) - money.exponent :]
    return f"{sign}{whole}{'.' if part else ''}{part} {money.currency_code}"


def _text(outcome: Outcome, field: str) -> str:
    return amount(getattr(outcome, field)) if _has(outcome, field) else ""


def _has(outcome: Any, field: str) -> bool:
    # The stubs take literal names only.
    return bool(outcome.HasField(field))


def _check_form(outcome: Outcome, found: Told) -> None:
    """
    Hold an answer to the rules of domain 1.4 that go for all of them.
    """
    approved = found.result in _APPROVALS
    question = outcome.activity_type == transaction_pb2.ACTIVITY_TYPE_BALANCE
    # What names an original that was undone before is recorded, and names it.
    kept = found.result not in _UNRECORDED or bool(outcome.original_transaction_id)
    recorded = not question and kept

    assert bool(outcome.transaction_id) is recorded
    assert not recorded or str(UUID(outcome.transaction_id)) == outcome.transaction_id
    # What somebody else has yet to approve has no code.
    done = approved and not question and found.state != "PENDING"
    assert bool(outcome.approval_code) is done
    assert re.fullmatch(r"[0-9A-Z]{6}|", outcome.approval_code)
    assert (found.state == "DECLINED") is not approved
    assert date.fromisoformat(outcome.business_date).year > 2000
    assert outcome.host_time.seconds > 0
    assert outcome.batch_no == 1
    assert outcome.terminal_id
    assert outcome.receipt_text.endswith(".")
    assert len({_has(outcome, field) for field in _BALANCES}) == 1
    assert len({_has(outcome, field) for field in _AMOUNTS}) == 1
    cash_out = outcome.activity_type == transaction_pb2.ACTIVITY_TYPE_CASH_OUT
    assert found.cash == (found.approved if approved and cash_out else "")
    assert not outcome.HasField("conversion") or approved
    assert not outcome.expires_on or outcome.HasField("card")
    assert not found.available or found.card
