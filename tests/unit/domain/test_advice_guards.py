"""
What guards a card against an Advice: its PIN does, and limits do not.
"""

from dataclasses import replace
from datetime import UTC

import pytest

from currency import Currency
from gateway.domain.cards import Card
from gateway.domain.commands import Advice
from gateway.domain.counting import count_card, count_terminal
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.ids import LimitSetId, LimitVersionId, ProductId
from gateway.domain.limits import UNUSED, FlowLimits, Limits
from gateway.domain.policy import Policy
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.late_requests import advice, late_place
from tests.support.world import amount, card, policy, product, redeem, view

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


@pytest.mark.parametrize("of", ["card", "terminal"])
@pytest.mark.parametrize(
    "spend", [FlowLimits(day_count=0), FlowLimits(day_minor=19_99)], ids=["65", "61"]
)
def test_a_limit_is_no_reason_and_counts(spend: FlowLimits, of: str) -> None:
    """
    A Redeem would be refused now; a sale that was made is paid, and used its day.
    """
    limits = Limits(
        version_id=LimitVersionId(1), currency=Currency.of("USD"), spend=spend
    )
    own = product(LIMITED, limit_set_id=LimitSetId(3) if of == "card" else None)
    rules = replace(
        KIOSK,
        products={**KIOSK.products, LIMITED: own},
        limits={LimitSetId(3): limits},
        terminal_limits={world.TERMINAL: limits} if of == "terminal" else {},
    )
    seen = card(product_id=LIMITED)
    sale = decide(redeem(amount(20_00)), view(seen, rules=rules), None).record
    decision = told(advice(amount(20_00)), seen, rules)
    record = decision.record

    assert sale.result in {Result.COUNT_EXCEEDED, Result.LIMIT_EXCEEDED}
    assert (record.approved_minor, record.reason) == (20_00, None)
    assert decision.exception is None
    used = count_card(UNUSED, record, zone=UTC)
    assert (used.spend_minor, used.spends) == (20_00, 1)
    if of == "terminal":
        used = count_terminal(UNUSED, record)
        assert (used.spend_minor, used.spends) == (20_00, 1)
