"""
The lane: one bounded queue, one batch in flight, every request answered.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.domain.commands import MoneyCommand
from gateway.domain.errors import (
    DeadlineOverError,
    DependencyError,
    GatewayError,
    ThrottledError,
)
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.results import Result
from gateway.engine.answers import Answer
from gateway.engine.lane import Lane, LaneSettings
from gateway.engine.ports import Admission
from tests.support import world
from tests.support.engine_world import (
    CONTROLLER,
    FAR,
    Bench,
    bench,
    kinds,
    of_second_card,
    on_second,
    sales,
)
from tests.support.fake_ports import FakeLive
from tests.support.late_requests import advice
from tests.support.world import amount, card, redeem


class Yielding(FakeLive):
    """
    Redis that takes a moment: other tasks run meanwhile, as they do in a worker.
    """

    async def admit(self, admissions: Sequence[Admission]) -> Sequence[int]:
        """
        Let the others run, then admit.
        """
        await asyncio.sleep(0)
        return await super().admit(admissions)


def lane_of(
    around: Bench, live: FakeLive, *, queue_limit: int = 100, batch_limit: int = 50
) -> Lane:
    """
    Make a lane on a bench.
    """
    settings = LaneSettings(
        queue_limit=queue_limit,
        batch_limit=batch_limit,
        restart_limit=3,
        retry_limit=3,
        resolve_timeout_s=1,
    )
    return Lane(
        tools=around.tools,
        live=live,
        settings=settings,
        observer=around.observer,
        jitter=lambda: 0,
    )


@asynccontextmanager
async def running(lane: Lane) -> AsyncIterator[None]:
    """
    Run a lane, and drain it at the end: it must come to its end by itself.
    """
    task = asyncio.create_task(lane.run())
    yield
    lane.drain()
    await asyncio.wait_for(task, timeout=5)


def submit(
    lane: Lane, *commands: MoneyCommand, deadline: float = FAR
) -> list[asyncio.Future[Answer]]:
    """
    Queue requests of the controller's.
    """
    return [lane.submit(CONTROLLER, command, deadline) for command in commands]


async def got(futures: list[asyncio.Future[Answer]]) -> list[Answer | GatewayError]:
    """
    Wait for what each request gets.
    """
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(one, Answer | GatewayError) for one in results)
    return results  # type: ignore[return-value]


async def test_what_waits_becomes_one_batch() -> None:
    """
    Queued together, committed together; the observer hears of it.
    """
    around = bench()
    lane = lane_of(around, FakeLive())
    futures = submit(lane, *sales(5))

    async with running(lane):
        answers = await got(futures)

    assert kinds(answers) == [Answer] * 5
    assert around.books.commits == 1
    assert around.observer.batches == [5]


async def test_what_arrives_meanwhile_becomes_the_next_batch() -> None:
    """
    While one batch commits the queue fills; an idle lane starts at once.
    """
    around = bench()
    lane = lane_of(around, FakeLive())
    late: list[asyncio.Future[Answer]] = []
    around.faults.actions["before_commit"] = lambda: (
        late.extend(submit(lane, *sales(6)[3:])) if not late else None
    )

    async with running(lane):
        await asyncio.sleep(0)
        first = await got(submit(lane, *sales(3)))
        second = await got(late)

    assert kinds([*first, *second]) == [Answer] * 6
    assert around.observer.batches == [3, 3]
    assert around.books.commits == 2


async def test_a_batch_has_a_limit() -> None:
    """
    More than that waits for the next one, in the order of arrival.
    """
    around = bench()
    lane = lane_of(around, FakeLive(), batch_limit=2)
    futures = submit(lane, *sales(5))

    async with running(lane):
        answers = await got(futures)

    assert around.observer.batches == [2, 2, 1]
    balances = [a.record.balance_after_minor for a in answers if isinstance(a, Answer)]
    assert balances == [99_00, 98_00, 97_00, 96_00, 95_00]


async def test_a_full_queue_refuses() -> None:
    """
    RESOURCE_EXHAUSTED with a retry delay; what is queued is not touched.
    """
    around = bench()
    lane = lane_of(around, FakeLive(), queue_limit=2)
    futures = submit(lane, *sales(2))

    assert lane.free == 0
    with pytest.raises(ThrottledError) as refused:
        submit(lane, redeem(amount(1_00), number=9))
    assert refused.value.retry_after_ms > 0

    async with running(lane):
        assert kinds(await got(futures)) == [Answer] * 2
        assert lane.free == 2


async def test_a_deadline_is_checked_before_a_batch() -> None:
    """
    Over before the request was looked at: DEADLINE_EXCEEDED, nothing done.
    """
    around = bench()
    lane = lane_of(around, FakeLive())
    now = asyncio.get_running_loop().time()
    over = submit(lane, redeem(amount(1_00), number=1), deadline=now)
    just = submit(lane, redeem(amount(1_00), number=2), deadline=now + 60)

    async with running(lane):
        answers = await got([*over, *just])

    assert kinds(answers) == [DeadlineOverError, Answer]
    assert around.results() == ["APPROVED"]


async def test_who_no_longer_waits_is_left_out() -> None:
    """
    A cancelled request that entered no batch is never done.
    """
    around = bench()
    lane = lane_of(around, FakeLive())
    futures = submit(lane, *sales(3))
    futures[1].cancel()

    async with running(lane):
        answers = await got([futures[0], futures[2]])

    assert kinds(answers) == [Answer] * 2
    assert around.books.cards[CardId(1)].balance_minor == 98_00


async def test_a_drained_lane_answers_what_it_has_and_takes_no_more() -> None:
    """
    UNAVAILABLE, NOT_APPLIED for what comes after; `run` returns when all is answered.
    """
    around = bench()
    lane = lane_of(around, FakeLive(), batch_limit=1)
    futures = submit(lane, *sales(3))
    lane.drain()

    with pytest.raises(DependencyError):
        submit(lane, redeem(amount(1_00), number=9))
    await asyncio.wait_for(lane.run(), timeout=5)

    assert kinds(await got(futures)) == [Answer] * 3


async def test_an_idle_lane_is_drained() -> None:
    """
    A lane that waits for work ends when it is told to.
    """
    lane = lane_of(bench(), FakeLive())

    async with running(lane):
        await asyncio.sleep(0)

    assert lane.free == 100


async def test_a_budget_that_is_used_up_holds_back() -> None:
    """
    RESOURCE_EXHAUSTED with the delay that Redis tells; the others go on.
    """
    around, live = bench(), FakeLive()
    live.waits.append([0, 70, 0])
    lane = lane_of(around, live)
    futures = submit(lane, *sales(3))

    async with running(lane):
        answers = await got(futures)

    assert kinds(answers) == [Answer, ThrottledError, Answer]
    assert isinstance(answers[1], ThrottledError)
    assert answers[1].retry_after_ms == 70
    assert around.results() == ["APPROVED", "APPROVED"]
    assert [(a.terminal_id, a.store_id, a.request_id) for a in live.admitted] == [
        (world.TERMINAL, world.STORE, command.request_id) for command in sales(3)
    ]


async def test_all_are_held_back() -> None:
    """
    A batch without requests does not touch the books, and the lane goes on.
    """
    around, live = bench(), FakeLive()
    live.waits.append([5, 5])
    lane = lane_of(around, live)
    futures = submit(lane, *sales(2))

    async with running(lane):
        assert kinds(await got(futures)) == [ThrottledError] * 2
        assert around.books.passed == []
        assert kinds(await got(submit(lane, *sales(1)))) == [Answer]


async def test_who_went_away_while_it_was_counted() -> None:
    """
    A cancelled request that is held back is told nothing.
    """
    around, live = bench(), Yielding()
    live.waits.append([5, 0])
    lane = lane_of(around, live)
    futures = submit(lane, *sales(2))

    async with running(lane):
        await asyncio.sleep(0)
        futures[0].cancel()
        answers = await got(futures[1:])

    assert futures[0].cancelled()
    assert kinds(answers) == [Answer]


async def test_news_are_told_after_the_answers() -> None:
    """
    The newest version of each card once; failed look-ups, but not of replays.
    """
    around, live = bench(), FakeLive()
    lane = lane_of(around, live)
    unknown = of_second_card(redeem(amount(1_00), number=8), b"\x09" * 32)
    offline = of_second_card(advice(amount(1_00), number=9), b"\x09" * 32)
    futures = submit(lane, *sales(3), unknown, unknown, offline)
    told_before: list[bool] = []
    around.faults.actions["after_answer"] = lambda: told_before.append(
        all(future.done() for future in futures) and not live.published
    )

    async with running(lane):
        answers = await got(futures)

    assert [a.record.result for a in answers[3:] if isinstance(a, Answer)] == [
        *[Result.INVALID_CARD] * 2,
        Result.APPROVED,
    ]
    assert told_before == [True]
    ((cards, failed),) = live.published
    assert [(one.card_id, one.balance_minor) for one in cards] == [(1, 97_00)]
    assert [(one.terminal_id, one.store_id) for one in failed] == [
        (world.TERMINAL, world.STORE)
    ] * 2


async def test_no_news_are_not_told() -> None:
    """
    A decline of a known card changes nothing that Redis keeps.
    """
    around, live = bench(card(0)), FakeLive()
    lane = lane_of(around, live)

    async with running(lane):
        await got(submit(lane, *sales(1)))

    assert live.published == []
    assert "after_answer" not in around.faults.reached


async def test_a_terminal_that_the_newest_policy_no_longer_has() -> None:
    """
    Whatever becomes of such a request, the lane lives on and answers the others.
    """
    around, live = bench(), FakeLive()
    lane = lane_of(around, live)
    gone = on_second(redeem(amount(1_00), number=7), TerminalId(77))

    async with running(lane):
        answers = await got(submit(lane, gone, *sales(1)))
        again = await got(submit(lane, redeem(amount(1_00), number=9)))

    assert isinstance(answers[0], GatewayError)
    assert kinds([*answers[1:], *again]) == [Answer] * 2


async def test_a_drained_lane_waits_for_who_was_put_aside() -> None:
    """
    It looks again by itself, soon, and ends when the card is free or the time over.
    """
    around = bench()
    around.books.held.add(CardId(2))
    lane = lane_of(around, FakeLive())
    first, second, third = sales(3)
    futures = submit(lane, first, of_second_card(second))

    async with running(lane):
        await futures[0]
        freed = asyncio.get_running_loop().call_later(0.05, around.books.held.clear)
        lane.drain()
        answers = await got(futures)

    assert freed.when() <= asyncio.get_running_loop().time()
    assert kinds(answers) == [Answer, Answer]
    with pytest.raises(DependencyError):
        submit(lane, third)


async def test_who_was_put_aside_counts_in_the_queue() -> None:
    """
    A card that is kept for long cannot fill the memory: the queue's bound is for all.
    """
    around = bench()
    around.books.held.add(CardId(2))
    lane = lane_of(around, FakeLive(), queue_limit=3)
    first, *others = sales(4)
    futures = submit(lane, first, *map(of_second_card, others[:2]))

    async with running(lane):
        await futures[0]
        free = lane.free
        submit(lane, of_second_card(others[2]))
        with pytest.raises(ThrottledError):
            submit(lane, first)
        around.books.held.clear()

    assert free == 1
    assert kinds(await got(futures)) == [Answer] * 3
