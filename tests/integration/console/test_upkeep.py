"""
Migrating, and what commands say when no books are there or ready.
"""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from gateway.books import admin
from gateway.books.migrate import read_migrations
from gateway.runtime.embedded import OWNER_ROLE, SUPERUSER, EmbeddedPostgres
from tests.support.scrip_command import Scrip

DATABASE = "scrip_test_empty"


def test_an_empty_database_is_migrated(
    scrip: Scrip, postgres_server: EmbeddedPostgres
) -> None:
    """
    Pending migrations are told, applied once, and after that there are none.
    """
    superuser = postgres_server.dsn(SUPERUSER, "postgres")
    name = sql.Identifier(DATABASE)
    with psycopg.connect(superuser, autocommit=True) as connection:
        owner = sql.Identifier(OWNER_ROLE)
        make = sql.SQL("create database {} owner {}").format(name, owner)
        connection.execute(make)
    empty = {
        **scrip.environment,
        "SCRIP_POSTGRES__OWNER_URL": postgres_server.dsn(OWNER_ROLE, DATABASE),
    }
    try:

        def run(*words: str) -> tuple[int, str, str]:
            result = scrip.runner.invoke(scrip.application, words, env=empty)
            return result.exit_code, result.stdout, result.stderr

        code, _, said = run("program", "list")
        assert 1 == code
        assert "scrip migrate" in said
        names = "".join(f"{migration.name}\n" for migration in read_migrations())
        assert (0, names) == run("migrate", "--pending")[:2]
        assert (0, names) == run("migrate")[:2]
        assert (0, "", "the books are up to date\n") == run("migrate")
        assert 0 == run("program", "list")[0]
    finally:
        with psycopg.connect(superuser, autocommit=True) as connection:
            drop = sql.SQL("drop database {} with (force)").format(name)
            connection.execute(drop)


def test_books_that_do_not_answer_are_told(scrip: Scrip, tmp_path: Path) -> None:
    """
    An address where nobody listens ends with 1 and no traceback.
    """
    nowhere = f"postgresql://scrip_owner@/scrip?host={tmp_path}"
    environment = {**scrip.environment, "SCRIP_POSTGRES__OWNER_URL": nowhere}
    for words in (["store", "list"], ["migrate"], ["books", "check"]):
        result = scrip.runner.invoke(scrip.application, words, env=environment)

        assert 1 == result.exit_code
        assert "Traceback" not in result.output
        assert "is the server running" in result.stderr.lower()


def test_another_change_under_way_is_told(
    scrip: Scrip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A change that waits too long for another one ends with 1.
    """
    monkeypatch.setattr(admin, "LOCK_TIMEOUT_MS", 50)
    words = ("--code", "gift", "--name", "Gift", "--time-zone", "UTC")
    with psycopg.connect(scrip.dsn) as rival:
        rival.execute("select * from policy_version for update")
        result = scrip.run("program", "create", *words)

    assert 1 == result.exit_code
    assert "another change is under way" in result.stderr
