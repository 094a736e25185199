"""
What tests of several kinds do with a lane's books.
"""

from typing import Any

import psycopg

from gateway.books.lane import PostgresBooks
from gateway.engine.ports import WriteSet
from tests.support.ledger import load, lock_request, moved, new_claim

Connection = psycopg.AsyncConnection[Any]


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
