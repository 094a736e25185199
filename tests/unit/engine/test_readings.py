"""
Questions that are not recorded: balances and status enquiries, many at once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.domain.commands import NO_CONTEXT, CardRef, GetBalance, GetTransaction
from gateway.domain.errors import (
    DeadlineOverError,
    DependencyError,
    DeviceDeniedError,
    GatewayError,
    InvariantError,
    TerminalDeniedError,
    ThrottledError,
    TransactionNotFoundError,
)
from gateway.domain.ids import RequestKey, TerminalId
from gateway.domain.policy import Caller
from gateway.domain.results import CurrentState, Result
from gateway.engine.answers import Answer
from gateway.engine.ports import BooksUnavailableError
from gateway.engine.readings import ReadingLane
from tests.support import world
from tests.support.engine_world import (
    CONTROLLER,
    FAR,
    T2,
    TILL_2,
    Bench,
    bench,
    kinds,
    lane_policy,
    raising,
)
from tests.support.fake_ports import FakeLive
from tests.support.world import amount, card, key, redeem, reverse

Question = GetBalance | GetTransaction
UNKNOWN_INDEX = b"\x09" * 32


@dataclass
class Desk:
    """
    A reading lane on a bench.
    """

    around: Bench
    live: FakeLive
    lane: ReadingLane

    def submit(
        self,
        *questions: Question,
        caller: Caller = CONTROLLER,
        deadline: float = FAR,
    ) -> list[asyncio.Future[Answer]]:
        """
        Queue questions.
        """
        return [self.lane.submit(caller, one, deadline) for one in questions]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """
        Run the lane, and drain it at the end: it must end by itself.
        """
        task = asyncio.create_task(self.lane.run())
        yield
        self.lane.drain()
        await asyncio.wait_for(task, timeout=5)

    async def ask(
        self, *questions: Question, caller: Caller = CONTROLLER
    ) -> list[Answer | GatewayError]:
        """
        Ask together, and wait for what each gets.
        """
        futures = self.submit(*questions, caller=caller)
        async with self.running():
            return await got(futures)


def desk(around: Bench | None = None, *, queue: int = 100, batch: int = 50) -> Desk:
    """
    Make one.
    """
    around, live = around or bench(), FakeLive()
    lane = ReadingLane(
        readings=around.books,
        policies=around.tools.policies,
        live=live,
        observer=around.observer,
        queue_limit=queue,
        batch_limit=batch,
    )
    return Desk(around, live, lane)


async def got(futures: list[asyncio.Future[Answer]]) -> list[Answer | GatewayError]:
    """
    Wait for what each question gets.
    """
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(one, Answer | GatewayError) for one in results)
    return results  # type: ignore[return-value]


def balance(
    index: bytes = world.NUMBER_INDEX, terminal_id: TerminalId = world.TERMINAL
) -> GetBalance:
    """
    Ask for a balance.
    """
    return GetBalance(
        request_id=None,
        terminal_id=terminal_id,
        card=CardRef(index, "1234"),
        till=NO_CONTEXT,
    )


async def test_balances_are_gathered() -> None:
    """
    One statement for all that wait; nothing is recorded.
    """
    at = desk()

    answers = await at.ask(balance(), balance(), balance(UNKNOWN_INDEX))

    told = [a.record for a in answers if isinstance(a, Answer)]
    assert [(r.result, r.balance_after_minor) for r in told] == [
        (Result.APPROVED, 100_00),
        (Result.APPROVED, 100_00),
        (Result.INVALID_CARD, None),
    ]
    assert at.around.books.passed == ["read"]
    assert not at.around.books.records
    assert [(f.terminal_id, f.store_id) for f in at.live.published[0][1]] == [
        (world.TERMINAL, world.STORE)
    ]
    assert [a.request_id for a in at.live.admitted] == [None] * 3


async def test_no_failed_look_up_is_nothing_to_tell() -> None:
    """
    Redis hears of unknown numbers only.
    """
    at = desk()

    await at.ask(balance())

    assert at.live.published == []


async def test_a_status_enquiry_tells_the_stored_answer_and_its_state() -> None:
    """
    Posted, reversed, declined: with `replayed`, from the recorded row.
    """
    around = bench()
    decided = await around.answers(
        redeem(amount(1_00), number=1),
        redeem(amount(1_00), number=2),
        reverse(2, number=3, with_card=False),
        redeem(amount(500_00), number=4),
    )

    answers = await desk(around).ask(*(GetTransaction(key=key(n)) for n in (1, 2, 4)))

    assert [(a.state, a.replayed) for a in answers if isinstance(a, Answer)] == [
        (CurrentState.POSTED, True),
        (CurrentState.REVERSED, True),
        (CurrentState.DECLINED, True),
    ]
    assert [a.record for a in answers if isinstance(a, Answer)] == [
        decided[n].record for n in (0, 1, 3)
    ]


async def test_an_absence_is_final_under_a_tombstone_only() -> None:
    """
    Not recorded so far: it may still wait in a queue. Reversed ahead: never will be.
    """
    around = bench()
    await around.answers(reverse(1))

    missing = await desk(around).ask(
        GetTransaction(key=key(1)), GetTransaction(key=key(2))
    )

    assert [m.final for m in missing if isinstance(m, TransactionNotFoundError)] == [
        True,
        False,
    ]


async def test_balances_and_enquiries_share_a_batch() -> None:
    """
    Each kind is one question to the books, whatever the order of arrival.
    """
    around = bench()
    await around.answers(redeem(amount(30_00)))
    around.books.passed.clear()

    answers = await desk(around).ask(
        GetTransaction(key=key(1)), balance(), GetTransaction(key=key(1)), balance()
    )

    balances = [a.record.balance_after_minor for a in answers if isinstance(a, Answer)]
    assert balances == [70_00] * 4
    assert around.books.passed.count("read") == 2


async def test_who_was_revoked_is_told_so() -> None:
    """
    The policy in force decides, for balances as for enquiries.
    """
    at = desk()
    at.around.books.rules = lane_policy(2, revoked=True)

    denied = await at.ask(
        balance(terminal_id=T2), GetTransaction(key=key(1)), caller=TILL_2
    )
    allowed = await desk(at.around).ask(balance())

    assert kinds([*denied, *allowed]) == [DeviceDeniedError] * 2 + [Answer]


async def test_a_terminal_that_is_gone() -> None:
    """
    Such a question is denied, and the others are answered.
    """
    gone = TerminalId(77)

    answers = await desk().ask(
        balance(terminal_id=gone),
        GetTransaction(key=RequestKey(gone, key(1).request_id)),
        balance(),
    )

    assert kinds(answers) == [TerminalDeniedError] * 2 + [Answer]


async def test_a_full_queue_refuses() -> None:
    """
    RESOURCE_EXHAUSTED with a retry delay.
    """
    at = desk(queue=2)
    futures = at.submit(balance(), balance())

    assert at.lane.free == 0
    with pytest.raises(ThrottledError) as refused:
        at.submit(balance())
    assert refused.value.retry_after_ms > 0

    async with at.running():
        assert kinds(await got(futures)) == [Answer] * 2


async def test_a_deadline_is_checked_before_a_batch() -> None:
    """
    Over before the question was looked at: DEADLINE_EXCEEDED.
    """
    at = desk()
    over = at.submit(balance(), deadline=asyncio.get_running_loop().time())
    just = at.submit(balance())

    async with at.running():
        assert kinds(await got([*over, *just])) == [DeadlineOverError, Answer]


async def test_a_batch_has_a_limit() -> None:
    """
    More than that is read by the next statement.
    """
    at = desk(batch=2)

    answers = await at.ask(*[balance()] * 5)

    assert kinds(answers) == [Answer] * 5
    assert at.around.books.passed.count("read") == 3


async def test_a_drained_lane_takes_no_more() -> None:
    """
    What waits is answered, what comes is UNAVAILABLE.
    """
    at = desk()
    futures = at.submit(balance())
    at.lane.drain()

    with pytest.raises(DependencyError):
        at.submit(balance())
    await asyncio.wait_for(at.lane.run(), timeout=5)

    assert kinds(await got(futures)) == [Answer]


async def test_an_idle_lane_answers_what_comes() -> None:
    """
    It waits for work, and ends when it is told to.
    """
    at = desk()

    async with at.running():
        await asyncio.sleep(0)
        assert kinds(await got(at.submit(balance()))) == [Answer]


async def test_a_budget_that_is_used_up_holds_back() -> None:
    """
    RESOURCE_EXHAUSTED with the delay that Redis tells; the others are answered.
    """
    at = desk()
    at.live.waits.append([0, 70])

    answers = await at.ask(balance(), balance())

    assert kinds(answers) == [Answer, ThrottledError]
    assert isinstance(answers[1], ThrottledError)
    assert answers[1].retry_after_ms == 70


@pytest.mark.parametrize(
    "question", [balance(), GetTransaction(key=key(1))], ids=["balance", "enquiry"]
)
async def test_who_went_away_is_left_out(question: Question) -> None:
    """
    Before the batch, while it is counted, while it is read, while that fails.
    """
    for place in ("queued", "counted", "held", "read", "failed"):
        at = desk()
        futures = at.submit(question, balance())

        def go_away(asked: asyncio.Future[Answer] = futures[0]) -> None:
            asked.cancel()

        def fail(asked: asyncio.Future[Answer] = futures[0]) -> None:
            asked.cancel()
            raise BooksUnavailableError("08006")

        if place == "queued":
            go_away()
        elif place in {"counted", "held"}:
            at.live.waits.append([5 if place == "held" else 0, 0])
            at.live.while_counting = go_away
        else:
            strikes = (go_away,) if place == "read" else (fail,)
            at.around.books.strike("read", *strikes)
        async with at.running():
            (answer,) = await got(futures[1:])

        assert futures[0].cancelled()
        expected = DependencyError if place == "failed" else Answer
        assert type(answer) is expected


@pytest.mark.parametrize("place", ["read", "policy"])
async def test_books_that_cannot_be_reached(place: str) -> None:
    """
    UNAVAILABLE for all that asked; the next ones are answered.
    """
    at = desk()
    at.around.books.strike(place, raising(BooksUnavailableError("08006")))
    at.around.books.rules = lane_policy(2)
    futures = at.submit(balance(), GetTransaction(key=key(1)))

    async with at.running():
        failed = await got(futures)
        again = await got(at.submit(balance()))

    assert kinds([*failed, *again]) == [DependencyError] * 2 + [Answer]
    assert not at.around.observer.alarms


async def test_a_fault_of_ours_is_an_alarm_and_no_end() -> None:
    """
    INTERNAL for the batch; a fault of the engine's own words passes as it is.
    """
    at = desk(bench(card()))
    at.around.books.strike("read", raising(ZeroDivisionError("surprise")))
    at.around.books.strike("read", raising(InvariantError("known")))

    async with at.running():
        first = await got(at.submit(balance()))
        second = await got(at.submit(balance()))
        third = await got(at.submit(balance()))

    assert kinds([*first, *second, *third]) == [InvariantError, InvariantError, Answer]
    assert [message for message, _ in at.around.observer.alarms] == ["a reading failed"]
