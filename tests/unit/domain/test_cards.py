"""
A card's row: what it may hold, and how one transaction changes it.
"""

from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.cards import CardState
from gateway.domain.errors import InvariantError
from tests.support import world
from tests.support.world import card


@pytest.mark.parametrize(
    ("balance", "held", "unconfirmed"),
    [(-1, 0, 0), (10, 11, 0), (10, -1, 0), (10, 0, -1), (10, 6, 5)],
)
def test_a_card_never_holds_less_than_is_held(
    balance: int, held: int, unconfirmed: int
) -> None:
    """
    What the database's CHECK refuses the domain refuses too.
    """
    with pytest.raises(InvariantError):
        replace(
            card(100),
            balance_minor=balance,
            held_minor=held,
            unconfirmed_minor=unconfirmed,
        )


def test_a_card_may_be_held_to_the_last_unit() -> None:
    """
    Then nothing of it can be spent.
    """
    assert replace(card(11, held_minor=6), unconfirmed_minor=5).available_minor == 0


def test_a_move_below_zero_is_refused() -> None:
    """
    No decision can take out more than is there.
    """
    with pytest.raises(InvariantError):
        card(10).moved(-11, world.NOW)


def test_a_move_raises_the_version_by_one() -> None:
    """
    The balance, the version and the moment change; the rest is the card's own.
    """
    seen = card(10, expires_on=date(2027, 1, 1))

    after = seen.moved(5, world.NOW, expires_on=seen.expires_on)

    assert after == replace(
        seen, balance_minor=15, version=2, last_transaction_at=world.NOW
    )


def test_a_move_may_change_state_loads_and_last_day() -> None:
    """
    What activation and its reversal need.
    """
    seen = card(10, expires_on=date(2027, 1, 1), loaded_minor=30)

    after = seen.moved(-10, world.NOW, state=CardState.DEPLETED, loads=-1)

    assert (after.state, after.load_count, after.expires_on) == (
        CardState.DEPLETED,
        0,
        None,
    )
    assert after.loaded_minor == 20


def test_a_depleted_card_with_money_is_active() -> None:
    """
    DEPLETED says that there is nothing on it: whatever credits it makes it ACTIVE.
    """
    spent = card(0, state=CardState.DEPLETED)

    assert spent.moved(1, world.NOW).state is CardState.ACTIVE
    assert spent.moved(0, world.NOW).state is CardState.DEPLETED
    blocked = replace(spent, state=CardState.BLOCKED)
    assert blocked.moved(1, world.NOW).state is CardState.BLOCKED


def test_available_is_ledger_less_holds_and_unconfirmed_loads() -> None:
    """
    An unconfirmed load raises the ledger only.
    """
    seen = replace(card(100_00, held_minor=30_00), unconfirmed_minor=20_00)

    assert seen.available_minor == 50_00
