"""
Load decides as domain 1.2, 1.5 and the behaviours of domain 2 say.
"""

from datetime import date
from decimal import Decimal

import pytest

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount
from gateway.domain.decide import decide
from gateway.domain.ids import ProductId
from gateway.domain.policy import PartyState, Policy
from gateway.domain.record import Account
from gateway.domain.results import ActivityType, LoadType, Result
from tests.support import world
from tests.support.world import amount, card, done, load, policy, product, view

LIMITED = ProductId(9)
SEALED = ProductId(10)


def limited() -> Policy:
    """
    Give rules with a product of every limit, and one that takes no load.
    """
    return policy(
        products=[
            product(LIMITED, max_load_minor=200_00, max_balance_minor=250_00),
            product(SEALED, permitted=frozenset({ActivityType.REDEEM})),
        ]
    )


def result_of(asked: Amount, seen: Card | None, rules: Policy | None = None) -> Result:
    """
    Give what a load is answered, and hold a refusal to move nothing.
    """
    decision = decide(load(asked), view(seen, rules=rules), None)
    if decision.record.result is not Result.APPROVED:
        assert decision.card is None
        assert not decision.postings
        assert (decision.record.approved_minor, decision.record.card_minor) == (0, 0)
        assert decision.record.approval_code is None
        assert decision.record.card_seq is None
    return decision.record.result


def test_5_load_adds_value() -> None:
    """
    Load 40.00: 00; previous 100.00, available 140.00; receivable to liability.
    """
    decision = decide(load(amount(40_00)), view(card()), None)
    record, after = decision.record, decision.card

    assert after is not None
    assert record.result is Result.APPROVED
    assert (record.available_before_minor, record.available_after_minor) == (
        100_00,
        140_00,
    )
    assert (record.card_seq, after.version, after.load_count) == (2, 2, 2)
    assert after.last_transaction_at == world.NOW
    assert record.reason == LoadType.SALE
    assert record.approval_code is not None
    assert record.balances_shown
    assert [(p.account, p.owner_id, p.amount_minor) for p in decision.postings] == [
        (Account.CARD_LIABILITY, world.PROGRAM, -40_00),
        (Account.MERCHANT_RECEIVABLE, world.MERCHANT, 40_00),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        amount(0),
        amount(-5_00),
        Amount(10_005, "USD", 3),
        Amount(15, "JPY", 1),
        Amount(MAX_MINOR_UNITS + 1, "USD", 2),
    ],
)
def test_6_amounts_that_are_none(asked: Amount) -> None:
    """
    Load 0, -5.00, 10.005 USD, 1.5 JPY: 13, and the balance is not told.
    """
    record = decide(load(asked), view(card()), None).record

    assert result_of(asked, card()) is Result.INVALID_AMOUNT
    assert not record.balances_shown
    assert record.requested_minor == asked.minor_units
    assert record.requested_exponent == asked.exponent


def test_7_a_one_time_card_takes_one_load() -> None:
    """
    The first load of a one-time card is approved, a second gets 57.
    """
    empty = card(0, product_id=world.ONE_TIME, load_count=0)

    _, loaded = done(load(amount(40_00)), empty)

    assert result_of(amount(1_00), loaded) is Result.CARD_NOT_RELOADABLE


def test_2_a_pending_card_takes_no_load() -> None:
    """
    Load on a PENDING card: 78, balance unchanged and untold.
    """
    pending = card(0, state=CardState.PENDING, load_count=0)
    record = decide(load(amount(1_00)), view(pending), None).record

    assert record.result is Result.CARD_NOT_ACTIVE
    assert not record.balances_shown


def test_another_currency_converts_by_the_same_rule() -> None:
    """
    Load KWD 10.000 gives 32.52, JPY 100 gives 0.67; both currencies balance.
    """
    for minor, code, gained in [(10_000, "KWD", 32_52), (100, "JPY", 67)]:
        decision = decide(load(amount(minor, code)), view(card()), None)

        assert decision.record.card_minor == gained
        assert decision.record.approved_minor == minor
        assert world.balanced(decision.postings)
        assert [(p.account, p.currency) for p in decision.postings] == [
            (Account.CARD_LIABILITY, "USD"),
            (Account.FX_CLEARING, "USD"),
            (Account.FX_CLEARING, code),
            (Account.MERCHANT_RECEIVABLE, code),
        ]


def test_46_less_than_one_minor_unit_is_never_raised_to_one() -> None:
    """
    Load LBP 100.00 converts to 0.00: 13, not a free cent.
    """
    assert result_of(amount(100_00, "LBP"), card()) is Result.INVALID_AMOUNT


def test_a_load_is_never_rounded_up_to_its_first_minor_unit() -> None:
    """
    Load JPY 1 is 0.665 cents: 13. A sale of it takes a cent; JPY 2 loads one, rounded.
    """
    got = [result_of(amount(minor, "JPY"), card()) for minor in (1, 2)]

    assert got == [Result.INVALID_AMOUNT, Result.APPROVED]


def test_exactly_one_minor_unit_is_one() -> None:
    """
    Load EUR 0.01 where a euro is a dollar: nothing is rounded, one cent is loaded.
    """
    par = policy(rates=[world.rate("EUR", "1")])
    record, after = done(load(amount(1, "EUR")), card(), rules=par)

    assert (record.card_minor, record.rounding) == (1, Decimal(0))
    assert after.balance_minor == 100_01


