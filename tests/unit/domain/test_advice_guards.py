"""
What guards a card against a Redeem guards it against an Advice.
"""

from dataclasses import replace

from currency import Currency
from gateway.domain.cards import Card
from gateway.domain.commands import Advice
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.ids import LimitSetId, LimitVersionId, ProductId
from gateway.domain.limits import FlowLimits, Limits
from gateway.domain.policy import Policy
from gateway.domain.results import ActivityType, Result
from tests.support.late_requests import advice, late_place
from tests.support.world import amount, card, policy, product, view

KIOSK = policy(at=late_place(floor_limit=(50_00, "USD")))
LIMITED = ProductId(9)


def told(command: Advice, seen: Card, rules: Policy) -> Decision:
    """
    Decide an Advice at a kiosk with a floor limit of 50.00.
    """
    return decide(command, view(seen, rules=rules), None)


def test_a_pin_cannot_be_told_later() -> None:
    """
    55 as the reason: of a card that asks for a PIN nothing is paid offline.
    """
    guarded = product(LIMITED, pin_required_for=frozenset({ActivityType.REDEEM}))
    rules = replace(KIOSK, products={**KIOSK.products, LIMITED: guarded})
    decision = told(advice(amount(20_00)), card(product_id=LIMITED), rules)

    assert decision.record.reason == Result.PIN_REQUIRED
    assert decision.record.approved_minor == 0


def test_a_limit_of_the_card_is_a_reason() -> None:
    """
    65 where a Redeem would get it now: all of it is an exception.
    """
    limits = Limits(
        version_id=LimitVersionId(1),
        currency=Currency.of("USD"),
        spend=FlowLimits(day_count=0),
    )
    rules = replace(
        KIOSK,
        products={
            **KIOSK.products,
            LIMITED: product(LIMITED, limit_set_id=LimitSetId(3)),
        },
        limits={LimitSetId(3): limits},
    )
    decision = told(advice(amount(20_00)), card(product_id=LIMITED), rules)

    assert decision.record.reason == Result.COUNT_EXCEEDED
    assert decision.record.approved_minor == 0
