"""
A commit was sent and its reply was lost: it is found out, or said to be unknown.
"""

import asyncio

import pytest

from gateway.domain.errors import (
    InvariantError,
    OutcomeUnknownError,
)
from gateway.domain.ids import CardId
from gateway.domain.results import CurrentState, Result
from gateway.engine import runner as engine_runner
from gateway.engine.answers import Answer
from gateway.engine.ports import (
    BooksUnavailableError,
    CommitUnknownError,
    ItemFaultError,
    LockTimeoutError,
    SerializationError,
)
from gateway.engine.runner import Bounds
from tests.support import world
from tests.support.engine_world import (
    OPEN,
    bench,
    kinds,
    of_second_card,
    outcome,
    raising,
    sales,
    second_card,
)
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


async def test_an_unknown_commit_that_did_happen() -> None:
    """
    Found by its keys and answered: one debit, and no request is told it was not.
    """
    lane = bench()
    lane.books.strike("committed", raising(UNKNOWN))

    answers = await lane.answers(*sales(3))

    assert [(a.record.result, a.replayed) for a in answers] == [
        (Result.APPROVED, True)
    ] * 3
    assert [a.state for a in answers] == [CurrentState.POSTED] * 3
    assert lane.books.cards[FIRST].balance_minor == 97_00
    assert lane.observer.unknown == [3]


async def test_an_unknown_commit_that_did_not_happen() -> None:
    """
    Decided now, once.
    """
    lane = bench()
    lane.books.strike("commit", raising(UNKNOWN))

    answers = await lane.answers(*sales(3))

    assert [a.replayed for a in answers] == [False] * 3
    assert lane.books.cards[FIRST].balance_minor == 97_00


@pytest.mark.parametrize("happened", [True, False])
async def test_finding_out_goes_on_through_every_obstacle(*, happened: bool) -> None:
    """
    The old backend keeps its locks, the server restarts, the reply is lost again.
    """
    lane = bench()
    lane.books.strike("committed" if happened else "commit", raising(UNKNOWN))
    lane.books.strike(
        "open",
        _nothing,
        raising(LockTimeoutError("55P03")),
        raising(BooksUnavailableError("57P03")),
        *[raising(SerializationError("40001"))] * 4,
        raising(LockTimeoutError("55P03")),
    )
    answers = await lane.answers(*sales(2))

    assert [a.record.result for a in answers] == [Result.APPROVED] * 2
    assert lane.books.cards[FIRST].balance_minor == 98_00
    assert not lane.observer.halvings


async def test_the_reply_is_lost_twice() -> None:
    """
    The second run of the batch ends like the first: it is run a third time.
    """
    lane = bench()
    lane.books.strike("commit", raising(UNKNOWN), raising(UNKNOWN))

    answers = await lane.answers(*sales(2))

    assert [a.replayed for a in answers] == [False] * 2
    assert lane.observer.unknown == [2]


async def test_who_has_no_time_left_is_told_that_it_is_unknown() -> None:
    """
    A deadline ends the wait of its own item: OUTCOME_UNKNOWN, never NOT_APPLIED.
    """
    lane = bench()
    lane.books.strike("committed", raising(UNKNOWN))
    now = asyncio.get_running_loop().time()
    short, patient = sales(2)
    items = [lane.item(short, deadline=now - 1), lane.item(patient)]

    await lane.runner.run(items)
    got = [outcome(item) for item in items]

    assert kinds(got) == [OutcomeUnknownError, Answer]
    assert isinstance(got[1], Answer)
    assert got[1].replayed


async def test_finding_out_has_an_end() -> None:
    """
    While the books stay away all that is known is that nothing is.
    """
    lane = bench(bounds=Bounds(restart_limit=3, retry_limit=3, resolve_timeout_s=0.02))
    away = raising(BooksUnavailableError("08006"))
    lane.books.strike("committed", raising(UNKNOWN))
    lane.books.strike("open", _nothing, *[away] * 100_000)

    got = await lane.run(*sales(2))

    assert kinds(got) == [OutcomeUnknownError] * 2


async def test_who_no_longer_waits_is_not_found_out() -> None:
    """
    A caller who went away leaves the batch; the others are answered.
    """
    lane = bench()
    items = [lane.item(command) for command in sales(2)]

    def lose() -> None:
        items[0].future.cancel()
        raise UNKNOWN

    lane.books.strike("commit", lose)

    await lane.runner.run(items)

    assert isinstance(outcome(items[1]), Answer)
    assert lane.results() == ["APPROVED"]


async def test_all_that_waited_went_away() -> None:
    """
    Nobody is left to find out for: the books are left alone.
    """
    lane = bench()
    item = lane.item(redeem(amount(1_00)))

    def lose() -> None:
        item.future.cancel()
        raise UNKNOWN

    lane.books.strike("commit", lose)

    assert await lane.runner.run([item]) == []
    assert lane.books.passed.count("open") == 1


async def test_an_items_fault_while_finding_out() -> None:
    """
    It is halved down to the item, which is unknown: its first commit may stand.
    """
    lane = bench()
    asked = sales(3)
    lane.books.strike("commit", raising(UNKNOWN))
    lane.books.poison[asked[1].request_id] = ITEM_FAULT

    got = await lane.run(*asked)

    assert kinds(got) == [Answer, OutcomeUnknownError, Answer]
    assert lane.observer.alarms == [("an item broke a constraint", ITEM_FAULT)]


async def test_restarts_while_finding_out_never_say_not_applied() -> None:
    """
    The bound of restarts is reached: unknown, because the first commit may stand.
    """
    lane = bench()
    await lane.answers(redeem(amount(1_00), number=9))

    def lose() -> None:
        lane.books.blind = True
        raise UNKNOWN

    lane.books.strike("commit", lose)

    (got,) = await lane.run(reverse(9, with_card=False))

    assert type(got) is OutcomeUnknownError


@pytest.mark.parametrize("happened", [True, False])
async def test_neighbours_of_restarts_are_found_out(*, happened: bool) -> None:
    """
    Only who asks to start again too often stays unknown; nobody gets "not applied".
    """
    lane = bench(world.card(), second_card(**OPEN))
    await lane.answers(of_second_card(redeem(amount(1_00), number=9)))

    def lose() -> None:
        lane.books.blind = True
        raise UNKNOWN

    lane.books.strike("committed" if happened else "commit", lose)

    back = reverse(9, with_card=False)
    got = await lane.run(*sales(2), back, *sales(4)[2:])

    assert kinds(got) == [Answer, Answer, OutcomeUnknownError, Answer, Answer]
    assert lane.observer.unknown == [5]
    assert not lane.observer.alarms


async def test_an_unknown_commit_of_one_half() -> None:
    """
    A batch that is being halved loses a reply: both halves come to their end.
    """
    lane = bench()
    asked = sales(4)
    lane.books.poison[asked[3].request_id] = ITEM_FAULT
    lane.books.strike("committed", raising(UNKNOWN))

    got = await lane.run(*asked)

    assert kinds(got) == [Answer, Answer, Answer, InvariantError]
    assert lane.observer.unknown == [2]
    assert lane.books.cards[FIRST].balance_minor == 97_00


def _nothing() -> None:
    """
    Let a place be passed.
    """
