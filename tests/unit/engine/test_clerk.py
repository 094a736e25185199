import asyncio
from dataclasses import replace
from datetime import timedelta

from gateway.domain.errors import ConcurrencyError, DependencyError
from gateway.domain.ids import CardId
from gateway.engine.clerk_ports import Loaded, Page
from gateway.engine.expiry_loading import PAGE_HOLDS
from tests.support.clerk_world import (
    BOUNDS,
    At,
    Book,
    Expiries,
    hold,
    running,
    until,
)


async def test_it_wakes_when_a_hold_is_due() -> None:
    """
    Not before, and well before the next poll.
    """
    soon = hold(1, after_s=0.1)
    bounds = replace(BOUNDS, poll_s=2.0)
    async with running(Book(soon), Expiries(soon), bounds) as at:
        await at.until_released(1)

    assert [CardId(1)] == at.lane.swept
    assert 0 <= at.observer.lags_s[0] < 1


async def test_the_card_comes_from_the_books() -> None:
    """
    A hold that was moved to another card is released there.
    """
    moved = hold(1, card=9)
    async with running(Book(moved), Expiries(hold(1, card=1))) as at:
        await at.until_released(1)

    assert [CardId(9)] == at.lane.swept


async def test_what_ended_meanwhile_is_taken_out() -> None:
    """
    Redis tells of a hold that the books do not have: no sweep, and Redis is told.
    """
    gone = hold(1)
    async with running(Book(), Expiries(gone)) as at:
        await until(lambda: at.expiries.taken_out)

    assert [gone.hold_id] == at.expiries.taken_out
    assert [] == at.lane.swept


async def test_holds_of_one_card_share_a_sweep() -> None:
    """
    Several due at once cost one entry in the lane.
    """
    holds = [hold(number, card=1) for number in (1, 2, 3)]
    async with running(Book(*holds), Expiries(*holds)) as at:
        await at.until_released(3)

    assert [CardId(1)] == at.lane.swept


async def test_a_refused_sweep_is_tried_again() -> None:
    """
    A locked card, books that are away, a full lane: pauses, then it is released.
    """
    holds = [hold(number) for number in (1, 2)]
    book, expiries = Book(*holds), Expiries(*holds)
    at = At(book, expiries, BOUNDS)
    at.lane.refusals[CardId(1)] = [ConcurrencyError("kept")]
    at.lane.full = 1
    task = asyncio.create_task(at.clerk.run())
    await at.until_released(2)
    at.clerk.stop()
    await task

    assert {CardId(1), CardId(2)} == set(at.lane.swept)
    assert [] == at.observer.given_up


async def test_who_fails_too_often_is_left_to_the_next_look() -> None:
    """
    Its neighbour ends in time, and the failure is told with its reason.
    """
    bad, good = hold(1), hold(2)
    at = At(Book(bad, good), Expiries(bad, good), BOUNDS)
    fault = DependencyError("away")
    at.lane.refusals[CardId(1)] = [fault] * BOUNDS.retry_limit
    task = asyncio.create_task(at.clerk.run())
    await until(lambda: at.observer.given_up)
    at.clerk.stop()
    await task

    assert [(1, fault)] == at.observer.given_up
    assert [CardId(2)] == at.lane.swept


async def test_a_card_that_waits_keeps_no_other() -> None:
    """
    While one sweep waits for its card, its neighbours of the same take have ended.
    """
    slow, quick, later = hold(1), hold(2), hold(3, after_s=0.05)
    at = At(Book(slow, quick, later), Expiries(slow, quick, later), BOUNDS)
    at.lane.keeps.add(CardId(1))
    task = asyncio.create_task(at.clerk.run())
    await at.until_released(2)
    at.clerk.stop()
    (kept,) = at.lane.kept
    assert not task.done()
    kept.set_result(None)
    await task

    assert 3 == len(at.observer.lags_s)


async def test_without_redis_the_books_are_asked() -> None:
    """
    Again and again, for what is due by now.
    """
    holds = [hold(1), hold(2, after_s=0.05)]
    expiries = Expiries()
    expiries.away = True
    async with running(Book(*holds), expiries) as at:
        await at.until_released(2)

    assert not any(at.observer.used)
    assert len(at.book.looks) >= 2


