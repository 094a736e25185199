"""
Activate decides as domain 1.2, 1.3 and the behaviours of domain 2 say.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount
from gateway.domain.decide import decide
from gateway.domain.ids import ProductId
from gateway.domain.policy import PartyState, Policy
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import activate, amount, card, done, policy, product, view

OTHER = ProductId(9)


def pending(**changes: Any) -> Card:
    """
    Make a card that waits for its activation.
    """
    return card(0, **({"state": CardState.PENDING, "load_count": 0} | changes))


def result_of(asked: Amount | None, seen: Card, rules: Policy | None = None) -> Result:
    """
    Give what an activation is answered, and hold a refusal to move nothing.
    """
    decision = decide(activate(asked), view(seen, rules=rules), None)
    if decision.record.result is not Result.APPROVED:
        assert decision.card is None
        assert not decision.postings
    return decision.record.result


def test_3_activate_with_a_first_amount() -> None:
    """
    Activate a PENDING card with 25.00: 00, available 25.00, ACTIVE, one load.
    """
    decision = decide(activate(amount(25_00)), view(pending()), None)
    record, after = decision.record, decision.card

    assert after is not None
    assert record.result is Result.APPROVED
    assert (after.state, after.balance_minor, after.load_count) == (
        CardState.ACTIVE,
        25_00,
        1,
    )
    assert (record.card_state, record.available_before_minor) == (CardState.ACTIVE, 0)
    assert record.approval_code is not None
    assert record.balances_shown
    assert world.balanced(decision.postings)
    assert sorted(p.amount_minor for p in decision.postings) == [-25_00, 25_00]


def test_4_an_active_card_is_not_activated_again() -> None:
    """
    Activate it again with a new id: 12, balance 25.00 and untold.
    """
    _, active = done(activate(amount(25_00)), pending())
    record = decide(activate(amount(25_00), number=2), view(active), None).record

    assert record.result is Result.CARD_ALREADY_ACTIVATED
    assert record.balance_after_minor == 25_00
    assert not record.balances_shown


def test_activate_without_an_amount_moves_no_money() -> None:
    """
    No amount: ACTIVE at 0.00, no posting, no load counted, no amount on the record.
    """
    decision = decide(activate(), view(pending()), None)
    record, after = decision.record, decision.card

    assert after is not None
    assert (after.state, after.balance_minor, after.load_count, after.version) == (
        CardState.ACTIVE,
        0,
        0,
        2,
    )
    assert not decision.postings
    assert (record.requested_minor, record.transaction_currency) == (None, None)
    assert (record.approved_minor, record.card_seq) == (0, 2)


def test_a_one_time_card_activated_without_amount_takes_its_load() -> None:
    """
    Single-use is one load: an activation without money is none.
    """
    _, active = done(activate(), pending(product_id=world.ONE_TIME))
    _, loaded = done(world.load(amount(5_00), number=2), active)

    assert (loaded.balance_minor, loaded.load_count) == (5_00, 1)


def test_a_fixed_product_loads_its_amount_when_none_is_asked() -> None:
    """
    The product's amount stands on the record as if it had been asked for.
    """
    record, after = done(activate(), pending(product_id=world.FIXED))

    assert (after.balance_minor, after.load_count) == (50_00, 1)
    assert (record.requested_minor, record.requested_exponent) == (50_00, 2)
    assert (record.transaction_currency, record.approved_minor) == ("USD", 50_00)


def test_a_fixed_product_refuses_another_amount() -> None:
    """
    Asked for another amount: 13; for its own: approved.
    """
    fixed = pending(product_id=world.FIXED)

    assert result_of(amount(49_99), fixed) is Result.INVALID_AMOUNT
    assert result_of(amount(50_01), fixed) is Result.INVALID_AMOUNT
    assert result_of(amount(50_00), fixed) is Result.APPROVED


def test_a_fixed_amount_is_a_sale_in_the_cards_currency() -> None:
    """
    A store that does not take the card's currency cannot sell it unasked (57).
    """
    rules = policy(at=world.place(currencies=["LBP"]))
    record = decide(
        activate(), view(pending(product_id=world.FIXED), rules=rules), None
    ).record

    assert record.result is Result.CURRENCY_NOT_SUPPORTED
    assert record.requested_minor == 50_00
    assert record.balances_shown


def test_another_currency_converts() -> None:
    """
    Activate with KWD 10.000: the card holds 32.52 by the table's version.
    """
    record, after = done(activate(amount(10_000, "KWD")), pending())

    assert after.balance_minor == 32_52
    assert (record.rate_table_version, record.approved_minor) == (1, 10_000)


@pytest.mark.parametrize(
    ("now", "last_day"),
    [
        (datetime(2026, 11, 21, 19, 59, tzinfo=UTC), date(2026, 12, 21)),
        (datetime(2026, 11, 21, 20, 0, tzinfo=UTC), date(2026, 12, 22)),
    ],
)
def test_validity_counts_from_the_day_in_the_programmes_zone(
    now: datetime, last_day: date
) -> None:
    """
    Thirty days from activation, whose day ends at midnight in Dubai (20:00 UTC).
    """
    rules = policy(products=[product(OTHER, validity_days=30)])

    record, after = done(activate(), pending(product_id=OTHER), rules=rules, now=now)

    assert after.expires_on == record.expires_on == last_day


def test_without_validity_the_card_keeps_its_own_last_day() -> None:
    """
    A printed last day outlives the activation.
    """
    _, after = done(activate(), pending(expires_on=date(2026, 12, 31)))

    assert after.expires_on == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("state", "reason", "result"),
    [
        (CardState.CREATED, None, Result.CARD_NOT_ACTIVE),
        (CardState.ACTIVE, None, Result.CARD_ALREADY_ACTIVATED),
        (CardState.DEPLETED, None, Result.CARD_ALREADY_ACTIVATED),
        (CardState.BLOCKED, BlockReason.LOST, Result.LOST_CARD),
        (CardState.BLOCKED, BlockReason.STOLEN, Result.STOLEN_CARD),
        (CardState.BLOCKED, BlockReason.CUSTOMER, Result.RESTRICTED_CARD),
        (CardState.DEACTIVATED, None, Result.CARD_CLOSED),
        (CardState.REPLACED, None, Result.CARD_CLOSED),
    ],
)
def test_states_that_are_not_activated(
    state: CardState, reason: BlockReason | None, result: Result
) -> None:
    """
    Only a card that waits for it is activated; the others say why not.
    """
    assert result_of(None, pending(state=state, block_reason=reason)) is result


def test_order_of_checks() -> None:
    """
    An activation with every fault gets them in order as each is mended.
    """
    limited = product(OTHER, max_load_minor=200_00, max_balance_minor=100_00)
    sealed = product(ProductId(10), permitted=frozenset({ActivityType.LOAD}))
    rules = policy(products=[limited, sealed])
    closed = policy(at=world.place(terminal=PartyState.CLOSED))
    elsewhere = policy(accepted=False)
    old = date(2020, 1, 1)
    sold = {"product_id": ProductId(10), "state": CardState.ACTIVE, "expires_on": old}
    mine = {"product_id": OTHER}
    got = [
        result_of(asked, seen, under)
        for asked, seen, under in [
            (amount(0), pending(**sold), closed),
            (amount(0), pending(**sold), elsewhere),
            (amount(1, "GBP"), pending(**sold), elsewhere),
            (amount(1, "GBP"), pending(**sold), rules),
            (amount(1, "GBP"), pending(state=CardState.ACTIVE, expires_on=old), rules),
            (amount(1, "GBP"), pending(expires_on=old), rules),
            (amount(1, "GBP"), pending(), rules),
            (amount(1, "LBP"), pending(**mine), rules),
            (amount(200_01), pending(**mine), rules),
            (amount(100_01), pending(**mine), rules),
            (amount(100_00), pending(**mine), rules),
        ]
    ]

    assert got == [
        Result.INVALID_TERMINAL,
        Result.INVALID_AMOUNT,
        Result.INVALID_CARD,
        Result.NOT_PERMITTED,
        Result.CARD_ALREADY_ACTIVATED,
        Result.EXPIRED_CARD,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.INVALID_AMOUNT,
        Result.LIMIT_EXCEEDED,
        Result.LIMIT_EXCEEDED,
        Result.APPROVED,
    ]
