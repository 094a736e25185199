"""
Behaviour 25: a credit that a reversal cannot take back is an exception.
"""

import pytest

from gateway.domain.cards import CardState
from gateway.domain.errors import InvariantError
from gateway.domain.exceptions import ExceptionItem, ExceptionKind
from gateway.domain.ids import TransactionId
from gateway.domain.originals import Refunds
from gateway.domain.results import Result
from tests.support import world
from tests.support.world import (
    activate,
    amount,
    card,
    done,
    follow,
    load,
    redeem,
    refund,
    reverse,
    undo,
    void,
)


def test_25_a_load_whose_money_is_spent() -> None:
    """
    25: 21, nothing changes, and an exception over the whole load is opened.
    """
    record, after = done(load(amount(40_00)), card())
    _, spent = done(redeem(amount(130_00)), after)
    decision = undo(record, spent)

    assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert (decision.record.effective, decision.record.approval_code) == (None, None)
    assert (decision.card, decision.postings) == (None, ())
    assert decision.exception == ExceptionItem(
        transaction_id=TransactionId((1).to_bytes(16)),
        kind=ExceptionKind.LOAD_NOT_REVERSED,
        opened_by=TransactionId((100).to_bytes(16)),
        reason=Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL,
        store_id=world.STORE,
        amount_minor=40_00,
        currency="USD",
        opened_at=world.NOW,
    )


def test_activations_and_refunds_are_credits_too() -> None:
    """
    A used activation with an amount, and a refund that was spent; not one without.
    """
    pending = card(0, state=CardState.PENDING, load_count=0)
    activated, active = done(activate(amount(25_00)), pending)
    bare, empty = done(activate(), pending)
    sale, after = done(redeem(amount(30_00)), card(30_00))
    back = follow(refund(amount(30_00)), sale, after)
    used = undo(activated, active, followed=True)
    nothing = undo(bare, empty, followed=True)
    spent = follow(reverse(1, with_card=False), back.record, card(10_00))

    for decision in (used, nothing, spent):
        result = decision.record.result
        assert result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert used.exception is not None
    assert used.exception.amount_minor == 25_00
    assert spent.exception is not None
    assert spent.exception.amount_minor == 30_00
    assert nothing.exception is None


def test_other_refusals_open_none() -> None:
    """
    A sale refunded since: its till knows. What succeeds has nothing left over.

    A void is asked for by somebody who reads the answer.
    """
    sale, after = done(redeem(amount(30_00)), card())
    record, loaded = done(load(amount(40_00)), card())
    refunded = follow(
        reverse(1, with_card=False), sale, after, refunds=Refunds(10_00, 10_00)
    )
    voided = follow(void(), record, card(10_00))
    undone = undo(record, loaded)

    assert refunded.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert voided.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert undone.record.result is Result.APPROVED
    assert refunded.exception is voided.exception is undone.exception is None


def test_an_exception_is_about_a_recorded_load() -> None:
    """
    Without its id there is nothing to be about: our fault.
    """
    record, _ = done(load(amount(40_00)), card())
    with pytest.raises(InvariantError):
        undo(record._replace(transaction_id=None), card(10_00))
