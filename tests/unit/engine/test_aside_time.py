"""
Who waits aside is refused when one transaction kept its card for all of its time.
"""

from dataclasses import replace

import pytest

from gateway.domain.errors import ConcurrencyError
from gateway.domain.ids import CardId
from gateway.engine import aside
from gateway.engine.aside import Patience
from gateway.engine.ports import LockTimeoutError
from tests.support import world
from tests.support.engine_world import (
    BOUNDS,
    OPEN,
    Bench,
    answered,
    bench,
    mixed,
    of_second_card,
    outcome,
    raising,
    sales,
    second_card,
)

SECOND = CardId(2)
TIMEOUT = LockTimeoutError("55P03")


class Clock:
    """
    The loop's clock, as a test sets it.
    """

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """
        Tell the time.
        """
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """
    Hold the time of those who wait, until the test moves it.
    """
    hands = Clock()
    monkeypatch.setattr(aside, "_now_s", hands)
    return hands


def quarter(*, holder: int = 1) -> Bench:
    """
    Make a bench whose second card a transaction holds, with waits of 250 ms.
    """
    usual = replace(BOUNDS, patience=Patience())
    lane = bench(world.card(), second_card(**OPEN), bounds=usual)
    lane.books.held.add(SECOND)
    lane.books.holders[SECOND] = holder
    return lane


async def test_who_is_kept_is_refused_after_its_time(clock: Clock) -> None:
    """
    The same transaction at every look: a stranger keeps the card.
    """
    lane = quarter()
    items = mixed(lane, 2, 0)
    await lane.runner.run(items)
    clock.now_s = 0.24
    await lane.runner.run(mixed(lane, 2))
    waited = lane.runner.aside
    clock.now_s = 0.26
    await lane.runner.run(mixed(lane, 2))

    assert waited == 1
    assert lane.runner.aside == 0
    assert type(outcome(items[0])) is ConcurrencyError


async def test_whom_a_look_found_free_has_all_its_time_again(clock: Clock) -> None:
    """
    Nobody kept its card at the last look, so its lock was had by chance by another.

    A neighbour was once refused here as if the 250 ms since it was first put aside had
    been a stranger's.
    """
    lane = quarter()
    items = mixed(lane, 2, 0)
    await lane.runner.run(items)
    lane.books.held.clear()
    clock.now_s = 0.3
    lane.books.strike("open", raising(TIMEOUT))
    await lane.runner.run([])
    waited = lane.runner.aside
    await lane.runner.run([])

    assert waited == 1
    assert answered(items) == [True, True]


@pytest.mark.parametrize("company", [0, 2])
async def test_a_card_that_goes_from_hand_to_hand_is_not_kept(
    clock: Clock, company: int
) -> None:
    """
    Another transaction holds it at each look: its time begins anew, alone or not.

    What they do may change nothing of the card, so that its version says nothing.
    """
    lane = quarter()
    items = mixed(lane, 2, 0)
    await lane.runner.run(items)
    for holder in range(2, 8):
        clock.now_s += 0.2
        lane.books.holders[SECOND] = holder
        await lane.runner.run(mixed(lane, company))
    waited = lane.runner.aside
    lane.books.held.clear()
    await lane.runner.run([])

    assert waited == 1
    assert answered(items) == [True, True]


async def test_a_look_at_others_forgets_nobody(clock: Clock) -> None:
    """
    A batch that waits for something else looks at its own cards only.
    """
    lane = quarter()
    items = mixed(lane, 2, 0)
    await lane.runner.run(items)
    lane.books.strike("open", raising(TIMEOUT))
    await lane.runner.run(mixed(lane, 2))
    clock.now_s = 0.3
    lane.books.holders[SECOND] = 2
    lane.books.strike("open", lane.books.held.clear)
    await lane.runner.run([])

    assert answered(items) == [True, True]


async def test_a_busy_card_is_not_waited_for_beyond_the_deadline(clock: Clock) -> None:
    """
    From however many hands to hands it goes: ABORTED, NOT_APPLIED at the deadline.
    """
    lane = quarter()
    stuck = lane.item(of_second_card(sales(1)[0]), deadline=0.9)
    await lane.runner.run([*mixed(lane, 1), stuck])
    while lane.runner.aside:
        clock.now_s += 0.1
        lane.books.holders[SECOND] += 1
        await lane.runner.run([])

    assert type(outcome(stuck)) is ConcurrencyError
    assert 0.85 < clock.now_s < 1


async def test_who_waits_for_no_card_is_refused_after_its_time(clock: Clock) -> None:
    """
    Its card is free before and after it waited in vain: a request's key, say, is kept.
    """
    lane = quarter()
    lane.books.held.clear()
    items = mixed(lane, 2)
    lane.books.poison[items[0].command.request_id] = TIMEOUT
    await lane.runner.run(items)
    clock.now_s = 0.24
    await lane.runner.run([])
    waited = lane.runner.aside
    clock.now_s = 0.26
    await lane.runner.run([])

    assert waited == 1
    assert type(outcome(items[0])) is ConcurrencyError


async def test_who_finds_its_card_taken_begins_anew(clock: Clock) -> None:
    """
    What it waited for in vain may have been its card: from here on it is.
    """
    lane = quarter()
    lane.books.held.clear()
    items = mixed(lane, 2, 0)
    lane.books.poison[items[0].command.request_id] = TIMEOUT
    await lane.runner.run(items)
    clock.now_s = 0.2
    lane.books.held.add(SECOND)
    await lane.runner.run([])
    clock.now_s = 0.4
    await lane.runner.run([])
    waited = lane.runner.aside
    clock.now_s = 0.46
    await lane.runner.run([])

    assert waited == 1
    assert type(outcome(items[0])) is ConcurrencyError
