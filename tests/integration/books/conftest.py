"""
Books on a real Postgres: a seeded database, and lanes that are closed afterwards.
"""

from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
import pytest_asyncio

from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from tests.support.ledger import seed
from tests.support.stores import FreshDatabase

QUICK = Session(lock_timeout_ms=200, statement_timeout_ms=600)

MakeBooks = Callable[..., PostgresBooks]


@pytest.fixture
def seeded(database: FreshDatabase) -> FreshDatabase:
    """
    Give a database with one programme and four active, empty cards.
    """
    seed(database.owner_dsn)
    return database


@pytest_asyncio.fixture
async def make_books(seeded: FreshDatabase) -> AsyncIterator[MakeBooks]:
    """
    Make lanes' books; all are closed at the end.
    """
    made: list[PostgresBooks] = []

    def make(session: Session = QUICK) -> PostgresBooks:
        books = PostgresBooks(seeded.gateway_dsn, session)
        made.append(books)
        return books

    yield make
    for books in made:
        await books.close()


@pytest.fixture
def books(make_books: MakeBooks) -> PostgresBooks:
    """
    Give one lane's books.
    """
    return make_books()


@pytest_asyncio.fixture
async def owner(
    seeded: FreshDatabase,
) -> AsyncIterator[psycopg.AsyncConnection[psycopg.rows.TupleRow]]:
    """
    Give a connection that may do anything to the tables.
    """
    async with await psycopg.AsyncConnection.connect(
        seeded.owner_dsn, autocommit=True
    ) as connection:
        yield connection


@pytest_asyncio.fixture
async def superuser(
    seeded: FreshDatabase,
) -> AsyncIterator[psycopg.AsyncConnection[psycopg.rows.TupleRow]]:
    """
    Give a connection that may also end those of others.
    """
    async with await psycopg.AsyncConnection.connect(
        seeded.superuser_dsn, autocommit=True
    ) as connection:
        yield connection
