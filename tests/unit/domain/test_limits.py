"""
Check 14: no limit of a card or of a terminal is exceeded.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from currency import Currency
from gateway.domain.cards import Card, CardState
from gateway.domain.commands import MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.ids import (
    IssueBatchId,
    LimitSetId,
    LimitVersionId,
    TransactionId,
)
from gateway.domain.limit_checks import looks_back_s
from gateway.domain.limits import (
    DayUse,
    Exceeded,
    Flow,
    FlowLimits,
    LimitKind,
    Limits,
    Use,
    Used,
)
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import amount, card, cash_out, load, policy, redeem, view

# The programme's zone is Asia/Dubai: noon in UTC is the same day there.
TODAY = date(2026, 11, 21)
USD = Currency.of("USD")
SET = LimitSetId(7)
BATCH = IssueBatchId(3)
OWN = replace(card(), limit_set_id=SET)


def rules(**limits: FlowLimits) -> Policy:
    """
    Give rules with one set, of version 70.
    """
    version = Limits(version_id=LimitVersionId(70), currency=USD, **limits)
    return replace(policy(), limits={SET: version}, batch_limits={BATCH: SET})


def record_of(
    command: MoneyCommand,
    seen: Card,
    known: Policy,
    used: Used = Used(),  # noqa: B008 -- a value
    now: datetime = world.NOW,
) -> TransactionRecord:
    """
    Decide a command where so much is used.
    """
    seen_so = view(seen, rules=known, now=now)._replace(used=used)
    return decide(command, seen_so, None).record


def exceeded_in(record: TransactionRecord) -> Exceeded | None:
    """
    Give the limit that a record names.
    """
    if record.limit_kind is None:
        assert (record.limit_value, record.limit_window_s) == (None, None)
        return None
    assert record.balances_shown
    found = Exceeded(
        record.limit_kind,
        record.limit_value or 0,
        record.limit_window_s,
        record.limit_version_id,
    )
    assert record.result is found.result
    return found


@pytest.mark.parametrize(
    ("limit", "used", "minor", "kind", "value"),
    [
        ({"amount_minor": 20_00}, {}, 20_00, None, 0),
        ({"amount_minor": 20_00}, {}, 20_01, LimitKind.SPEND_AMOUNT, 20_00),
        ({"day_minor": 30_00}, {"spend_minor": 10_00}, 20_00, None, 0),
        (
            {"day_minor": 30_00},
            {"spend_minor": 10_00},
            20_01,
            LimitKind.SPEND_DAY_AMOUNT,
            30_00,
        ),
        ({"day_minor": 30_00}, {"load_minor": 30_00}, 30_00, None, 0),
        ({"day_count": 2}, {"spends": 1}, 1, None, 0),
        ({"day_count": 2}, {"spends": 2}, 1, LimitKind.SPEND_DAY_COUNT, 2),
    ],
)
def test_amounts_and_numbers_of_times(
    limit: dict[str, int],
    used: dict[str, int],
    minor: int,
    kind: LimitKind | None,
    value: int,
) -> None:
    """
    The limit itself may be reached, and not passed.
    """
    record = record_of(
        redeem(amount(minor)),
        OWN,
        rules(spend=FlowLimits(**limit)),
        Used(DayUse(TODAY, **used)),
    )

    expected = None
    if kind is not None:
        expected = Exceeded(kind, value, None, LimitVersionId(70))
    assert exceeded_in(record) == expected
    assert (record.result is Result.APPROVED) == (kind is None)


def test_another_days_use_does_not_count() -> None:
    """
    The day is that of the programme's zone: it ends at 20:00 UTC in Dubai.
    """
    known = rules(spend=FlowLimits(day_count=1))
    used = Used(DayUse(TODAY, spends=1))
    evening = world.NOW.replace(hour=19, minute=59)

    assert exceeded_in(record_of(redeem(amount(1)), OWN, known, used, evening))
    late = evening + timedelta(minutes=1)
    assert not exceeded_in(record_of(redeem(amount(1)), OWN, known, used, late))


def test_a_window_looks_back_so_many_seconds() -> None:
    """
    Uses of the same flow within it count; one exactly so old does not.
    """
    known = rules(spend=FlowLimits(window_count=2, window_s=600))

    def uses(*ages: int) -> Used:
        return Used(
            recent=tuple(
                Use(
                    TransactionId(bytes(16)),
                    Flow.SPEND if age >= 0 else Flow.LOAD,
                    world.NOW - timedelta(seconds=abs(age)),
                )
                for age in ages
            )
        )

    def kind(used: Used) -> Exceeded | None:
        return exceeded_in(record_of(redeem(amount(1)), OWN, known, used))

    refused = Exceeded(LimitKind.SPEND_WINDOW_COUNT, 2, 600, LimitVersionId(70))
    assert kind(uses(599, 0)) == refused
    assert kind(uses(600, 0)) is None
    assert kind(uses(-1, 0)) is None
    assert looks_back_s(OWN, known) == 600
    assert looks_back_s(card(), known) == 0


@pytest.mark.parametrize("level", ["product", "batch", "card"])
def test_each_level_must_allow(level: str) -> None:
    """
    A set on the product, the issue batch or the card is obeyed.
    """
    known = rules(spend=FlowLimits(amount_minor=1))
    seen = replace(card(), issue_batch_id=BATCH)
    if level == "card":
        seen = replace(OWN, issue_batch_id=IssueBatchId(4))
    elif level == "product":
        seen = card()
        own = replace(known.products[world.RELOADABLE], limit_set_id=SET)
        known = replace(known, products={**known.products, world.RELOADABLE: own})

    assert exceeded_in(record_of(redeem(amount(2)), seen, known))


def test_the_default_is_two_thousand_dollars_of_loads() -> None:
    """
    In the card's currency, rounded down; without a rate there is none.
    """
    used = Used(DayUse(TODAY, load_minor=1_000_00, loads=1))
    euro = card(product_id=world.EURO, currency="EUR")
    bare = policy(rates=[])

    def hit(seen: Card, minor: int, code: str, known: Policy) -> Exceeded | None:
        return exceeded_in(record_of(load(amount(minor, code)), seen, known, used))

    day = LimitKind.LOAD_DAY_AMOUNT
    assert hit(card(), 1_000_00, "USD", policy()) is None
    assert hit(card(), 1_000_01, "USD", policy()) == Exceeded(day, 2_000_00)
    assert hit(euro, 843_31, "EUR", policy()) is None
    assert hit(euro, 843_32, "EUR", policy()) == Exceeded(day, 1_843_31)
    assert hit(euro, 9_999_99, "EUR", bare) is None


def test_a_withdrawn_rate_keeps_the_default() -> None:
    """
    It stays what it was at the last rate: a withdrawal of a rate lifts no limit.
    """
    euro = card(product_id=world.EURO, currency="EUR")
    last = world.rate("EUR", world.R1["EUR"])
    gone = replace(last, version=2, usd_per_unit_e12=None, effective_from=world.NOW)
    known = policy(rates=[last, gone])

    def hit(minor: int, used: Used = Used()) -> Exceeded | None:  # noqa: B008
        asked = load(amount(minor, "EUR"))
        return exceeded_in(record_of(asked, euro, known, used))

    assert hit(1_843_31) is None
    assert hit(1_843_32) == Exceeded(LimitKind.LOAD_DAY_AMOUNT, 1_843_31)


def test_a_products_own_day_takes_the_defaults_place() -> None:
    """
    Only the product's: a batch or a card can be narrower, and never wider.
    """
    roomy = rules(load=FlowLimits(day_minor=5_000_00))
    own = replace(roomy.products[world.RELOADABLE], limit_set_id=SET)
    given = replace(roomy, products={**roomy.products, world.RELOADABLE: own})
    silent = replace(
        given,
        limits={SET: Limits(version_id=LimitVersionId(71), currency=USD)},
    )

    def result(seen: Card, known: Policy, minor: int) -> Result:
        return record_of(load(amount(minor)), seen, known).result

    assert result(OWN, roomy, 2_000_01) is Result.LIMIT_EXCEEDED
    assert result(card(), given, 5_000_00) is Result.APPROVED
    assert result(card(), given, 5_000_01) is Result.LIMIT_EXCEEDED
    assert result(card(), silent, 2_000_01) is Result.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("changes", "command", "kind", "value"),
    [
        ({"max_load_minor": 5}, load(amount(6)), LimitKind.LOAD_AMOUNT, 5),
        ({"max_balance_minor": 100_05}, load(amount(6)), LimitKind.BALANCE, 100_05),
        ({"max_redeem_minor": 5}, redeem(amount(6)), LimitKind.SPEND_AMOUNT, 5),
    ],
)
def test_the_products_own_columns_name_their_limit(
    changes: dict[str, Any], command: MoneyCommand, kind: LimitKind, value: int
) -> None:
    """
    max_load, max_balance and max_redeem: 61, with the limit and no version.
    """
    known = policy(products=[world.product(world.RELOADABLE, **changes)])

    assert exceeded_in(record_of(command, card(), known)) == Exceeded(kind, value)


def test_a_cash_out_is_spending() -> None:
    """
    Its amount is all that is available.
    """
    known = rules(spend=FlowLimits(day_minor=7_99))
    seen = replace(OWN, balance_minor=8_00)

    assert exceeded_in(record_of(cash_out(), seen, known)) == Exceeded(
        LimitKind.SPEND_DAY_AMOUNT, 7_99, None, LimitVersionId(70)
    )


def at_terminal(code: str, **limits: FlowLimits) -> Policy:
    """
    Give rules with limits of the terminal, of version 80.
    """
    version = Limits(
        version_id=LimitVersionId(80), currency=Currency.of(code), **limits
    )
    return replace(policy(), terminal_limits={world.TERMINAL: version})


def test_a_terminal_counts_in_its_currency() -> None:
    """
    What is asked, what the card pays, or that converted; without a rate it is refused.
    """
    known = at_terminal("KWD", spend=FlowLimits(day_minor=20_000))
    euro = at_terminal("EUR", spend=FlowLimits(day_minor=20_000))
    usd = at_terminal("USD", spend=FlowLimits(day_minor=20_000))
    bare = replace(known, rates=policy(rates=[]).rates)
    used = Used(terminal=DayUse(TODAY, spend_minor=10_000, spends=1))
    refused = Exceeded(
        LimitKind.TERMINAL_SPEND_DAY_AMOUNT, 20_000, None, LimitVersionId(80)
    )

    def told(minor: int, code: str, rules: Policy) -> TransactionRecord:
        return record_of(redeem(amount(minor, code)), card(), rules, used)

    assert told(10_000, "KWD", known).terminal_minor == 10_000
    assert exceeded_in(told(10_001, "KWD", known)) == refused
    assert told(32_52, "USD", known).terminal_minor == 10_000
    assert exceeded_in(told(32_53, "USD", known)) == refused
    assert told(10_000, "KWD", usd).terminal_minor == 32_52
    assert told(10_000, "KWD", euro).terminal_minor == 29_97
    assert exceeded_in(told(1, "USD", bare)) == refused


def test_a_terminal_counts_times_and_days() -> None:
    """
    By the business day of its store; a load without an amount counts nothing.
    """
    known = at_terminal("KWD", load=FlowLimits(day_count=1))
    used = Used(terminal=DayUse(TODAY, loads=1))
    bare = replace(known, rates=policy(rates=[]).rates)
    refused = Exceeded(LimitKind.TERMINAL_LOAD_DAY_COUNT, 1, None, LimitVersionId(80))
    fresh = card(0, state=CardState.PENDING, load_count=0)
    tomorrow = world.NOW + timedelta(days=1)

    assert exceeded_in(record_of(load(amount(1)), card(), known, used)) == refused
    late = record_of(load(amount(1_00)), card(), known, used, tomorrow)
    assert (late.result, late.terminal_minor) == (Result.APPROVED, 308)
    first = record_of(load(amount(1_00)), card(), bare)
    assert (first.result, first.terminal_minor) == (Result.APPROVED, 0)
    activated = record_of(world.activate(), fresh, known, used)
    assert activated.activity is ActivityType.ACTIVATE
    assert (activated.result, activated.terminal_minor) == (Result.APPROVED, None)
