"""
Sweeps: a card and no request, in a batch as any other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.cards import Card, CardState
from gateway.domain.errors import ConcurrencyError, DependencyError, ThrottledError
from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import CardId, TransactionId
from gateway.domain.results import ActivityType, Result
from gateway.engine.lane import Lane, LaneSettings
from tests.support import world
from tests.support.engine_world import (
    CONTROLLER,
    FAR,
    Bench,
    bench,
    second_card,
)
from tests.support.fake_ports import FakeLive

FIRST, SECOND = CardId(1), CardId(2)


def hold(number: int, *, card: CardId = FIRST, after_s: int = -1) -> Hold:
    """
    Make a hold of 30.00 that ends so long after now.
    """
    return Hold(
        hold_id=TransactionId((1_000 + number).to_bytes(16)),
        card_id=card,
        terminal_id=world.TERMINAL,
        state=HoldState.OPEN,
        currency_code="USD",
        authorized_minor=30_00,
        card_minor=30_00,
        captured_minor=0,
        captured_card_minor=0,
        rate_transaction=None,
        rate_card=None,
        applied_rate=None,
        rate_table_version=None,
        rate_effective_from=None,
        expires_at=world.NOW + timedelta(seconds=after_s),
    )


def holding(card: Card, *holds: Hold) -> Card:
    """
    Give a card that keeps these holds.
    """
    return replace(
        card,
        held_minor=sum(one.held_minor for one in holds),
        next_hold_expiry=min(one.expires_at for one in holds),
    )


def around(*holds: Hold) -> Bench:
    """
    Build two cards of 100.00 with holds.
    """
    first = world.card()
    other = second_card(
        state=CardState.ACTIVE,
        balance_minor=first.balance_minor,
        load_count=first.load_count,
    )
    cards = []
    for card in (first, other):
        own = [one for one in holds if one.card_id == card.card_id]
        cards.append(holding(card, *own) if own else card)
    made = bench(*cards)
    for one in holds:
        made.books.holds[one.hold_id] = one
        made.books.records[one.hold_id], _ = world.done(
            world.redeem(world.amount(30_00)), world.card()
        )
    return made


@asynccontextmanager
async def running(
    at: Bench, live: FakeLive, *, queue_limit: int = 100
) -> AsyncIterator[Lane]:
    """
    Run a lane, and drain it at the end.
    """
    settings = LaneSettings(
        queue_limit=queue_limit,
        batch_limit=min(50, queue_limit),
        restart_limit=3,
        retry_limit=3,
        resolve_timeout_s=1,
    )
    lane = Lane(
        tools=at.tools,
        live=live,
        settings=settings,
        observer=at.observer,
        jitter=lambda: 0,
    )
    task = asyncio.create_task(lane.run())
    yield lane
    lane.drain()
    await asyncio.wait_for(task, 5)


def releases(at: Bench) -> list[bytes | None]:
    """
    List which holds have a RELEASE row.
    """
    return [
        record.original_transaction_id
        for record in at.books.records.values()
        if record.activity is ActivityType.RELEASE
    ]


async def test_a_sweep_releases_what_is_due() -> None:
    """
    Each due hold by a row of its own; what is not due stays, and Redis is told.
    """
    due = [hold(1, after_s=-2), hold(2)]
    later = hold(3, after_s=60)
    at, live = around(*due, later), FakeLive()
    async with running(at, live) as lane:
        await lane.sweep(FIRST, FAR)
    card = at.books.cards[FIRST]

    assert [one.hold_id for one in due] == releases(at)
    assert (30_00, later.expires_at) == (card.held_minor, card.next_hold_expiry)
    assert [HoldState.EXPIRED] * 2 == [told.state for told in live.told_holds]
    assert [] == live.admitted


async def test_a_sweep_of_nothing_writes_nothing() -> None:
    """
    Nothing is due, or somebody was faster: done, without a row.
    """
    at = around(hold(1, after_s=60))
    async with running(at, FakeLive()) as lane:
        await asyncio.gather(lane.sweep(FIRST, FAR), lane.sweep(SECOND, FAR))

    assert 0 == at.books.commits
    assert [] == releases(at)


async def test_two_sweeps_of_a_card_release_once() -> None:
    """
    In one batch, or one after the other.
    """
    at = around(hold(1))
    async with running(at, FakeLive()) as lane:
        await asyncio.gather(lane.sweep(FIRST, FAR), lane.sweep(FIRST, FAR))
        await lane.sweep(FIRST, FAR)

    assert 1 == len(releases(at))


async def test_a_sale_in_the_same_batch_finds_the_money() -> None:
    """
    What is due is released before anything is decided.
    """
    at = around(hold(1))
    async with running(at, FakeLive()) as lane:
        sale = lane.submit(CONTROLLER, world.redeem(world.amount(100_00)), FAR)
        await lane.sweep(FIRST, FAR)
        answer = await sale

    assert Result.APPROVED is answer.record.result
    assert 1 == at.books.commits


async def test_a_sweep_does_not_wait_for_a_card() -> None:
    """
    Another has it locked: that one is told, its neighbour is released at once.
    """
    at = around(hold(1), hold(2, card=SECOND))
    at.books.held.add(FIRST)
    async with running(at, FakeLive()) as lane:
        kept, free = lane.sweep(FIRST, FAR), lane.sweep(SECOND, FAR)
        await free
        with pytest.raises(ConcurrencyError):
            await kept

    assert [hold(2).hold_id] == releases(at)
    assert not any(request.waits for request in at.books.opened)


async def test_a_batch_with_sales_waits_for_its_cards() -> None:
    """
    A sale must have its card; the sweeps beside it are looked at with it.
    """
    at = around(hold(1))
    async with running(at, FakeLive()) as lane:
        swept = lane.sweep(FIRST, FAR)
        await lane.submit(CONTROLLER, world.redeem(world.amount(1_00)), FAR)
        await swept

    assert at.books.opened[0].waits


async def test_a_full_or_draining_lane_takes_no_sweep() -> None:
    """
    The clerk is told at once, and tries again.
    """
    at = around(hold(1))
    async with running(at, FakeLive(), queue_limit=1) as lane:
        first = lane.sweep(FIRST, FAR)
        with pytest.raises(ThrottledError):
            await lane.sweep(SECOND, FAR)
        await first
    with pytest.raises(DependencyError):
        await lane.sweep(FIRST, FAR)
