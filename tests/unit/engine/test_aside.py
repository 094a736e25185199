"""
A card that a stranger keeps holds up its own requests, and nobody else's.
"""

import asyncio
from dataclasses import replace

import pytest

from gateway.domain.errors import (
    ConcurrencyError,
    DependencyError,
    InvariantError,
    NotAppliedError,
)
from gateway.domain.ids import CardId
from gateway.engine import aside
from gateway.engine.answers import Answer
from gateway.engine.aside import Patience
from gateway.engine.ports import BooksUnavailableError, ItemFaultError, LockTimeoutError
from tests.support import world
from tests.support.engine_world import (
    BOUNDS,
    OPEN,
    Bench,
    answered,
    bench,
    kinds,
    mixed,
    of_second_card,
    outcome,
    raising,
    sales,
    second_card,
)
from tests.support.world import reverse

FIRST, SECOND = CardId(1), CardId(2)
LONG = replace(BOUNDS, patience=Patience(alone_ms=60_000))
TIMEOUT = LockTimeoutError("55P03")


def patient() -> Bench:
    """
    Make a bench whose second card has money and is kept, for as long as a test takes.
    """
    lane = bench(world.card(), second_card(**OPEN), bounds=LONG)
    lane.books.held.add(SECOND)
    return lane


def patiences(lane: Bench) -> list[int | None]:
    """
    Tell how long each attempt would wait for its locks.
    """
    return [request.patience_ms for request in lane.books.opened]


# --- The neighbours -----------------------------------------------------------------


async def test_the_first_wait_is_the_only_long_one() -> None:
    """
    The batch waits its whole time once; then the others run, and nothing is halved.
    """
    lane = patient()
    items = mixed(lane, 8, 2, 5)

    await lane.runner.run(items)

    assert answered(items) == [place not in (2, 5) for place in range(8)]
    assert patiences(lane) == [None, 20]
    assert lane.runner.aside == 2
    assert lane.observer.parted == [2]
    assert not lane.observer.halvings


async def test_the_next_batches_do_not_wait_for_it() -> None:
    """
    New requests for the card are found out before their batch runs.
    """
    lane = patient()
    await lane.runner.run(mixed(lane, 4, 0))

    for _ in range(3):
        items = mixed(lane, 4, 1)
        await lane.runner.run(items)
        assert answered(items) == [True, False, True, True]

    assert patiences(lane) == [None, 20, 20, 20, 20]
    assert lane.runner.aside == 4


async def test_a_batch_of_nobody_else_does_not_run() -> None:
    """
    Where all wait for the card, no transaction is begun for them.
    """
    lane = patient()
    items = mixed(lane, 2, 0, 1)

    await lane.runner.run(items)
    await lane.runner.run([])

    assert answered(items) == [False, False]
    assert patiences(lane) == [None]
    assert lane.books.looks == 2


async def test_without_a_held_card_nobody_looks() -> None:
    """
    What goes straight costs nothing more.
    """
    lane = bench()

    await lane.runner.run(mixed(lane, 4))

    assert lane.books.looks == 0
    assert patiences(lane) == [None]


