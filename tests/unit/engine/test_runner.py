"""
A batch comes to its end whatever happens on the way: halved, tried again, found out.
"""

import asyncio

import pytest

from gateway.domain.commands import MoneyCommand
from gateway.domain.errors import (
    ConcurrencyError,
    DependencyError,
    DeviceDeniedError,
    InvariantError,
    NotAppliedError,
)
from gateway.domain.ids import CardId
from gateway.engine import runner as engine_runner
from gateway.engine.answers import Answer
from gateway.engine.ports import (
    BooksUnavailableError,
    CommitUnknownError,
    ItemFaultError,
    LockTimeoutError,
    OvertakenError,
    SerializationError,
)
from tests.support import world
from tests.support.engine_world import (
    OPEN,
    TILL_2,
    bench,
    kinds,
    lane_policy,
    of_second_card,
    on_second,
    outcome,
    raising,
    sales,
    second_card,
)
from tests.support.fake_books import Strike
from tests.support.late_requests import advice
from tests.support.world import amount, redeem, reverse

FIRST = CardId(1)
ITEM_FAULT = ItemFaultError("22003")
UNKNOWN = CommitUnknownError("the connection was lost")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Try again at once: the pauses are for servers.
    """
    monkeypatch.setattr(engine_runner, "_RESOLVE_PAUSE_S", 0)


async def test_nothing_to_do_is_done() -> None:
    """
    An empty batch does not touch the books.
    """
    lane = bench()

    assert await lane.runner.run([]) == []
    assert lane.books.passed == []


# --- Halving ------------------------------------------------------------------------


@pytest.mark.parametrize("bad", range(8))
async def test_an_items_fault_is_halved_down_to_it(bad: int) -> None:
    """
    Of eight one is broken: it gets INTERNAL with an alarm, seven are answered.
    """
    lane = bench()
    asked = sales(8)
    lane.books.poison[asked[bad].request_id] = ITEM_FAULT

    got = await lane.run(*asked)

    assert [isinstance(one, Answer) for one in got] == [n != bad for n in range(8)]
    assert type(got[bad]) is InvariantError
    assert lane.observer.halvings == [8, 4, 2]
    assert lane.observer.alarms == [("an item broke a constraint", ITEM_FAULT)]
    assert lane.books.cards[FIRST].balance_minor == 93_00
    assert lane.books.cards[FIRST].version == 8


async def test_two_faults_in_both_halves() -> None:
    """
    Each is found; an odd batch is halved as well.
    """
    lane = bench()
    asked = sales(5)
    for bad in (0, 4):
        lane.books.poison[asked[bad].request_id] = ITEM_FAULT

    got = await lane.run(*asked)

    assert kinds(got) == [InvariantError, Answer, Answer, Answer, InvariantError]
    assert len(lane.observer.alarms) == 2


async def test_a_lock_that_another_keeps() -> None:
    """
    55P03: the item left alone answers ABORTED, NOT_APPLIED, without an alarm.
    """
    lane = bench()
    asked = sales(4)
    lane.books.poison[asked[2].request_id] = LockTimeoutError("55P03")

    got = await lane.run(*asked)

    assert kinds(got) == [Answer, Answer, ConcurrencyError, Answer]
    assert isinstance(got[2], NotAppliedError)
    assert got[2].retry_after_ms > 0
    assert not lane.observer.alarms


async def test_a_lock_timeout_at_the_lock_itself() -> None:
    """
    A lone request whose card another transaction keeps moves nothing.
    """
    lane = bench()
    lane.books.strike("open", raising(LockTimeoutError("55P03")))

    (got,) = await lane.run(redeem(amount(1_00)))

    assert type(got) is ConcurrencyError
    assert not lane.books.keys


async def test_who_was_refused_is_not_tried_again_in_a_half() -> None:
    """
    A decision that failed fails once, also when the rest is halved.
    """
    lane = bench(world.card(), second_card(product_id=404))
    asked = sales(4)
    lane.books.poison[asked[0].request_id] = ITEM_FAULT

    got = await lane.run(*asked[:3], of_second_card(asked[3]))

    assert kinds(got) == [InvariantError, Answer, Answer, InvariantError]
    messages = [message for message, _ in lane.observer.alarms]
    assert sorted(messages) == ["a decision failed", "an item broke a constraint"]


# --- Trying again -------------------------------------------------------------------


@pytest.mark.parametrize("place", ["open", "commit", "read_stored"])
async def test_a_serialization_failure_is_tried_again(place: str) -> None:
    """
    40001 and 40P01: the whole batch again, and it is answered once.
    """
    lane = bench()
    await lane.answers(redeem(amount(1_00), number=9))
    lane.books.strike(place, *[raising(SerializationError("40001"))] * 3)

    answers = await lane.answers(*sales(2), redeem(amount(1_00), number=9))

    assert [a.replayed for a in answers] == [False, False, True]
    assert lane.books.cards[FIRST].balance_minor == 97_00
    assert not lane.observer.halvings


async def test_tries_are_bounded() -> None:
    """
    At most three more times, then ABORTED, NOT_APPLIED for all of it.
    """
    lane = bench()
    lane.books.strike("commit", *[raising(SerializationError("40P01"))] * 9)

    got = await lane.run(*sales(2))

    assert kinds(got) == [ConcurrencyError] * 2
    assert lane.books.passed.count("commit") == 4
    assert lane.books.commits == 0


async def test_restarts_are_bounded() -> None:
    """
    A batch that keeps asking to start again ends: ABORTED, NOT_APPLIED.
    """
    lane = bench()
    await lane.answers(redeem(amount(1_00), number=9))
    lane.books.blind = True

    (got,) = await lane.run(reverse(9, with_card=False))

    assert type(got) is ConcurrencyError
    assert lane.observer.restarts == ["card not locked"] * 4
    assert lane.books.commits == 1


@pytest.mark.parametrize("blamed", range(5))
async def test_who_asks_to_start_again_too_often_fails_alone(blamed: int) -> None:
    """
    The batch is halved down to it: its neighbours are answered, each once.
    """
    lane = bench(world.card(), second_card(**OPEN))
    await lane.answers(of_second_card(redeem(amount(1_00), number=9)))
    lane.books.blind = True
    asked: list[MoneyCommand] = [*sales(4)]
    asked.insert(blamed, reverse(9, with_card=False))

    got = await lane.run(*asked)

    assert [isinstance(one, Answer) for one in got] == [n != blamed for n in range(5)]
    assert type(got[blamed]) is ConcurrencyError
    assert lane.books.cards[FIRST].balance_minor == 96_00
    assert lane.observer.halvings[0] == 5
    assert len(lane.observer.halvings) <= 3
    assert len(lane.observer.restarts) <= 4 * 4
    assert not lane.observer.alarms


async def test_all_that_ask_to_start_again_too_often_have_an_end() -> None:
    """
    Nobody is innocent: each is refused once, after as many tries as halves.
    """
    lane = bench()
    await lane.answers(*sales(8))
    lane.books.blind = True

    got = await lane.run(
        *[reverse(n, number=100 + n, with_card=False) for n in range(1, 9)]
    )

    assert kinds(got) == [ConcurrencyError] * 8
    assert len(lane.observer.restarts) == 4 * (8 + 7)
    assert lane.observer.halvings == [8, 4, 2, 2, 4, 2, 2]


async def test_who_was_refused_on_the_way_is_not_in_the_halves() -> None:
    """
    Its certificate was revoked: only those who are left are halved, and counted.
    """
    lane = bench()
    await lane.answers(redeem(amount(1_00), number=9))
    lane.books.blind = True
    lane.books.rules = lane_policy(2, revoked=True)
    gone = lane.item(on_second(redeem(amount(1_00), number=1)), caller=TILL_2)
    back = lane.item(reverse(9, with_card=False))

    await lane.runner.run([gone, back])

    assert kinds([outcome(gone), outcome(back)]) == [
        DeviceDeniedError,
        ConcurrencyError,
    ]
    assert not lane.observer.halvings


# --- Overtaken ----------------------------------------------------------------------


async def test_who_is_overtaken_decides_again() -> None:
    """
    Another worker undoes the same sale first, and no card's lock kept them apart.
    """
    lane = bench()
    await lane.answers(of_second_card(advice(amount(5_00)), b"\x77" * 32))
    lane.books.strike("commit", lane.rival(reverse(1, number=8, with_card=False)))

    answers = await lane.answers(
        reverse(1, number=7, with_card=False), redeem(amount(1_00), number=2)
    )

    assert [(a.record.result.name, a.record.effective) for a in answers] == [
        ("APPROVED", False),
        ("APPROVED", None),
    ]
    assert not lane.observer.halvings


async def test_who_is_always_overtaken_is_a_fault_of_ours() -> None:
    """
    It cannot be: after as many tries as for a serialization failure it is halved.
    """
    lane = bench()
    asked = sales(2)
    overtaken = OvertakenError("23505", constraint="transaction_effective_reversal_key")
    lane.books.poison[asked[0].request_id] = overtaken

    got = await lane.run(*asked)

    assert kinds(got) == [InvariantError, Answer]
    assert lane.books.passed.count("commit") == 4 + 4 + 1
    assert lane.observer.alarms == [("an item broke a constraint", overtaken)]


@pytest.mark.parametrize("place", ["look_up", "open", "commit", "policy"])
async def test_books_that_cannot_be_reached(place: str) -> None:
    """
    Before COMMIT was sent: no halving, UNAVAILABLE, NOT_APPLIED for all.
    """
    lane = bench()
    lane.books.rules = lane_policy(2)
    lane.books.strike(place, raising(BooksUnavailableError("08006")))

    got = await lane.run(*sales(2), reverse(1, with_card=False))

    assert kinds(got) == [DependencyError] * 3
    assert not lane.observer.halvings
    assert not lane.books.keys
    assert await lane.answers(redeem(amount(1_00), number=9))


async def test_what_nobody_foresaw_is_an_alarm_and_no_end() -> None:
    """
    A fault of ours: INTERNAL for the batch, an alarm, and the next batch runs.
    """
    lane = bench()
    lane.books.strike("open", raising(ZeroDivisionError("surprise")))

    got = await lane.run(*sales(2))

    assert kinds(got) == [InvariantError] * 2
    assert [message for message, _ in lane.observer.alarms] == ["a batch failed"]
    assert await lane.answers(redeem(amount(1_00), number=9))


async def test_an_answer_nobody_waits_for_is_dropped() -> None:
    """
    Cancelled while the batch commits: the request is done, the lane goes on.
    """
    lane = bench()
    items = [lane.item(command) for command in sales(2)]
    lane.books.strike("committed", _cancel(items[0].future))

    (done,) = await lane.runner.run(items)

    assert len(done.answers) == 2
    assert [card.balance_minor for card in done.cards] == [98_00]
    assert items[0].future.cancelled()


async def test_who_went_away_is_left_out() -> None:
    """
    Nobody waits for one of them, then for none: only what is waited for is done.
    """
    lane = bench()
    items = [lane.item(command) for command in sales(2)]
    items[0].future.cancel()

    await lane.runner.run(items)
    done = await lane.runner.run(items)

    assert lane.results() == ["APPROVED"]
    assert [one.answers for one in done] == [[]]


async def test_a_fault_nobody_waits_for_is_dropped() -> None:
    """
    Cancelled while the books could not be reached: the other one hears of it.
    """
    lane = bench()
    items = [lane.item(command) for command in sales(2)]

    def go_away() -> None:
        items[0].future.cancel()
        raise BooksUnavailableError("08006")

    lane.books.strike("open", go_away)

    await lane.runner.run(items)

    assert items[0].future.cancelled()
    assert type(outcome(items[1])) is DependencyError


def _cancel(future: asyncio.Future[Answer]) -> Strike:
    def strike() -> None:
        future.cancel()

    return strike
