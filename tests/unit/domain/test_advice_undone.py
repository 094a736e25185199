"""
What becomes of a sale that was told by Advice: reversed, voided, refunded.
"""

from typing import Any

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Advice
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.results import Result
from tests.support.late_requests import advice, late_place
from tests.support.world import (
    amount,
    card,
    follow,
    policy,
    refund,
    reverse,
    view,
    void,
)

KIOSK = policy(at=late_place(floor_limit=(50_00, "USD")))
LOST = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)


def told(command: Advice, seen: Card | None) -> Decision:
    """
    Decide an Advice at a kiosk with a floor limit of 50.00.
    """
    return decide(command, view(seen, rules=KIOSK), None)


@pytest.mark.parametrize("command", [reverse(1, with_card=False), void()])
def test_what_was_debited_is_given_back(command: Any) -> None:
    """
    Reverse or Void: what the card paid, not what was sold.
    """
    sale = told(advice(amount(20_00)), card(5_00))
    assert sale.card is not None
    decision = follow(command, sale.record, sale.card, rules=KIOSK)

    assert decision.record.effective
    assert (decision.record.approved_minor, decision.record.card_minor) == (5_00, 5_00)
    assert decision.card is not None
    assert decision.card.balance_minor == 5_00
    assert decision.exception is None


@pytest.mark.parametrize("command", [reverse(1, with_card=False), void()])
@pytest.mark.parametrize("seen", [None, card(0), LOST])
def test_what_debited_nothing_is_undone_too(command: Any, seen: Card | None) -> None:
    """
    Its exception is over; no card changes, and none is told of that was not before.
    """
    sale = told(advice(amount(20_00)), seen)
    decision = follow(command, sale.record, seen, rules=KIOSK)
    undone = decision.record

    assert (undone.result, undone.effective) == (Result.APPROVED, True)
    assert (undone.card_seq, undone.approved_minor, undone.card_minor) == (None, 0, 0)
    assert (decision.card, decision.postings) == (None, ())
    assert undone.balances_shown is sale.record.balances_shown


def test_a_refund_is_of_what_was_paid() -> None:
    """
    Up to what the card paid; of a sale it paid nothing of there is nothing to refund.
    """
    sale = told(advice(amount(20_00)), card(5_00))
    assert sale.card is not None
    back = follow(refund(amount(5_00)), sale.record, sale.card, rules=KIOSK)
    more = follow(refund(amount(5_01)), sale.record, sale.card, rules=KIOSK)
    lost = told(advice(amount(20_00)), LOST)
    none = follow(refund(amount(1)), lost.record, LOST)

    assert back.record.result is Result.APPROVED
    assert more.record.result is Result.INVALID_AMOUNT
    assert none.record.result is Result.CANNOT_BE_REVERSED
    assert not none.record.balances_shown