async def test_what_redis_does_not_tell_is_found_in_the_books() -> None:
    """
    It says that it knows all, and misses one: the first look finds it.
    """
    missed = hold(1, after_s=-1)
    async with running(Book(missed), Expiries()) as at:
        await at.until_released(1)

    assert 0.9 < at.observer.lags_s[0] < 3


async def test_a_look_goes_through_all_pages() -> None:
    """
    More overdue holds than one look-up gives, and than may be under way at once.
    """
    holds = [hold(number) for number in range(1, 1_001)]
    expiries = Expiries()
    expiries.away = True
    async with running(Book(*holds), expiries) as at:
        await at.until_released(1_000)

    assert 1_000 == len(set(at.lane.swept))


async def test_redis_is_told_of_all_holds_after_a_loss() -> None:
    """
    Page by page, the last one marks that all are there.
    """
    count = PAGE_HOLDS + 5
    holds = [hold(number, after_s=600) for number in range(1, count + 1)]
    async with running(Book(*holds), Expiries(loaded=Loaded.LOST)) as at:
        await until(lambda: at.observer.loads)

    assert [count] == at.observer.loads
    pages = [(Page.FIRST, PAGE_HOLDS), (Page.NEXT, 5), (Page.LAST, 0)]
    assert pages == at.expiries.pages
    assert count == len(at.expiries.due)


async def test_a_load_of_another_is_left_alone() -> None:
    """
    While another clerk loads, this one releases by the books.
    """
    due = hold(1)
    async with running(Book(due), Expiries(loaded=Loaded.LOADING)) as at:
        await at.until_released(1)

    assert [] == at.expiries.pages


async def test_redis_is_told_again_now_and_then() -> None:
    """
    What was dropped on the way is there afterwards, without a mark.
    """
    missed = hold(1, after_s=600)
    bounds = replace(BOUNDS, reload_s=0.03)
    async with running(Book(missed), Expiries(), bounds) as at:
        await until(lambda: at.observer.loads)

    assert (Page.MORE, 1) == at.expiries.pages[0]
    assert missed.hold_id in at.expiries.due


async def test_a_load_that_is_refused_begins_again() -> None:
    """
    Redis was emptied meanwhile: nothing is told as loaded that is not.
    """
    later = hold(1, after_s=600)
    expiries = Expiries(loaded=Loaded.LOST)
    expiries.refused_pages = 1
    async with running(Book(later), expiries) as at:
        await until(lambda: at.observer.loads)

    assert [(Page.FIRST, 1), (Page.LAST, 0)] == expiries.pages


async def test_books_that_come_back_are_used_again() -> None:
    """
    Pauses while they are away, and every hold is released in the end.
    """
    due = hold(1)
    book = Book(due)
    book.away = 2
    expiries = Expiries()
    expiries.away = True
    async with running(book, expiries) as at:
        await at.until_released(1)

    assert at.observer.away >= 1
    assert [] == at.observer.alarms


async def test_a_turn_that_fails_is_told_and_not_the_last() -> None:
    """
    A fault of ours ends one turn, not the clerk.
    """
    due = hold(1)
    at = At(Book(due), Expiries(due), BOUNDS)
    faults = [RuntimeError("ours")]

    def fail() -> None:
        if faults:
            raise faults.pop()

    at.faults.actions["due_taken"] = fail
    task = asyncio.create_task(at.clerk.run())
    await until(lambda: at.observer.alarms)
    at.expiries.due[due.hold_id] = due.expires_at
    await at.until_released(1)
    at.clerk.stop()
    await task

    assert [CardId(1)] == at.lane.swept


async def test_it_follows_a_clock_that_is_shifted() -> None:
    """
    Seven days later by the books is now: the machine's clock is not looked at.
    """
    later = hold(1, after_s=7 * 86_400)
    async with running(Book(later), Expiries(later)) as at:
        await asyncio.sleep(0.03)
        assert [] == at.lane.swept
        at.book.shift = timedelta(days=7)
        await at.until_released(1)

    assert at.observer.lags_s[0] < 1
