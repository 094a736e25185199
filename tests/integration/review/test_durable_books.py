"""
A worker does not serve on books that lose what was committed.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog.testing

from gateway.books.connect import Session
from gateway.books.readings import PostgresReadings
from gateway.bootstrap.assembly import RefusedStartError, require_durable_books
from gateway.runtime import embedded_postgres
from tests.support.stores import fresh_database, make_template, running_postgres


async def unsafe(folder: Path) -> Sequence[str]:
    """
    Ask a Postgres as a worker does when it starts.
    """
    with running_postgres(folder) as server:
        template = make_template(server)
        with fresh_database(server, template) as database:
            readings = PostgresReadings(database.gateway_dsn, Session())
            told = await readings.unsafe_settings()
            await readings.close()
            return told


async def test_our_own_postgres_is_durable(seeded_folder: Path) -> None:
    """
    Nothing to be said against it.
    """
    assert [] == await unsafe(seeded_folder)


async def test_books_that_do_not_sync_are_told(
    seeded_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Both settings without which an answered commit may be gone after a power loss.
    """
    careless = ("fsync=off", "full_page_writes=off", "synchronous_commit=on")
    monkeypatch.setattr(embedded_postgres, "_DURABLE", careless)

    assert ["fsync", "full_page_writes"] == await unsafe(seeded_folder)


def test_a_start_without_fsync_is_refused() -> None:
    """
    It would call approved what a power loss takes back.
    """
    with pytest.raises(RefusedStartError, match="fsync is off"):
        require_durable_books(["fsync", "full_page_writes"])


def test_full_page_writes_are_the_file_systems_business() -> None:
    """
    A file system that never tears a page needs none: that is a warning.
    """
    with structlog.testing.capture_logs() as logs:
        require_durable_books([])
        said_of_safe_ones = list(logs)
        require_durable_books(["full_page_writes"])
    (warning,) = logs

    assert [] == said_of_safe_ones
    assert ("warning", "full_page_writes") == (warning["log_level"], warning["off"])
    assert "torn by a power loss" in warning["event"]