def test_a_load_keeps_the_cards_last_day() -> None:
    """
    Validity counts from activation: a load does not touch it.
    """
    last_day = date(2027, 1, 1)

    _, after = done(load(amount(1_00)), card(expires_on=last_day))

    assert after.expires_on == last_day


@pytest.mark.parametrize(
    ("asked", "balance", "result"),
    [
        (amount(200_00), 50_00, Result.APPROVED),
        (amount(200_01), 0, Result.LIMIT_EXCEEDED),
        (amount(200_00), 50_01, Result.LIMIT_EXCEEDED),
        (amount(61_502, "KWD"), 0, Result.APPROVED),
        (amount(61_503, "KWD"), 0, Result.LIMIT_EXCEEDED),
    ],
)
def test_limits_hold_in_the_cards_currency(
    asked: Amount, balance: int, result: Result
) -> None:
    """
    What is loaded and what it comes to are limited after conversion (61).
    """
    seen = card(balance, product_id=LIMITED)

    assert result_of(asked, seen, limited()) is result


def test_a_balance_beyond_all_bounds_is_no_amount() -> None:
    """
    A balance above 10^15 is 13, one of 10^15 is not.
    """
    full = card(MAX_MINOR_UNITS - 5)

    assert result_of(amount(5), full) is Result.APPROVED
    assert result_of(amount(6), full) is Result.INVALID_AMOUNT


def test_the_first_load_of_a_fixed_product_is_its_amount() -> None:
    """
    A card of a fixed amount that was activated without it takes that, and no other.
    """
    empty = card(0, product_id=world.FIXED, load_count=0)

    assert result_of(amount(49_99), empty) is Result.INVALID_AMOUNT
    assert result_of(amount(50_00), empty) is Result.APPROVED


def test_a_loaded_card_of_a_fixed_reloadable_product_takes_any_amount() -> None:
    """
    The fixed amount is the first one's, reloads are free.
    """
    rules = policy(products=[product(LIMITED, fixed_amount_minor=50_00)])

    assert result_of(amount(1), card(product_id=LIMITED), rules) is Result.APPROVED


def test_order_of_checks() -> None:
    """
    A load with every fault gets them in order as each is mended.
    """
    used = card(state=CardState.PENDING, product_id=world.ONE_TIME, load_count=1)
    old = date(2020, 1, 1)
    got = [
        result_of(asked, seen, rules)
        for asked, seen, rules in [
            (
                amount(0),
                None,
                policy(at=world.place(terminal=PartyState.CLOSED, store=SHUT)),
            ),
            (amount(0), None, policy(at=world.place(store=SHUT))),
            (amount(0), None, policy(at=world.place(merchant=SHUT))),
            (amount(0), None, policy()),
            (amount(1, "GBP"), None, policy()),
            (amount(1, "GBP"), card(product_id=SEALED, load_count=1), limited()),
            (amount(1, "GBP"), used, policy()),
            (amount(1, "GBP"), card(state=CardState.PENDING), policy()),
            (amount(1, "GBP"), card(expires_on=old), policy()),
            (amount(1, "GBP"), card(), policy()),
            (amount(1, "LBP"), card(product_id=LIMITED), limited()),
            (amount(200_01), card(product_id=LIMITED), limited()),
            (amount(1), card(product_id=LIMITED), limited()),
        ]
    ]

    assert got == [
        Result.INVALID_TERMINAL,
        Result.INVALID_MERCHANT,
        Result.INVALID_MERCHANT,
        Result.INVALID_AMOUNT,
        Result.INVALID_CARD,
        Result.NOT_PERMITTED,
        Result.CARD_NOT_RELOADABLE,
        Result.CARD_NOT_ACTIVE,
        Result.EXPIRED_CARD,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.INVALID_AMOUNT,
        Result.LIMIT_EXCEEDED,
        Result.APPROVED,
    ]


def test_a_depleted_card_lives_by_its_load() -> None:
    """
    Emptied of what staff put on it, before the one load that it takes: ACTIVE again.
    """
    spent = card(0, state=CardState.DEPLETED, product_id=world.ONE_TIME, load_count=0)
    record, after = done(load(amount(50_00)), spent)

    assert (after.state, after.balance_minor) == (CardState.ACTIVE, 50_00)
    assert record.card_state is CardState.ACTIVE


@pytest.mark.parametrize(
    ("reason", "result"),
    [
        (BlockReason.LOST, Result.LOST_CARD),
        (BlockReason.STOLEN, Result.STOLEN_CARD),
        (BlockReason.FRAUD, Result.RESTRICTED_CARD),
        (BlockReason.CUSTOMER, Result.RESTRICTED_CARD),
        (None, Result.RESTRICTED_CARD),
    ],
)
def test_a_blocked_card_takes_no_load(
    reason: BlockReason | None, result: Result
) -> None:
    """
    Lost 41, stolen 43, otherwise 62, also where the reason is not known.
    """
    blocked = card(state=CardState.BLOCKED, block_reason=reason)

    assert result_of(amount(1_00), blocked) is result


def test_a_refusal_after_the_card_was_checked_tells_its_balance() -> None:
    """
    Checks 12 to 14 come after 1 to 11: the till may know what the card holds.
    """
    record = decide(load(amount(1, "LBP")), view(card()), None).record

    assert record.balances_shown
    assert (record.available_before_minor, record.available_after_minor) == (
        100_00,
        100_00,
    )


SHUT = PartyState.SUSPENDED
