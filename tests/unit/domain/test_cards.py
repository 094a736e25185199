"""
A card's row: what it may hold, and how one transaction changes it.
"""

from datetime import date

import pytest

from gateway.domain.cards import Card, CardState
from gateway.domain.errors import InvariantError
from tests.support import world
from tests.support.world import card


@pytest.mark.parametrize(("balance", "held"), [(-1, 0), (10, 11), (10, -1)])
def test_a_card_never_holds_less_than_is_held(balance: int, held: int) -> None:
    """
    What the database's CHECK refuses the domain refuses too.
    """
    with pytest.raises(InvariantError):
        card(balance, held_minor=held)


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

    assert after == _with(seen, balance_minor=15, version=2)


def test_a_move_may_change_state_loads_and_last_day() -> None:
    """
    What activation and its reversal need.
    """
    seen = card(10, expires_on=date(2027, 1, 1))

    after = seen.moved(0, world.NOW, state=CardState.DEPLETED, loads=-1)

    assert (after.state, after.load_count, after.expires_on) == (
        CardState.DEPLETED,
        0,
        None,
    )


def test_available_is_ledger_less_holds_and_unconfirmed_loads() -> None:
    """
    An unconfirmed load raises the ledger only.
    """
    seen = _with(card(100_00, held_minor=30_00), unconfirmed_minor=20_00, at=False)

    assert seen.available_minor == 50_00


def _with(
    seen: Card,
    *,
    balance_minor: int | None = None,
    version: int | None = None,
    unconfirmed_minor: int = 0,
    at: bool = True,
) -> Card:
    return Card(
        card_id=seen.card_id,
        program_id=seen.program_id,
        product_id=seen.product_id,
        number_index=seen.number_index,
        last_four=seen.last_four,
        state=seen.state,
        block_reason=seen.block_reason,
        currency=seen.currency,
        balance_minor=seen.balance_minor if balance_minor is None else balance_minor,
        held_minor=seen.held_minor,
        unconfirmed_minor=unconfirmed_minor,
        load_count=seen.load_count,
        expires_on=seen.expires_on,
        version=seen.version if version is None else version,
        last_transaction_at=world.NOW if at else None,
    )
