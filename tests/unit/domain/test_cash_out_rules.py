"""
The law of cash-out, dated: which rule is in force, and which rest it pays out.
"""

from datetime import date
from typing import Any

import pytest

from gateway.domain.cash_out_rules import (
    CashOutRule,
    CashOutRules,
    RuledCards,
    RuleKind,
)
from gateway.domain.errors import InvariantError

OLD = date(2016, 1, 1)
NEW = date(2026, 4, 1)


def rule(jurisdiction: str = "US-CA", **changes: Any) -> CashOutRule:
    """
    Make a rule: below 10.00 USD, for all cards, since long ago.
    """
    values: dict[str, Any] = {
        "effective_from": OLD,
        "cards": RuledCards.ANY,
        "kind": RuleKind.BELOW,
        "limit_minor": 10_00,
        "currency": "USD",
    }
    return CashOutRule(jurisdiction=jurisdiction, **(values | changes))


def used(percent: int, **changes: Any) -> CashOutRule:
    """
    Make a rule by what is used, for cards of one load.
    """
    values: dict[str, Any] = {
        "cards": RuledCards.SINGLE_LOAD,
        "kind": RuleKind.USED,
        "limit_minor": None,
        "currency": None,
        "used_percent": percent,
    }
    return rule("US-MA", **(values | changes))


def never(**changes: Any) -> CashOutRule:
    """
    Make a rule that pays nothing out.
    """
    return rule(kind=RuleKind.NEVER, limit_minor=None, currency=None, **changes)


@pytest.mark.parametrize(
    ("ruled", "balance", "loaded", "paid"),
    [
        (rule(), 9_99, 0, True),
        (rule(), 10_00, 0, False),
        (rule(kind=RuleKind.UP_TO), 10_00, 0, True),
        (rule(kind=RuleKind.UP_TO), 10_01, 0, False),
        (rule(currency="EUR"), 1, 0, False),
        (used(90), 5_00, 50_00, True),
        (used(90), 5_01, 50_00, False),
        (used(90), 1, 9, False),
        (used(90), 1, 10, True),
        (used(90), 0, 0, False),
        (used(90), 1, -10, False),
        (used(100), 0, 50_00, True),
        (never(), 1, 50_00, False),
    ],
)
def test_a_rule_pays_out_what_it_says(
    ruled: CashOutRule, balance: int, loaded: int, *, paid: bool
) -> None:
    """
    Less than, or up to, an amount of its own currency; or when so much is used.
    """
    assert paid == ruled.permits(balance, loaded_minor=loaded, currency="USD")


@pytest.mark.parametrize(
    "changes",
    [
        {"limit_minor": None},
        {"currency": None},
        {"used_percent": 90},
        {"kind": RuleKind.NEVER},
        {
            "kind": RuleKind.USED,
            "limit_minor": None,
            "currency": None,
            "used_percent": None,
        },
    ],
)
def test_a_rule_holds_what_its_kind_needs(changes: dict[str, Any]) -> None:
    """
    An amount with its currency, or a percentage, or neither.
    """
    with pytest.raises(InvariantError):
        rule(**changes)


def test_the_latest_rule_that_has_begun_is_in_force() -> None:
    """
    California: below 10 dollars until 31 March 2026, below 15 from 1 April on.
    """
    first, second = rule(), rule(effective_from=NEW, limit_minor=15_00)
    law = CashOutRules([second, first])

    assert law.rule_for("US-CA", date(2015, 12, 31), reloadable=True) is None
    assert law.rule_for("US-CA", date(2026, 3, 31), reloadable=True) is first
    assert law.rule_for("US-CA", NEW, reloadable=False) is second


def test_a_part_goes_before_its_country() -> None:
    """
    Where the part has no rule in force, its country's holds.
    """
    country, part = rule("US"), never(effective_from=NEW)
    law = CashOutRules([country, part])

    assert law.rule_for("US-CA", OLD, reloadable=True) is country
    assert law.rule_for("US-CA", NEW, reloadable=True) is part
    assert law.rule_for("US", NEW, reloadable=True) is country
    assert law.rule_for("IE", NEW, reloadable=True) is None


def test_each_kind_of_card_has_its_rule() -> None:
    """
    Of one day the rule for this kind of card goes before that for all.
    """
    single = used(90)
    reloadable = rule("US-MA", cards=RuledCards.RELOADABLE)
    every = rule("US-MA")
    law = CashOutRules([single, reloadable, every])

    assert law.rule_for("US-MA", NEW, reloadable=True) is reloadable
    assert law.rule_for("US-MA", NEW, reloadable=False) is single
    assert CashOutRules([every]).rule_for("US-MA", NEW, reloadable=False) is every
    assert CashOutRules([single]).rule_for("US-MA", NEW, reloadable=True) is None


def test_a_later_rule_for_all_ends_an_earlier_one_for_some() -> None:
    """
    The day decides first.
    """
    every = rule("US-MA", effective_from=NEW)
    law = CashOutRules([used(90), every])

    assert law.rule_for("US-MA", NEW, reloadable=False) is every
