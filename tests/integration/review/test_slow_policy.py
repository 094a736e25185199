"""
A worker too slow to learn the new rules loses its locks, and commits nothing.
"""

import asyncio
from contextlib import suppress

import psycopg
import pytest

from gateway.books.check import check_books
from gateway.books.connect import Session
from gateway.books.readings import PostgresReadings
from gateway.domain.errors import ConcurrencyError, DependencyError
from gateway.domain.policy import Policy
from gateway.engine.answers import Answer
from tests.support.ledger import seed
from tests.support.real_lanes import RealLane, on_card, real_lane
from tests.support.stores import FreshDatabase
from tests.support.world import amount, load, redeem

HASTY = Session(idle_in_transaction_timeout_ms=300)


async def sold_at_last(rival: RealLane) -> Answer:
    """
    Sell on the card that another worker has locked, within the time it may be.
    """
    sale = on_card(redeem(amount(30_00), number=3))
    async with asyncio.timeout(5):
        while True:
            with suppress(ConcurrencyError):
                (sold,) = await rival.ask(sale)
                return sold


async def test_a_rival_is_not_kept_waiting(
    database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    NOT_APPLIED for the slow one, whose retry is decided anew after the rival's sale.
    """
    await asyncio.to_thread(seed, database.owner_dsn)
    reading = asyncio.Event()
    done = asyncio.Event()
    plain = PostgresReadings.load_policy

    async def slow(self: PostgresReadings, known: Policy | None) -> Policy:
        if known is not None and not reading.is_set():
            reading.set()
            await done.wait()
        return await plain(self, known)

    monkeypatch.setattr(PostgresReadings, "load_policy", slow)
    ours = on_card(redeem(amount(80_00), number=2))
    async with (
        real_lane(database.gateway_dsn, session=HASTY) as slow_lane,
        real_lane(database.gateway_dsn) as rival,
    ):
        await rival.ask(on_card(load(amount(100_00), number=1)))
        with psycopg.connect(database.owner_dsn) as connection:
            connection.execute("UPDATE terminal SET state = 1")
        waiting = slow_lane.submit(ours)
        await asyncio.wait_for(reading.wait(), 5)
        await rival.policies.refresh()
        sold = await sold_at_last(rival)
        done.set()
        with pytest.raises(DependencyError):
            await waiting
        (again,) = await slow_lane.ask(ours)

    assert sold.record.balance_after_minor == 70_00
    assert again.record.result.name == "INSUFFICIENT_FUNDS"
    assert not again.replayed
    assert [] == await check_books(database.owner_dsn)
