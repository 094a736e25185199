"""
What the lane is told when Postgres refuses, waits or dies, and what is committed then.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from gateway.books.columns import posting_parameters
from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.books.wire import step
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId
from gateway.domain.results import ActivityType
from gateway.engine.ports import (
    BooksUnavailableError,
    CommitUnknownError,
    ItemFaultError,
    LockTimeoutError,
    WriteSet,
)
from tests.support.ledger import (
    Move,
    declined,
    load,
    lock_request,
    moved,
    new_claim,
)
from tests.support.postgres_proxy import COMMITTED, postgres_proxy
from tests.support.stores import FreshDatabase

Connection = psycopg.AsyncConnection[Any]
MakeBooks = Callable[..., PostgresBooks]

NOTHING = WriteSet(records=[], postings=[], cards=[], card_versions={})
PATIENT = Session(lock_timeout_ms=5_000, statement_timeout_ms=6_000)


async def committed(owner: Connection) -> int:
    """
    Count the transactions that were recorded.
    """
    cursor = await owner.execute("SELECT count(*) FROM transaction")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def kill_lanes(superuser: Connection) -> None:
    """
    End every backend of the gateway's role.
    """
    await superuser.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = 'scrip_gateway'"
    )


async def load_card(books: PostgresBooks, amount_minor: int) -> WriteSet:
    """
    Put money on card 1.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = moved(locked.cards[0], claim, load(amount_minor), locked)
    await batch.commit(writes)
    return writes


async def refuse(
    books: PostgresBooks, change: Callable[[WriteSet], WriteSet], constraint: str
) -> None:
    """
    Write one load that was spoiled, and see it refused by a constraint.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = change(moved(locked.cards[0], claim, load(100), locked))
    with pytest.raises(ItemFaultError) as caught:
        await batch.commit(writes)

    assert constraint == caught.value.constraint


async def test_an_items_fault_names_its_constraint(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    Each second wall refuses the whole batch by name, and the lane goes on.
    """

    def spoil(**changes: Any) -> Callable[[WriteSet], WriteSet]:
        return lambda writes: WriteSet(
            records=[writes.records[0]._replace(**changes)],
            postings=writes.postings,
            cards=writes.cards,
            card_versions=writes.card_versions,
        )

    def unbalanced(writes: WriteSet) -> WriteSet:
        return WriteSet(
            records=writes.records,
            postings=writes.postings[:1],
            cards=writes.cards,
            card_versions=writes.card_versions,
        )

    await refuse(books, spoil(approved_minor=-1), "transaction_approved_minor_check")
    await refuse(books, spoil(result=0), "transaction_result_check")
    await refuse(books, spoil(card_seq=None), "transaction_card_check")
    await refuse(books, unbalanced, "posting_balance_check")
    assert 0 == await committed(owner)

    await load_card(books, 500)
    await refuse(books, spoil(card_seq=1), "transaction_card_seq_key")
    assert 1 == await committed(owner)


async def test_a_second_effective_reversal_is_refused(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    One effective reversal of an original, whoever sends the second.
    """
    original = (await load_card(books, 500)).records[0]
    undo = Move(activity=ActivityType.REVERSAL, amount_minor=-200, original=original)
    first, second = new_claim(), new_claim()
    batch, locked = await books.open(lock_request(first, cards=(1,)))
    await batch.commit(moved(locked.cards[0], first, undo, locked))
    batch, locked = await books.open(lock_request(second, cards=(1,)))
    with pytest.raises(ItemFaultError) as caught:
        await batch.commit(moved(locked.cards[0], second, undo, locked))

    assert "transaction_effective_reversal_key" == caught.value.constraint
    assert 2 == await committed(owner)


async def test_a_claim_never_commits_without_its_outcome(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    COMMIT itself refuses a key whose transaction was not written.
    """
    claim = new_claim()
    batch, _ = await books.open(lock_request(claim))
    with pytest.raises(ItemFaultError) as caught:
        await batch.commit(NOTHING)

    assert "request_key_transaction_fkey" == caught.value.constraint
    batch, locked = await books.open(lock_request(claim))
    await batch.commit(declined(claim))
    assert frozenset({claim.key}) == locked.won
    assert 1 == await committed(owner)


async def test_a_card_must_be_as_it_was_locked(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    A card whose version is another is a fault of ours: nothing is committed.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = moved(locked.cards[0], claim, load(100), locked)
    writes.card_versions[CardId(1)] = 7
    with pytest.raises(InvariantError, match="0 rows were changed, not 1"):
        await batch.commit(writes)

    assert 0 == await committed(owner)


@pytest.mark.parametrize(
    "changes",
    [
        {"requested_minor": 2**70},
        {"merchant_reference": "a\x00b"},
        {"merchant_reference": "\ud800"},
        {"merchant_reference": "x" * 65},
        {"transaction_currency": "DOLLAR"},
        {"request_id": b"short"},
    ],
)
async def test_a_value_that_does_not_fit_is_its_items_fault(
    books: PostgresBooks, owner: Connection, changes: dict[str, Any]
) -> None:
    """
    What the column cannot hold is refused, here or there, and everything is given back.
    """
    claim = new_claim()
    batch, _ = await books.open(lock_request(claim, cards=(1,)))
    with pytest.raises(ItemFaultError):
        await batch.commit(declined(claim, **changes))

    assert 0 == await committed(owner)
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    await batch.rollback()
    assert frozenset({claim.key}) == locked.won


async def test_a_statement_that_takes_too_long_is_a_lock_timeout(
    make_books: MakeBooks,
) -> None:
    """
    statement_timeout (57014) ends a wait as lock_timeout does.
    """
    rival = make_books(PATIENT)
    ours = make_books(Session(lock_timeout_ms=5_000, statement_timeout_ms=150))
    batch, _ = await rival.open(lock_request(cards=(1,)))
    with pytest.raises(LockTimeoutError, match="57014"):
        await ours.open(lock_request(cards=(1,)))
    await batch.rollback()
    second, locked = await ours.open(lock_request(cards=(1,)))
    await second.rollback()

    assert 1 == len(locked.cards)


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
        stored = await batch.read_stored([claim.key])
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


async def test_a_commit_that_answers_rollback_is_no_commit(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    COMMIT of a failed transaction gives no error, only another tag: that is noticed.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    spoiled = moved(locked.cards[0], claim, load(100), locked).postings[:1]
    await batch._wire.trip([step("insert_postings", posting_parameters(spoiled))])
    with pytest.raises(InvariantError, match="ROLLBACK"):
        await batch.commit(NOTHING)

    assert 0 == await committed(owner)


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
