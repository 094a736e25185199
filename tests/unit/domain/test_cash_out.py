"""
CashOut decides as domain 1.2, behaviour 40 and docs/adr/0013 say.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.cash_out_rules import CashOutRule, RuledCards, RuleKind
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.policy import PartyState, Policy
from gateway.domain.record import Account, TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import (
    amount,
    card,
    cash_out,
    done,
    follow,
    refund,
    undo,
    view,
    void,
)

SOME = frozenset({ActivityType.ACTIVATE, ActivityType.LOAD, ActivityType.REDEEM})
CALIFORNIA = tuple(
    CashOutRule(
        jurisdiction="US-CA",
        effective_from=day,
        cards=RuledCards.ANY,
        kind=RuleKind.BELOW,
        limit_minor=limit,
        currency="USD",
    )
    for day, limit in ((date(2016, 1, 1), 10_00), (date(2026, 4, 1), 15_00))
)
MASSACHUSETTS = (
    CashOutRule(
        jurisdiction="US-MA",
        effective_from=date(2003, 4, 1),
        cards=RuledCards.SINGLE_LOAD,
        kind=RuleKind.USED,
        used_percent=90,
    ),
)


def limited(limit: int | None = 10_00, **changes: Any) -> Policy:
    """
    Give rules in which the products pay out up to a limit of their own.
    """
    products = [
        world.product(world.RELOADABLE, cash_out_limit_minor=limit, **changes),
        world.product(world.EURO, "EUR", cash_out_limit_minor=limit),
        world.product(world.ONE_TIME, reloadable=False, cash_out_limit_minor=limit),
    ]
    return world.policy(products=products)


def lawful(
    rules: Iterable[CashOutRule] = CALIFORNIA,
    *,
    jurisdiction: str | None = "US-CA",
    time_zone: str = "America/Los_Angeles",
    **place: Any,
) -> Policy:
    """
    Give rules in which the law of the store alone decides.
    """
    here = world.place(
        country="US", jurisdiction=jurisdiction, time_zone=time_zone, **place
    )
    return world.policy(at=here, cash_out_rules=rules)


def asked(
    seen: Card | None, rules: Policy | None = None, now: datetime = world.NOW
) -> Decision:
    """
    Decide a CashOut.
    """
    return decide(cash_out(), view(seen, rules=rules or limited(), now=now), None)


def declined(
    seen: Card | None, rules: Policy | None = None, now: datetime = world.NOW
) -> TransactionRecord:
    """
    Decide a CashOut that is expected to be declined, and to move nothing.
    """
    decision = asked(seen, rules, now)
    assert (decision.card, decision.postings) == (None, ())
    assert decision.record.approved_minor == decision.record.card_minor == 0
    assert decision.record.transaction_currency is None
    return decision.record


def test_40_a_small_rest_is_paid_out() -> None:
    """
    Balance 8.00, threshold 10.00: 00, all of it, liability to payable.
    """
    decision = asked(card(8_00))
    record, after = decision.record, decision.card

    assert after is not None
    assert (record.result, record.activity) == (Result.APPROVED, ActivityType.CASH_OUT)
    assert (record.requested_minor, record.requested_exponent) == (8_00, 2)
    assert (record.approved_minor, record.transaction_currency) == (8_00, "USD")
    assert (record.card_minor, record.rate_table_version) == (8_00, None)
    assert (record.available_before_minor, record.available_after_minor) == (8_00, 0)
    assert (after.balance_minor, after.state) == (0, CardState.ACTIVE)
    assert (after.version, record.card_seq) == (2, 2)
    assert [(p.account, p.currency, p.amount_minor) for p in decision.postings] == [
        (Account.CARD_LIABILITY, "USD", 8_00),
        (Account.MERCHANT_PAYABLE, "USD", -8_00),
    ]
    assert record.approval_code == "ABC234"
    assert record.balances_shown


def test_40_more_than_a_small_rest_is_not() -> None:
    """
    Balance 12.00, threshold 10.00: 57, and the balance is told.
    """
    record = declined(card(12_00))

    assert record.result is Result.NOT_PERMITTED
    assert (record.available_after_minor, record.balances_shown) == (12_00, True)


@pytest.mark.parametrize(("balance", "paid"), [(10_00, True), (10_01, False)])
def test_a_products_own_limit_is_included(balance: int, *, paid: bool) -> None:
    """
    Up to the limit, and no further.
    """
    assert paid == bool(asked(card(balance)).postings)


def test_without_limit_and_law_nothing_is_paid_out() -> None:
    """
    A cent is not, where neither the product nor the store's law allows it.
    """
    assert declined(card(1), limited(None)).result is Result.NOT_PERMITTED


@pytest.mark.parametrize(
    ("now", "balance", "paid"),
    [
        (datetime(2026, 4, 1, 6, 59, tzinfo=UTC), 9_99, True),
        (datetime(2026, 4, 1, 6, 59, tzinfo=UTC), 10_00, False),
        (datetime(2026, 4, 1, 7, 0, tzinfo=UTC), 14_99, True),
        (datetime(2026, 4, 1, 7, 0, tzinfo=UTC), 15_00, False),
    ],
)
def test_a_law_begins_at_midnight_of_its_place(
    now: datetime, balance: int, *, paid: bool
) -> None:
    """
    1 April in Los Angeles begins at 07:00 UTC.
    """
    assert paid == bool(asked(card(balance), lawful(), now).postings)


@pytest.mark.parametrize("jurisdiction", [None, "US-NV"])
def test_the_law_is_that_of_the_store(jurisdiction: str | None) -> None:
    """
    Elsewhere in the country California's rule pays nothing out.
    """
    record = declined(card(1), lawful(jurisdiction=jurisdiction))

    assert record.result is Result.NOT_PERMITTED


def test_a_countrys_law_holds_without_a_jurisdiction() -> None:
    """
    A store that names none is under its country's.
    """
    rules = lawful([replace(CALIFORNIA[0], jurisdiction="US")], jurisdiction=None)

    assert asked(card(9_99), rules).record.result is Result.APPROVED


@pytest.mark.parametrize(
    ("product", "balance", "result"),
    [
        (world.ONE_TIME, 5_00, Result.APPROVED),
        (world.ONE_TIME, 5_01, Result.NOT_PERMITTED),
        (world.RELOADABLE, 5_00, Result.NOT_PERMITTED),
    ],
)
def test_a_law_by_use_looks_at_the_one_load(
    product: Any, balance: int, result: Result
) -> None:
    """
    Massachusetts: paid out when 90 % of the load is used, for cards of one load.
    """
    rules = lawful(MASSACHUSETTS, jurisdiction="US-MA", time_zone="America/New_York")
    seen = card(balance, product_id=product, loaded_minor=50_00)

    assert asked(seen, rules).record.result is result


def test_a_card_of_one_load_is_depleted_and_comes_back() -> None:
    """
    DEPLETED at zero; the reversal credits what was debited and makes it ACTIVE again.
    """
    seen = card(8_00, product_id=world.ONE_TIME, loaded_minor=50_00)

    record, after = done(cash_out(), seen, rules=limited())
    undone = undo(record, after, rules=limited())

    assert (after.state, after.loaded_minor) == (CardState.DEPLETED, 50_00)
    assert undone.card is not None
    assert (undone.record.result, undone.record.effective) == (Result.APPROVED, True)
    assert (undone.card.balance_minor, undone.card.state) == (8_00, CardState.ACTIVE)
    assert (undone.card.load_count, undone.card.loaded_minor) == (1, 50_00)
    assert [(p.account, p.amount_minor) for p in undone.postings] == [
        (Account.CARD_LIABILITY, -8_00),
        (Account.MERCHANT_PAYABLE, 8_00),
    ]


def test_56_a_cash_out_is_voided_whole() -> None:
    """
    A void on its day does what a reversal does: the money and the state come back.
    """
    seen = card(8_00, product_id=world.ONE_TIME, loaded_minor=50_00)
    record, after = done(cash_out(), seen, rules=limited())

    voided = follow(void(), record, after, rules=limited())
    late = follow(
        void(), record, after, rules=limited(), now=world.NOW + timedelta(days=1)
    )

    assert voided.card is not None
    assert (voided.record.activity, voided.record.effective) == (
        ActivityType.VOID,
        True,
    )
    assert (voided.card.balance_minor, voided.card.state) == (8_00, CardState.ACTIVE)
    assert (voided.card.load_count, voided.card.loaded_minor) == (1, 50_00)
    assert [(p.account, p.amount_minor) for p in voided.postings] == [
        (Account.CARD_LIABILITY, -8_00),
        (Account.MERCHANT_PAYABLE, 8_00),
    ]
    assert (late.record.result, late.card) == (Result.CANNOT_BE_REVERSED, None)


def test_a_cash_out_is_not_refunded() -> None:
    """
    A refund is of a sale: 21, and nothing moves.
    """
    record, after = done(cash_out(), card(8_00), rules=limited())

    decision = follow(refund(amount(8_00)), record, after, rules=limited())

    assert decision.record.result is Result.CANNOT_BE_REVERSED
    assert (decision.card, decision.postings) == (None, ())


@pytest.mark.parametrize("state", [CardState.ACTIVE, CardState.DEPLETED])
@pytest.mark.parametrize("rules", [limited(), limited(None)])
def test_an_empty_card_has_nothing_to_pay(state: CardState, rules: Policy) -> None:
    """
    51, wherever it is asked.
    """
    record = declined(card(0, state=state), rules)

    assert (record.result, record.balances_shown) == (Result.INSUFFICIENT_FUNDS, True)


@pytest.mark.parametrize("held", [1, 8_00])
def test_while_money_is_held_nothing_is_paid_out(held: int) -> None:
    """
    57: the hold may still be captured or released, so the rest is not known.
    """
    record = declined(card(8_00, held_minor=held))

    assert (record.result, record.held_after_minor) == (Result.NOT_PERMITTED, held)


@pytest.mark.parametrize(
    ("balance", "unconfirmed", "result"),
    [
        (8_00, 1_00, Result.APPROVED),
        (48_00, 40_00, Result.NOT_PERMITTED),
        (8_00, 8_00, Result.INSUFFICIENT_FUNDS),
    ],
)
def test_a_load_that_waits_counts_and_is_not_paid(
    balance: int, unconfirmed: int, result: Result
) -> None:
    """
    The threshold looks at the whole balance; only what is available is paid.
    """
    seen = replace(
        card(balance, product_id=world.ONE_TIME), unconfirmed_minor=unconfirmed
    )

    decision = asked(seen)

    assert decision.record.result is result
    if decision.card is not None:
        assert decision.record.approved_minor == balance - unconfirmed
        assert decision.card.balance_minor == unconfirmed
        assert decision.card.state is CardState.ACTIVE


def test_cash_is_in_the_cards_currency() -> None:
    """
    The store must take it; it is paid as it stands, without a rate.
    """
    seen = card(8_00, currency="EUR", product_id=world.EURO)

    record = asked(seen).record

    assert (record.transaction_currency, record.approved_minor) == ("EUR", 8_00)
    assert record.rate_transaction is None


def test_a_currency_that_the_store_does_not_take() -> None:
    """
    57, before the balance is looked at.
    """
    rules = lawful(currencies=("EUR",))

    for balance in (0, 8_00, 50_00):
        record = declined(card(balance), rules)
        assert record.result is Result.CURRENCY_NOT_SUPPORTED
        assert record.balances_shown


@pytest.mark.parametrize(
    ("seen", "rules", "result"),
    [
        (card(8_00), lawful(terminal=PartyState.SUSPENDED), Result.INVALID_TERMINAL),
        (card(8_00), lawful(store=PartyState.CLOSED), Result.INVALID_MERCHANT),
        (None, limited(), Result.INVALID_CARD),
        (card(8_00), world.policy(accepted=False), Result.INVALID_CARD),
        (card(8_00), limited(permitted=SOME), Result.NOT_PERMITTED),
        (card(0, state=CardState.PENDING), limited(), Result.CARD_NOT_ACTIVE),
        (card(8_00, state=CardState.DEACTIVATED), limited(), Result.CARD_CLOSED),
        (
            card(8_00, state=CardState.BLOCKED, block_reason=BlockReason.LOST),
            limited(),
            Result.LOST_CARD,
        ),
        (
            card(8_00, expires_on=world.NOW.date() - timedelta(days=1)),
            limited(),
            Result.EXPIRED_CARD,
        ),
    ],
)
def test_earlier_checks_tell_no_balance(
    seen: Card | None, rules: Policy, result: Result
) -> None:
    """
    Checks 4 to 9 come first, in their order.
    """
    record = declined(seen, rules)

    assert (record.result, record.balances_shown) == (result, False)


def test_the_order_of_two_faults() -> None:
    """
    What the product forbids goes before the card's state, the state before the rest.
    """
    lost = card(0, state=CardState.BLOCKED, block_reason=BlockReason.LOST)

    assert declined(lost, limited(permitted=SOME)).result is Result.NOT_PERMITTED
    assert declined(lost, lawful(currencies=("EUR",))).result is Result.LOST_CARD
