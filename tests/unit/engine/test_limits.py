"""
Limits in a batch: what one request uses the next one sees, and nothing is missed.
"""

from dataclasses import replace

import pytest

from currency import Currency
from gateway.domain.ids import LimitSetId, LimitVersionId
from gateway.domain.limits import UNUSED, DayUse, FlowLimits, Limits
from gateway.domain.policy import Policy
from tests.support import world
from tests.support.engine_world import T2, Bench, bench, lane_policy, on_second
from tests.support.world import amount, card, load, redeem, reverse, void

SET = LimitSetId(1)
USD = Currency.of("USD")


def limited(version: int = 1, **limits: FlowLimits) -> Policy:
    """
    Give rules with one set.
    """
    own = Limits(version_id=LimitVersionId(1), currency=USD, **limits)
    return replace(lane_policy(version), limits={SET: own})


def counting(version: int = 1, spend: int = 2) -> Policy:
    """
    Give rules under which both terminals take cards so many times a day.
    """
    own = Limits(
        version_id=LimitVersionId(1),
        currency=USD,
        spend=FlowLimits(day_count=spend),
    )
    return replace(lane_policy(version), terminal_limits={world.TERMINAL: own, T2: own})


def with_terminals(here: Bench) -> Bench:
    """
    Give it rows of terminals, as the console makes them with their first limits.
    """
    here.books.terminal_uses = {world.TERMINAL: UNUSED, T2: UNUSED}
    return here


@pytest.mark.parametrize(
    "limits",
    [
        FlowLimits(day_count=2),
        FlowLimits(day_minor=2_50),
        FlowLimits(window_count=2, window_s=60),
    ],
)
async def test_one_batch_sees_what_it_used(limits: FlowLimits) -> None:
    """
    Two of three fit; one that is reversed in the batch makes room again.
    """
    own = replace(card(), limit_set_id=SET)
    here = bench(own, rules=limited(spend=limits))

    await here.answers(*(redeem(amount(1_00), number=n) for n in (1, 2, 3)))
    await here.answers(reverse(1, number=4), redeem(amount(1_00), number=5))
    await here.answers(redeem(amount(1_00), number=6))

    first, second, third, undone, again, last = here.results()
    assert {first, second, undone, again} == {"APPROVED"}
    assert third == last != "APPROVED"


async def test_a_declined_request_uses_nothing() -> None:
    """
    Nor does one without a card.
    """
    here = bench(card(50), rules=limited(spend=FlowLimits(day_count=1)))
    unknown = replace(redeem(amount(1_00), number=2), card=None)

    await here.answers(redeem(amount(1_00)), unknown, load(amount(2), number=3))

    assert here.books.uses == {1: DayUse(world.NOW.date(), load_minor=2, loads=1)}


async def test_a_terminal_is_locked_that_the_newer_policy_limits() -> None:
    """
    The batch starts again with it, and counts.
    """
    here = with_terminals(bench())
    here.books.rules = counting(version=2)

    await here.answers(*(redeem(amount(1), number=n) for n in (1, 2, 3)))

    assert [list(one.terminals) for one in here.books.opened] == [[], [1]]
    assert here.results() == ["APPROVED", "APPROVED", "COUNT_EXCEEDED"]
    assert here.books.terminal_uses[world.TERMINAL].spends == 2


async def test_an_undoing_from_beside_gives_back_to_the_originals_terminal() -> None:
    """
    Both are locked; what another terminal did is untouched.
    """
    here = with_terminals(bench(rules=counting()))
    await here.answers(
        redeem(amount(1), number=1), on_second(redeem(amount(1), number=2))
    )
    await here.answers(on_second(void(1, number=3)))

    assert here.books.terminal_uses[world.TERMINAL].spends == 0
    assert here.books.terminal_uses[T2].spends == 1


async def test_what_was_counted_is_given_back_after_the_limits_went() -> None:
    """
    The original says that it counted, so its terminal is locked in a second attempt.
    """
    here = with_terminals(bench(rules=counting()))
    await here.answers(redeem(amount(1), number=1))
    here.books.rules = lane_policy(2)
    await here.answers(load(amount(1), number=2))
    await here.answers(reverse(1, number=3))

    assert here.books.terminal_uses[world.TERMINAL].spends == 0
    assert [list(one.terminals) for one in here.books.opened] == [[1], [1], [], [1]]
