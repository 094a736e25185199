"""
A connection that cannot be made is tried after growing pauses, never in a rush.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from gateway.books import connect as module
from gateway.books.connect import LONGEST_PAUSE_S, Line, Session
from gateway.books.lane import PostgresBooks
from gateway.books.readings import PostgresReadings
from gateway.books.wire import Wire, step
from gateway.engine.ports import Books, BooksUnavailableError, Readings


class FakeWire:
    """
    A connection that is there until it is closed.
    """

    closed = False

    def close(self) -> None:
        """
        Be gone.
        """
        self.closed = True


class FakeServer:
    """
    A server that is there or not, and counts who comes.
    """

    def __init__(self) -> None:
        self.attempts = 0
        self.there = True

    async def connect(self, dsn: str, session: Session, queries: Sequence[str]) -> Wire:
        """
        Let in, or not.
        """
        self.attempts += 1
        await asyncio.sleep(0)
        if not self.there:
            message = "nobody there"
            raise BooksUnavailableError(message)
        return cast("Wire", FakeWire())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """
    Stand in for the server.
    """
    server = FakeServer()
    monkeypatch.setattr(module, "connect", server.connect)
    return server


async def test_a_connection_is_made_once_for_all(server: FakeServer) -> None:
    """
    Callers that come together share one attempt and one connection.
    """
    line = Line("dsn", Session(), [])
    wires = await asyncio.gather(*(line.wire() for _ in range(5)))

    assert 1 == server.attempts
    assert 1 == len(set(map(id, wires)))


async def test_a_lost_connection_is_made_again_at_once(server: FakeServer) -> None:
    """
    A loss alone is no reason to wait.
    """
    line = Line("dsn", Session(), [])
    (await line.wire()).close()
    await line.wire()
    line.close()

    assert 2 == server.attempts


async def test_failed_attempts_are_made_after_growing_pauses(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In between every call fails at once; the pauses grow to a bound.
    """
    now = 0.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    server.there = False
    line = Line("dsn", Session(), [])
    for tick in range(40_000):
        now = tick / 1_000
        with pytest.raises(BooksUnavailableError):
            await line.wire()

    assert 40 / LONGEST_PAUSE_S < server.attempts < 60

    server.there = True
    now += LONGEST_PAUSE_S
    assert not (await line.wire()).closed


def test_the_adapters_are_what_the_engine_asks_for() -> None:
    """
    Both fit their ports (mypy holds their signatures to them here).
    """
    books: Books = PostgresBooks("dsn", Session())
    readings: Readings = PostgresReadings("dsn", Session())

    assert isinstance(books, PostgresBooks)
    assert isinstance(readings, PostgresReadings)


def test_a_step_takes_the_parameters_of_its_query() -> None:
    """
    Too few or too many are a mistake of ours, found before anything is sent.
    """
    assert b"lock_cards" == step("lock_cards", [b"", b""]).name
    with pytest.raises(ValueError, match="takes 2 parameters"):
        step("lock_cards", [b""])


def test_a_session_writes_its_settings_for_libpq() -> None:
    """
    Blanks are escaped, times have their unit.
    """
    options = Session(lock_timeout_ms=250).options()

    assert "-c lock_timeout=250ms" in options
    assert r"-c default_transaction_isolation=read\ committed" in options
    assert "-c synchronous_commit=on" in options
