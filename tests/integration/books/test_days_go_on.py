"""
The days on which limits count go on, also when the clock of the books goes back.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from gateway.books.check import check_books
from gateway.books.lane import PostgresBooks
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.limits import DayUse
from gateway.domain.results import Result
from tests.support.ledger import load as loading
from tests.support.ledger import lock_request, moved, new_claim
from tests.support.real_lanes import RealLane, on_card, real_lane
from tests.support.stores import FreshDatabase
from tests.support.world import amount, load, redeem, reverse

Owner = psycopg.AsyncConnection[Any]

LIMITED = """
INSERT INTO terminal_use (terminal_id, currency) VALUES (1, 'USD');
INSERT INTO limit_version (terminal_id, version, spend_day_count) VALUES (1, 1, 3);
"""
SHIFT = "UPDATE clock_offset SET shift = %s"
USES = "SELECT counted_on, spends, spend_minor FROM terminal_use"


@pytest_asyncio.fixture
async def lane(seeded: FreshDatabase) -> AsyncIterator[RealLane]:
    """
    Give a lane whose first terminal sells three times a day, on cards that have money.
    """
    with psycopg.connect(seeded.owner_dsn) as connection:
        connection.execute(LIMITED)
    async with real_lane(seeded.gateway_dsn) as made:
        for card_id in (1, 2):
            await made.ask(on_card(load(amount(50_00), number=card_id), card_id))
        yield made
    assert await check_books(seeded.owner_dsn) == []


async def test_a_terminal_counts_on_though_the_clock_went_back(
    lane: RealLane, owner: Owner
) -> None:
    """
    Two sales tomorrow, two today on a card that knows of no tomorrow: the fourth is 65.

    Taken back on the day that is not counted any more, a sale makes no room.
    """
    await owner.execute(SHIFT, [timedelta(days=1)])
    await lane.ask(*[on_card(redeem(amount(1_00), number=n), 1) for n in (11, 12)])
    await owner.execute(SHIFT, [timedelta(0)])
    before = await (await owner.execute(USES)).fetchone()
    third, fourth = await lane.ask(
        *[on_card(redeem(amount(1_00), number=n), 2) for n in (13, 14)]
    )
    await lane.ask(on_card(reverse(13, number=15), 2))
    (fifth,) = await lane.ask(on_card(redeem(amount(1_00), number=16), 2))
    after = await (await owner.execute(USES)).fetchone()

    assert third.record.result is Result.APPROVED
    assert fourth.record.result is fifth.record.result is Result.COUNT_EXCEEDED
    assert before is not None
    assert after == (before[0], 3, 3_00)


@pytest.mark.parametrize("of", ["card", "terminal"])
async def test_the_books_refuse_an_earlier_day(
    books: PostgresBooks, owner: Owner, of: str
) -> None:
    """
    Whatever a worker says: nothing of its batch is written.
    """
    await owner.execute(LIMITED)
    await owner.execute("UPDATE terminal_use SET counted_on = '2026-12-24'")
    await owner.execute("UPDATE card SET counted_on = '2026-12-24'")
    claim = new_claim()
    batch, locked = await books.open(
        replace(lock_request(claim, cards=(1,)), terminals=[TerminalId(1)])
    )
    early = DayUse(locked.uses[CardId(1)].day, spends=1)
    if early.day is not None:
        early = early._replace(day=early.day - timedelta(days=1))
    writes = moved(locked.cards[0], claim, loading(100), locked)
    changes: dict[str, Any] = {"uses": {CardId(1): early}}
    if of == "terminal":
        changes = {
            "uses": dict(locked.uses),
            "terminal_uses": {TerminalId(1): early},
        }

    with pytest.raises(InvariantError):
        await batch.commit(replace(writes, **changes))

    uses = await (await owner.execute(USES)).fetchone()
    assert uses is not None
    assert uses[1] == 0
