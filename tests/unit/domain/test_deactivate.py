"""
Deactivate decides as domain 1.3 and docs/adr/0017 say: nobody's money may vanish.
"""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.cards import Card, CardState
from gateway.domain.policy import PartyState
from gateway.domain.results import ActivityType, Channel, Result
from tests.support import world
from tests.support.lives import (
    BARRED,
    BARRED_VERSION,
    deactivate,
    decided,
    lost,
    product,
    restricted,
    rules,
)


@pytest.mark.parametrize(
    "card",
    [
        world.card(0),
        world.card(0, state=CardState.DEPLETED),
        lost(0),
    ],
)
def test_an_empty_card_is_closed(card: Card) -> None:
    """
    00: DEACTIVATED for ever; the row says why it was blocked, if it was.
    """
    decision = decided(deactivate(), card)
    record, after = decision.record, decision.card

    assert after is not None
    assert (after.state, after.block_reason) == (
        CardState.DEACTIVATED,
        card.block_reason,
    )
    assert (record.activity, record.reason) == (
        ActivityType.DEACTIVATE,
        card.block_reason,
    )
    assert (record.card_seq, record.approved_minor) == (2, 0)
    assert not decision.postings


@pytest.mark.parametrize(
    ("card", "channel", "shown"),
    [
        (world.card(1), Channel.API, True),
        (world.card(5_00, held_minor=5_00), Channel.API, True),
        (replace(world.card(5_00), unconfirmed_minor=5_00), Channel.API, True),
        (lost(1), Channel.API, False),
        (lost(1), Channel.IVR, True),
    ],
)
def test_money_keeps_a_card_open(card: Card, channel: Channel, shown: bool) -> None:
    """
    57 while anything is on it. What a blocked card holds is told to staff alone.
    """
    decision = decided(deactivate(channel=channel), card)

    assert decision.record.result is Result.NOT_PERMITTED
    assert decision.record.balances_shown is shown
    assert decision.card is None


@pytest.mark.parametrize(
    ("card", "changes", "result"),
    [
        (None, {"at": world.place(store=PartyState.CLOSED)}, Result.INVALID_MERCHANT),
        (None, {}, Result.INVALID_CARD),
        (world.card(0), {"accepted": False}, Result.INVALID_CARD),
        (world.card(0, state=CardState.PENDING), {}, Result.CARD_NOT_ACTIVE),
        (world.card(0, state=CardState.DEACTIVATED), {}, Result.CARD_CLOSED),
        (world.card(0, expires_on=world.LONG_AGO.date()), {}, Result.EXPIRED_CARD),
    ],
)
def test_what_refuses_it(
    card: Card | None, changes: dict[str, Any], result: Result
) -> None:
    """
    The checks in their order; nothing changes.
    """
    decision = decided(deactivate(), card, policy=rules(**changes))

    assert decision.record.result is result
    assert decision.card is None


def test_a_product_may_not_permit_it() -> None:
    """
    57 before the balance is looked at, which is not told then.
    """
    policy = rules(product(world.RELOADABLE, permitted=frozenset()))
    record = decided(deactivate(), world.card(), policy=policy).record

    assert (record.result, record.balances_shown) == (Result.NOT_PERMITTED, False)


def test_a_restriction_bars_it_too() -> None:
    """
    62 at a store where the card is not valid, saying why.
    """
    card = replace(world.card(0), restriction_set_id=BARRED)
    record = decided(deactivate(), card, policy=restricted(rules())).record

    assert record.result is Result.RESTRICTED_CARD
    assert record.restriction_version_id == BARRED_VERSION
