"""
What the lane is told when its connection ends, and what is committed then.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.engine.ports import BooksUnavailableError, CommitUnknownError
from tests.support.lanes import committed, kill_lanes, load_card
from tests.support.ledger import (
    load,
    lock_request,
    moved,
    new_claim,
)
from tests.support.postgres_proxy import COMMITTED, postgres_proxy
from tests.support.stores import FreshDatabase

Connection = psycopg.AsyncConnection[Any]
MakeBooks = Callable[..., PostgresBooks]

PATIENT = Session(lock_timeout_ms=5_000, statement_timeout_ms=6_000)


async def test_a_batch_that_idles_loses_its_locks(
    make_books: MakeBooks, owner: Connection
) -> None:
    """
    A paused worker is rolled back by the server; its commit is known not to be applied.
    """
    paused, other = (
        make_books(Session(idle_in_transaction_timeout_ms=100)),
        make_books(),
    )
    claim = new_claim()
    batch, locked = await paused.open(lock_request(claim, cards=(1,)))
    await asyncio.sleep(0.4)
    second, free = await other.open(lock_request(claim, cards=(1,)))
    await second.rollback()
    with pytest.raises(BooksUnavailableError):
        await batch.commit(moved(locked.cards[0], claim, load(100), locked))
    await load_card(paused, 300)

    assert frozenset({claim.key}) == free.won
    assert 1 == await committed(owner)


async def test_a_backend_killed_before_the_commit(
    books: PostgresBooks, superuser: Connection
) -> None:
    """
    A loss that is noticed before COMMIT was sent proves that nothing was applied.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    await kill_lanes(superuser)
    with pytest.raises(BooksUnavailableError):
        await batch.commit(moved(locked.cards[0], claim, load(100), locked))

    assert 0 == await committed(superuser)
    await load_card(books, 300)
    assert 1 == await committed(superuser)


async def test_a_backend_killed_while_it_writes(
    make_books: MakeBooks, superuser: Connection, owner: Connection
) -> None:
    """
    A loss after COMMIT was sent leaves the outcome unknown, though nothing was applied.
    """
    books = make_books(PATIENT)
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    async with owner.transaction():
        await owner.execute("LOCK TABLE transaction IN EXCLUSIVE MODE")
        writing = asyncio.ensure_future(
            batch.commit(moved(locked.cards[0], claim, load(100), locked))
        )
        await asyncio.sleep(0.1)
        await kill_lanes(superuser)
        with pytest.raises(CommitUnknownError):
            await writing

    assert 0 == await committed(superuser)


async def test_a_connection_cut_after_the_commit(
    seeded: FreshDatabase, owner: Connection
) -> None:
    """
    The server committed, its reply is lost: unknown; the same batch again finds it.
    """
    async with postgres_proxy(seeded.gateway_dsn) as proxy:
        books = PostgresBooks(proxy.dsn, Session())
        claim = new_claim()
        batch, locked = await books.open(lock_request(claim, cards=(1,)))
        proxy.cut_at = COMMITTED
        writes = moved(locked.cards[0], claim, load(100), locked)
        with pytest.raises(CommitUnknownError):
            await batch.commit(writes)
        proxy.cut_at = None
        batch, again = await books.open(lock_request(claim, cards=(1,)))
        stored = (await batch.read_stored([claim.key])).requests
        await batch.rollback()
        await books.close()

    assert 1 == await committed(owner)
    assert frozenset() == again.won
    assert writes.records[0] == stored[claim.key].record


async def test_a_silent_server_counts_as_lost(seeded: FreshDatabase) -> None:
    """
    A server that says nothing at all is given up, before COMMIT and after.
    """
    session = Session(
        lock_timeout_ms=50, statement_timeout_ms=100, tcp_user_timeout_ms=0
    )
    async with postgres_proxy(seeded.gateway_dsn) as proxy:
        books = PostgresBooks(proxy.dsn, session)
        claim = new_claim()
        batch, locked = await books.open(lock_request(claim, cards=(1,)))
        proxy.hearing.clear()
        with pytest.raises(CommitUnknownError, match="does not answer"):
            await batch.commit(moved(locked.cards[0], claim, load(100), locked))
        proxy.hearing.set()
        await books.connect()
        proxy.hearing.clear()
        with pytest.raises(BooksUnavailableError, match="does not answer"):
            await books.open(lock_request())
        await books.close()


async def test_a_cancelled_batch_ends_its_connection(
    make_books: MakeBooks,
) -> None:
    """
    A lane that was cancelled while it waited leaves no lock and no open transaction.
    """
    rival, ours = make_books(PATIENT), make_books(PATIENT)
    batch, _ = await rival.open(lock_request(cards=(1,)))
    waiting = asyncio.ensure_future(ours.open(lock_request(cards=(2, 1))))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await batch.rollback()
    second, locked = await ours.open(lock_request(cards=(1, 2)))
    await second.rollback()

    assert 2 == len(locked.cards)


async def test_rollback_of_a_dead_connection_is_quiet(
    books: PostgresBooks, superuser: Connection
) -> None:
    """
    The server has rolled back by itself: there is nothing left to give back.
    """
    batch, _ = await books.open(lock_request(cards=(1,)))
    await kill_lanes(superuser)
    await batch.rollback()
    await asyncio.sleep(0.05)
    await batch.rollback()
    batch, locked = await books.open(lock_request(cards=(1,)))
    await batch.rollback()

    assert 1 == len(locked.cards)