async def test_batches_are_looked_through_only_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    When the card is free again, batches soon go straight.
    """
    monkeypatch.setattr(aside, "_ALERT_S", 0)
    lane = patient()
    await lane.runner.run(mixed(lane, 2, 0))
    lane.books.held.clear()

    await lane.runner.run([])
    looks = lane.books.looks
    await lane.runner.run(mixed(lane, 2, 0))

    assert lane.books.looks == looks
    assert patiences(lane)[-1] is None


# --- Who waits ----------------------------------------------------------------------


async def test_who_waits_is_answered_when_the_card_is_free() -> None:
    """
    The next batch takes them along, in their order and before those that came later.
    """
    lane = patient()
    early = mixed(lane, 4, 1, 3)
    await lane.runner.run(early)
    lane.books.held.clear()
    late = [lane.item(of_second_card(sale)) for sale in sales(6)[4:]]

    await lane.runner.run(late)

    assert answered([*early, *late]) == [True] * 6
    assert lane.runner.aside == 0
    chain = [row.request_id for row in lane.books.records.values()][2:]
    waited = [early[1], early[3], *late]
    assert chain == [item.command.request_id for item in waited]


async def test_who_is_freed_runs_in_batches_of_the_usual_size() -> None:
    """
    However many were put aside, none is larger than a batch may be.
    """
    lane = bench(
        world.card(),
        second_card(**OPEN),
        bounds=replace(LONG, batch_limit=4),
    )
    lane.books.held.add(SECOND)
    await lane.runner.run(mixed(lane, 4, 0, 1, 2))
    items = mixed(lane, 8, 4, 5, 6, 7)
    await lane.runner.run(items)
    lane.books.held.clear()
    lane.books.opened.clear()

    await lane.runner.run([])

    assert [len(request.claims) for request in lane.books.opened] == [4, 3]
    assert answered(items) == [True] * 8


async def test_a_card_that_is_not_let_go_is_told() -> None:
    """
    Its requests get ABORTED, NOT_APPLIED when their time is over; without an alarm.
    """
    lane = bench()
    lane.books.held.add(SECOND)
    asked = sales(3)

    got = await lane.run(asked[0], of_second_card(asked[1]), asked[2])

    assert kinds(got) == [Answer, ConcurrencyError, Answer]
    assert isinstance(got[1], NotAppliedError)
    assert not lane.observer.alarms


async def test_one_alone_waits_its_whole_time_at_the_lock() -> None:
    """
    It has no neighbours to spare: one long wait, and then ABORTED.
    """
    lane = patient()
    (item,) = mixed(lane, 1, 0)

    await lane.runner.run([item])

    assert type(outcome(item)) is ConcurrencyError
    assert patiences(lane) == [None]
    assert lane.books.looks == 0


@pytest.mark.parametrize("over", ["deadline", "cancelled"])
async def test_nobody_waits_longer_than_its_till(over: str) -> None:
    """
    Whose deadline is over, or who no longer waits, is not tried again.
    """
    lane = patient()
    now_s = asyncio.get_running_loop().time()
    stuck = lane.item(of_second_card(sales(1)[0]), deadline=now_s + 0.03)
    await lane.runner.run([*mixed(lane, 1), stuck])
    lane.books.held.clear()
    if over == "cancelled":
        stuck.future.cancel()
    else:
        await asyncio.sleep(0.04)

    await lane.runner.run([])

    assert lane.runner.aside == 0
    assert len(lane.books.records) == 1
    if over == "deadline":
        assert type(outcome(stuck)) is ConcurrencyError


async def test_who_names_an_original_of_the_card_waits_too() -> None:
    """
    A reversal locks its original's card, although it does not name it.
    """
    lane = bench(world.card(), second_card(**OPEN), bounds=LONG)
    sold = of_second_card(sales(1)[0])
    await lane.answers(sold)
    lane.books.held.add(SECOND)
    undo = lane.item(reverse(1, number=2))
    unknown = lane.item(reverse(9, number=3))
    sale = lane.item(sales(4)[3])

    await lane.runner.run([undo, unknown, sale])

    assert answered([undo, unknown, sale]) == [False, True, True]
    lane.books.held.clear()
    await lane.runner.run([])
    assert isinstance(outcome(undo), Answer)


async def test_a_busy_card_is_queued_for_and_not_put_aside_again() -> None:
    """
    Its version grew since it was last found held: others trade on it, nobody keeps it.

    Found held by chance again and again, its requests would never get their turn.
    """
    lane = patient()
    items = mixed(lane, 2, 0)
    await lane.runner.run(items)
    lane.books.cards[SECOND] = replace(lane.books.cards[SECOND], version=7)
    lane.books.strike("open", lane.books.held.clear)

    await lane.runner.run([])

    assert answered(items) == [True, True]
    assert patiences(lane) == [None, 20, 20]


async def test_a_busy_card_that_is_not_got_is_waited_for_aside() -> None:
    """
    It was queued for and not had: its neighbours do not wait a second time.
    """
    lane = patient()
    await lane.runner.run(mixed(lane, 2, 0))
    lane.books.cards[SECOND] = replace(lane.books.cards[SECOND], version=7)

    items = mixed(lane, 2)
    await lane.runner.run(items)

    assert answered(items) == [True, True]
    assert patiences(lane) == [None, 20, 20, 20]
    assert lane.runner.aside == 1


# --- When it is no card, or the look itself fails -----------------------------------


async def test_what_is_no_held_card_is_halved_with_short_waits() -> None:
    """
    A request's key, say: the halves wait a little each, the one left alone aside.
    """
    lane = bench(bounds=LONG)
    items = mixed(lane, 4)
    lane.books.poison[items[2].command.request_id] = TIMEOUT

    await lane.runner.run(items)

    assert answered(items) == [True, True, False, True]
    assert patiences(lane) == [None, 20, 20, 20, 20]
    assert lane.observer.halvings == [4, 2]
    assert lane.runner.aside == 1
    lane.books.poison.clear()
    await lane.runner.run([])
    assert answered(items) == [True] * 4


async def test_an_items_fault_does_not_shorten_the_wait() -> None:
    """
    A broken constraint says nothing of locks: the halves wait as the whole would.
    """
    lane = bench(bounds=LONG)
    items = mixed(lane, 2)
    lane.books.poison[items[0].command.request_id] = ItemFaultError("22003")

    await lane.runner.run(items)

    assert patiences(lane) == [None, None, None]
    assert type(outcome(items[0])) is InvariantError


async def test_a_table_that_is_held_puts_all_aside() -> None:
    """
    A migration keeps all cards: everybody waits, in short waits, and is then told.
    """
    lane = bench(bounds=LONG)
    items = mixed(lane, 3)
    lane.books.strike("open", raising(TIMEOUT))
    lane.books.strike("held", raising(TIMEOUT))

    await lane.runner.run(items)

    assert lane.runner.aside == 3
    assert patiences(lane) == [None]
    await lane.runner.run([])
    assert answered(items) == [True] * 3


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BooksUnavailableError("gone"), DependencyError),
        (RuntimeError("a bug"), InvariantError),
    ],
)
async def test_who_cannot_be_looked_after_is_refused(
    error: Exception, told: type
) -> None:
    """
    No connection, or a fault of ours: nobody is forgotten aside.
    """
    lane = patient()
    items = mixed(lane, 2, 0)
    await lane.runner.run(items)
    lane.books.strike("held", raising(error))

    await lane.runner.run([])

    assert type(outcome(items[0])) is told
    assert lane.runner.aside == 0
