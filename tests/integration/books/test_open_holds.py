from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio

from gateway.books.open_holds import PostgresHolds
from gateway.domain.ids import CardId, TransactionId
from gateway.engine.clerk_ports import OpenHold
from gateway.engine.ports import BooksUnavailableError
from tests.integration.books.conftest import QUICK
from tests.support.lanes import Connection, kill_lanes
from tests.support.stores import FreshDatabase
from tests.support.wall_rows import LOAD, insert

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def holds(seeded: FreshDatabase) -> AsyncIterator[PostgresHolds]:
    """
    Give the clerk's look-ups.
    """
    holds = PostgresHolds(seeded.gateway_dsn, QUICK)
    yield holds
    await holds.close()


def place(
    database: FreshDatabase, number: int, *, after_s: float = 0, state: int = 1
) -> OpenHold:
    """
    Insert a hold on one of the four cards.
    """
    hold_id = number.to_bytes(16)
    expires_at = FIRST + timedelta(seconds=after_s)
    card_id = number % 4 + 1
    row = LOAD | {
        "transaction_id": f"'{hold_id.hex()}'",
        "activity": "9",
        "card_id": str(card_id),
        "card_seq": str(number),
        "held_after_minor": "5",
        "available_after_minor": "0",
        "balance_before_minor": "5",
        "available_before_minor": "5",
    }
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        insert(connection, "transaction", row)
        values = {
            "hold_id": f"'{hold_id.hex()}'",
            "card_id": str(card_id),
            "terminal_id": "1",
            "state": str(state),
            "currency": "'USD'",
            "authorized_minor": "5",
            "card_minor": "5",
            "captured_minor": "0",
            "captured_card_minor": "0",
            "expires_at": f"'{expires_at.isoformat()}'",
        }
        insert(connection, "hold", values)
    return OpenHold(TransactionId(hold_id), CardId(card_id), expires_at)


async def test_the_clock_is_the_books(
    seeded: FreshDatabase, holds: PostgresHolds
) -> None:
    """
    Shifted where tests shift it.
    """
    before = await holds.clock()
    with psycopg.connect(seeded.owner_dsn) as connection:
        connection.execute("UPDATE clock_offset SET shift = interval '7 days'")
    after = await holds.clock()

    assert timedelta(days=7) <= after - before < timedelta(days=7, minutes=1)


async def test_holds_that_stand_are_found(
    seeded: FreshDatabase, holds: PostgresHolds
) -> None:
    """
    With their cards; ended and unknown ones are not.
    """
    open_one = place(seeded, 1)
    ended = place(seeded, 2, state=4)
    unknown = TransactionId((3).to_bytes(16))
    asked = [open_one.hold_id, ended.hold_id, unknown]

    assert [open_one] == list(await holds.open_holds(asked))


async def test_pages_go_on_where_the_last_one_ended(
    seeded: FreshDatabase, holds: PostgresHolds
) -> None:
    """
    The soonest first, also where several end in the same moment, and up to a moment.
    """
    placed = [place(seeded, number, after_s=number // 3) for number in range(1, 9)]
    place(seeded, 9, state=4)
    pages: list[OpenHold] = []
    last: OpenHold | None = None
    while page := await holds.holds_until(None, after=last, limit=3):
        pages += page
        last = page[-1]
    until = FIRST + timedelta(seconds=1)

    assert placed == pages
    assert placed[:5] == list(await holds.holds_until(until, after=None, limit=9))


async def test_a_lost_connection_is_made_again(
    holds: PostgresHolds, superuser: Connection
) -> None:
    """
    A look-up in between is sent once more.
    """
    await holds.connect()
    await kill_lanes(superuser)

    assert (await holds.clock()).tzinfo is not None


async def test_books_that_are_away_are_told(seeded: FreshDatabase) -> None:
    """
    The clerk waits, and asks again.
    """
    holds = PostgresHolds(seeded.gateway_dsn.replace(seeded.name, "nowhere"), QUICK)
    with pytest.raises(BooksUnavailableError):
        await holds.clock()
