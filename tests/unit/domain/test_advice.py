"""
Advice: a sale that was made offline, told later (domain 1.7; behaviours 51 and 52).
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.advice import decide_advice
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Advice, Amount
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.errors import InvariantError
from gateway.domain.exceptions import ExceptionItem, ExceptionKind
from gateway.domain.ids import (
    ProductId,
    RestrictionSetId,
    RestrictionVersionId,
    StoreId,
)
from gateway.domain.policy import PartyState, Policy
from gateway.domain.restrictions import ListedStore, ListRule, Restriction
from gateway.domain.results import Result
from tests.support import world
from tests.support.late_requests import advice, late_place
from tests.support.world import (
    amount,
    balanced,
    card,
    place,
    policy,
    product,
    view,
)

KIOSK = policy(at=late_place(floor_limit=(50_00, "USD")))
LIMITED = ProductId(9)


def told(
    command: Advice, seen: Card | None, rules: Policy = KIOSK, **more: Any
) -> Decision:
    """
    Decide an Advice at a kiosk with a floor limit of 50.00.
    """
    return decide(command, view(seen, rules=rules, **more), None)


def test_a_sale_within_limit_and_funds_is_a_redeem_told_late() -> None:
    """
    00 with the whole amount; posted like a Redeem; no exception.
    """
    decision = told(advice(amount(20_00)), card())
    record, after = decision.record, decision.card

    assert (record.result, record.offline, record.reason) == (
        Result.APPROVED,
        True,
        None,
    )
    assert (record.approved_minor, record.card_minor) == (20_00, 20_00)
    assert after is not None
    assert after.balance_minor == 80_00
    assert balanced(decision.postings)
    assert len(decision.postings) == 2
    assert decision.exception is None


def test_51_what_the_card_has_not_becomes_an_exception() -> None:
    """
    51: Advice 20.00, the card has 5.00: 00, 5.00 debited, 15.00 an exception.
    """
    decision = told(advice(amount(20_00)), card(5_00))
    record, after = decision.record, decision.card

    assert (record.result, record.reason) == (
        Result.APPROVED,
        Result.INSUFFICIENT_FUNDS,
    )
    assert (record.approved_minor, record.card_minor) == (5_00, 5_00)
    assert after is not None
    assert after.balance_minor == 0
    assert record.transaction_id is not None
    assert decision.exception == ExceptionItem(
        transaction_id=record.transaction_id,
        kind=ExceptionKind.ADVICE_NOT_PAID,
        opened_by=record.transaction_id,
        reason=Result.INSUFFICIENT_FUNDS,
        store_id=world.STORE,
        amount_minor=15_00,
        currency="USD",
        opened_at=world.NOW,
    )


@pytest.mark.parametrize(
    ("asked", "funds", "paid", "reason"),
    [
        (50_00, 100_00, 50_00, None),
        (50_01, 100_00, 50_00, Result.LIMIT_EXCEEDED),
        (80_00, 100_00, 50_00, Result.LIMIT_EXCEEDED),
        (80_00, 50_00, 50_00, Result.LIMIT_EXCEEDED),
        (80_00, 30_00, 30_00, Result.INSUFFICIENT_FUNDS),
        (80_00, 0, 0, Result.INSUFFICIENT_FUNDS),
    ],
)
def test_the_least_of_amount_floor_limit_and_funds_is_paid(
    asked: int, funds: int, paid: int, reason: Result | None
) -> None:
    """
    The reason is what bound: more of it would have paid more.
    """
    decision = told(advice(amount(asked)), card(funds))

    assert decision.record.result is Result.APPROVED
    assert (decision.record.approved_minor, decision.record.reason) == (paid, reason)
    rest = decision.exception.amount_minor if decision.exception else 0
    assert rest == asked - paid


def test_without_a_floor_limit_nothing_is_paid() -> None:
    """
    A terminal that may sell nothing offline bears all of it itself.
    """
    decision = told(advice(amount(20_00)), card(), policy())

    assert decision.record.reason == Result.LIMIT_EXCEEDED
    assert (decision.record.approved_minor, decision.card) == (0, None)


def blocked(reason: BlockReason) -> Card:
    """
    Make a blocked card.
    """
    return card(state=CardState.BLOCKED, block_reason=reason)


LAST_DAY = card(expires_on=date(2026, 11, 20))


@pytest.mark.parametrize(
    ("seen", "rules", "reason", "shown"),
    [
        (None, KIOSK, Result.INVALID_CARD, False),
        (
            card(),
            policy(at=late_place(floor_limit=(50_00, "USD")), accepted=False),
            Result.INVALID_CARD,
            False,
        ),
        (card(product_id=LIMITED), KIOSK, Result.NOT_PERMITTED, False),
        (blocked(BlockReason.LOST), KIOSK, Result.LOST_CARD, False),
        (blocked(BlockReason.STOLEN), KIOSK, Result.STOLEN_CARD, False),
        (card(0, state=CardState.PENDING), KIOSK, Result.CARD_NOT_ACTIVE, False),
        (card(0, state=CardState.DEACTIVATED), KIOSK, Result.CARD_CLOSED, False),
        (LAST_DAY, KIOSK, Result.EXPIRED_CARD, False),
        (
            card(),
            policy(at=late_place(floor_limit=(50_00, "USD"), currencies=["LBP"])),
            Result.CURRENCY_NOT_SUPPORTED,
            True,
        ),
    ],
)
def test_what_a_redeem_is_refused_for_makes_all_of_it_an_exception(
    seen: Card | None, rules: Policy, reason: Result, *, shown: bool
) -> None:
    """
    00 all the same, nothing debited; a card that may not be told of is not.
    """
    forbidden = product(LIMITED, permitted=frozenset())
    rules = replace(rules, products={**rules.products, LIMITED: forbidden})
    decision = told(advice(amount(20_00)), seen, rules)
    record = decision.record

    assert (record.result, record.reason) == (Result.APPROVED, reason)
    assert (record.approved_minor, record.card_minor, record.card_seq) == (0, 0, None)
    assert (decision.card, decision.postings) == (None, ())
    assert record.approval_code is not None
    assert record.balances_shown is shown
    assert (record.card_id is None) == (reason is Result.INVALID_CARD)
    assert (record.card_number_index is None) != (reason is Result.INVALID_CARD)
    assert decision.exception is not None
    assert (decision.exception.amount_minor, decision.exception.reason) == (
        20_00,
        reason,
    )


def test_a_restriction_is_a_reason() -> None:
    """
    62 as the reason; which restriction it was is of declines alone.
    """
    set_id, version = RestrictionSetId(5), RestrictionVersionId(50)
    elsewhere = Restriction.of(
        version, [ListedStore(ListRule.ALLOW, StoreId(9))], windows=[]
    )
    barred = product(LIMITED, restriction_set_id=set_id)
    rules = replace(
        KIOSK,
        products={**KIOSK.products, LIMITED: barred},
        restrictions={set_id: elsewhere},
    )
    decision = told(advice(amount(20_00)), card(product_id=LIMITED), rules)

    assert decision.record.reason == Result.RESTRICTED_CARD
    assert decision.record.refusal is None


@pytest.mark.parametrize(
    ("rules", "result"),
    [
        (policy(at=place(terminal=PartyState.SUSPENDED)), Result.INVALID_TERMINAL),
        (policy(at=place(merchant=PartyState.CLOSED)), Result.INVALID_MERCHANT),
    ],
)
def test_a_place_that_cannot_be_is_a_decline(rules: Policy, result: Result) -> None:
    """
    58 and 03: no exception, nothing approved.
    """
    decision = told(advice(amount(20_00)), card(), rules)

    assert (decision.record.result, decision.record.reason) == (result, None)
    assert decision.record.offline
    assert (decision.exception, decision.record.approval_code) == (None, None)


@pytest.mark.parametrize("asked", [amount(0), amount(-5), amount(5, "USD", 3)])
def test_an_amount_that_cannot_be_is_a_decline(asked: Amount) -> None:
    """
    13, as for a Redeem.
    """
    decision = told(advice(asked), card())

    assert decision.record.result is Result.INVALID_AMOUNT
    assert decision.exception is None


def test_less_than_one_minor_unit_is_an_exception() -> None:
    """
    46: LBP 100.00 comes to nothing; the goods are gone all the same.
    """
    decision = told(advice(amount(100_00, "LBP")), card())

    assert decision.record.reason == Result.INVALID_AMOUNT
    assert (decision.record.approved_minor, decision.card) == (0, None)


def test_the_products_limit_is_no_reason() -> None:
    """
    A Redeem of it would get 61; this one was made, so the card pays it (domain 1.7).
    """
    limited = product(LIMITED, max_redeem_minor=10_00)
    rules = replace(KIOSK, products={**KIOSK.products, LIMITED: limited})

    over = told(advice(amount(10_01)), card(product_id=LIMITED), rules)

    assert over.record.reason is None
    assert (over.record.approved_minor, over.exception) == (10_01, None)


def test_a_sale_in_another_currency_has_the_rate_of_the_host() -> None:
    """
    42 told offline: KWD 5.000 of USD 10.00: KWD 3.075 paid, KWD 1.925 an exception.
    """
    decision = told(advice(amount(5_000, "KWD")), card(10_00))
    record = decision.record

    assert (record.approved_minor, record.card_minor) == (3_075, 10_00)
    assert record.rate_table_version == 1
    assert balanced(decision.postings)
    assert len(decision.postings) == 4
    assert decision.exception is not None
    assert (decision.exception.amount_minor, decision.exception.currency) == (
        1_925,
        "KWD",
    )


def test_the_floor_limit_is_converted_down() -> None:
    """
    USD 50.00 are KWD 15.375 (50 / 3.252, floored): not a fils more is paid.
    """
    decision = told(advice(amount(16_000, "KWD")), card())

    assert decision.record.approved_minor == 15_375
    assert decision.record.reason == Result.LIMIT_EXCEEDED


def test_a_floor_limit_without_a_rate_is_none() -> None:
    """
    57: the limit's currency cannot be compared with the sale's.
    """
    rules = policy(at=late_place(floor_limit=(50_00, "GBP")))
    decision = told(advice(amount(20_00)), card(), rules)

    assert decision.record.reason == Result.CURRENCY_NOT_SUPPORTED
    assert decision.record.approved_minor == 0


def test_a_rest_worth_nothing_in_the_sales_currency_stays() -> None:
    """
    One cent of a card pays no whole yen twice over: what is paid is never zero of one.
    """
    rules = policy(
        at=late_place(floor_limit=(50_00, "USD")), rates=[world.rate("JPY", "2")]
    )
    decision = told(advice(amount(100, "JPY")), card(1), rules)

    assert decision.record.reason == Result.INSUFFICIENT_FUNDS
    assert (decision.record.approved_minor, decision.card) == (0, None)


def test_a_card_of_one_load_is_depleted() -> None:
    """
    Spent to zero offline as online.
    """
    decision = told(advice(amount(20_00)), card(5_00, product_id=world.ONE_TIME))

    assert decision.card is not None
    assert decision.card.state is CardState.DEPLETED


def test_the_hosts_time_decides_and_the_tills_is_kept() -> None:
    """
    Days late: the rate and the state of now; `local_time` says when it was.
    """
    command = advice(amount(10_000, "KWD"))
    late = replace(
        command, till=command.till._replace(local_time="2026-11-18T09:30:00+03:00")
    )
    moved = policy(
        at=late_place(floor_limit=(50_00, "USD")),
        rates=[world.rate("KWD", "3.3")],
    )
    decision = told(late, card(), moved, now=world.NOW + timedelta(days=3))

    assert decision.record.card_minor == 33_00
    assert decision.record.local_time == "2026-11-18T09:30:00+03:00"


def test_a_terminal_of_two_messages_need_not_confirm_it() -> None:
    """
    It is told once, and done.
    """
    rules = policy(at=late_place(two_message=True, floor_limit=(50_00, "USD")))
    decision = told(advice(amount(20_00)), card(), rules)

    assert not decision.record.unconfirmed


def test_an_exception_needs_a_recorded_transaction() -> None:
    """
    Without an id there is nothing that it could be about: our fault.
    """
    seen = view(card(0), rules=KIOSK)
    bare = seen._replace(stamp=seen.stamp._replace(transaction_id=None))
    with pytest.raises(InvariantError):
        decide_advice(advice(amount(20_00)), bare)
