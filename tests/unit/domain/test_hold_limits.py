"""
Check 14 of holds: they count as spending, and more of one is no further time.
"""

from dataclasses import replace
from datetime import date

import pytest

from currency import MAX_MINOR_UNITS, Currency
from gateway.domain.commands import Command
from gateway.domain.decide import decide
from gateway.domain.ids import LimitSetId, LimitVersionId
from gateway.domain.limits import DayUse, FlowLimits, LimitKind, Limits, Used
from gateway.domain.originals import Original
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result
from tests.support import world
from tests.support.held_world import authorize, held, holding_rules, increment
from tests.support.world import amount, card

SET = LimitSetId(7)
TODAY = date(2026, 11, 21)


def limited(spend: FlowLimits, *, terminal: bool = False) -> Policy:
    """
    Give rules that limit what cards with the set, or the terminal, spend.
    """
    usd = Currency.of("USD")
    version = Limits(version_id=LimitVersionId(70), currency=usd, spend=spend)
    if terminal:
        return replace(holding_rules(), terminal_limits={world.TERMINAL: version})
    return replace(holding_rules(), limits={SET: version})


def record_of(command: Command, rules: Policy, used: DayUse) -> TransactionRecord:
    """
    Decide about a card that has a hold of 60.00, where so much is used.
    """
    on = held()
    seen = replace(on.card, limit_set_id=SET if SET in rules.limits else None)
    view = world.view(seen, rules=rules, number=9)
    view = view._replace(used=Used(used, terminal=used))
    named: Original | None = None
    if not isinstance(command, type(authorize(amount(1)))):
        named = on.original()
    return decide(command, view, named).record


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(
    ("spend", "placed", "grown"),
    [
        (FlowLimits(day_minor=70_00), "LIMIT_EXCEEDED", "LIMIT_EXCEEDED"),
        (FlowLimits(day_minor=80_00), "APPROVED", "APPROVED"),
        (FlowLimits(day_count=1), "COUNT_EXCEEDED", "APPROVED"),
    ],
)
def test_holds_are_spending(
    spend: FlowLimits, placed: str, grown: str, *, terminal: bool
) -> None:
    """
    Of the card and of the terminal; an increment counts its amount, and no time.
    """
    rules = limited(spend, terminal=terminal)
    used = DayUse(TODAY, 0, 0, 60_00, 1)
    first = record_of(authorize(amount(20_00), number=9), rules, used)
    more = record_of(increment(amount(20_00), number=9), rules, used)

    assert (first.result.name, more.result.name) == (placed, grown)
    assert more.terminal_minor == (20_00 if terminal and grown == "APPROVED" else None)


def test_an_amount_at_a_time_is_the_whole_hold() -> None:
    """
    It may be captured as one, so increments do not get around the limit.
    """
    rules = limited(FlowLimits(amount_minor=70_00, window_count=1, window_s=60))
    used = DayUse(TODAY)
    whole = record_of(increment(amount(10_00), number=9), rules, used)
    beyond = record_of(increment(amount(10_01), number=9), rules, used)

    assert whole.result is Result.APPROVED
    assert (beyond.limit_kind, beyond.limit_value) == (LimitKind.SPEND_AMOUNT, 70_00)


def test_a_hold_beyond_all_bounds() -> None:
    """
    What is authorized in all may be too much although little is added: 13.
    """
    on = held(amount(1, "JPY"), card(), holding_rules(rates={"JPY": "0.01"}))
    hold = replace(on.hold, authorized_minor=MAX_MINOR_UNITS - 50, card_minor=1)
    cheap = replace(hold, rate_transaction=hold.rate_transaction and hold.rate_card)
    tiny = replace(
        cheap, rate_transaction=world.rate("JPY", "0.000000000001").usd_per_unit
    )
    view = world.view(on.card, rules=holding_rules(), number=9)
    decision = decide(
        increment(amount(100_000, "JPY"), number=9),
        view,
        on._replace(hold=tiny).original(),
    )

    assert decision.record.result is Result.INVALID_AMOUNT
