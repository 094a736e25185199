"""
A product that permits no balance tells none.
"""

from datetime import date

import pytest

from gateway.domain.balance import read_balance
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import NO_CONTEXT, CardRef, GetBalance
from gateway.domain.ids import ProductId
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import card, policy, product, view

QUIET = ProductId(10)


def look(seen: Card) -> TransactionRecord:
    """
    Ask for the balance of a card whose product permits sales alone.
    """
    rules = policy(
        products=[product(QUIET, permitted=frozenset({ActivityType.REDEEM}))]
    )
    question = GetBalance(
        request_id=None,
        terminal_id=world.TERMINAL,
        card=CardRef(world.NUMBER_INDEX, "1234"),
        till=NO_CONTEXT,
    )
    return read_balance(question, view(seen, rules=rules))


@pytest.mark.parametrize(
    "seen",
    [
        card(product_id=QUIET),
        card(
            product_id=QUIET, state=CardState.BLOCKED, block_reason=BlockReason.STOLEN
        ),
        card(product_id=QUIET, expires_on=date(2020, 1, 1)),
    ],
)
def test_a_balance_that_the_product_does_not_permit(seen: Card) -> None:
    """
    57 (check 7), before the card's state (8) and its last day (9), and no balance.
    """
    record = look(seen)

    assert record.result is Result.NOT_PERMITTED
    assert not record.balances_shown
    assert (record.balance_after_minor, record.card_id) == (None, None)
