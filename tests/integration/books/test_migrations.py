"""
Migrations build the schema, once, in order, and only forward.
"""

import asyncio
import hashlib
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from gateway.books import migrate as runner
from gateway.books.migrate import (
    Migration,
    MigrationError,
    migrate,
    pending_migrations,
    read_migrations,
)
from gateway.runtime.embedded import OWNER_ROLE, EmbeddedPostgres
from gateway.runtime.programs import postgres_wheel
from tests.support.ledger import CARDS_SQL, PROGRAMME_SQL
from tests.support.stores import FreshDatabase, fresh_database

OLD_TRANSACTION = """
INSERT INTO transaction (
    transaction_id, terminal_id, request_id, activity, result, merchant_id, store_id,
    program_id, card_id, card_seq, card_state, original_transaction_id, card_currency,
    approved_minor, card_minor, available_before_minor, available_after_minor,
    balance_before_minor, balance_after_minor, held_after_minor, markup_bps,
    balances_shown, host_time, business_date, batch_no, policy_version
) VALUES (
    %s, 1, gen_random_uuid(), %s, 1, 1, 1, 1, 1, %s, 3, %s, 'USD', %s, %s, 0, 0, 0, 0,
    0, 0, false, now(), now(), 1, 1
)
"""
SCHEMA = Path(runner.__file__).with_name("schema.sql")
# Every dump has a word of its own, so that nothing in it can leave psql's restriction.
RESTRICTION = re.compile(r"^\\(?:un)?restrict .*\n", re.MULTILINE)


@contextmanager
def bare_database(server: EmbeddedPostgres) -> Iterator[FreshDatabase]:
    """
    Make a database in which nothing was built.
    """
    with fresh_database(server, "template1") as database:
        yield database


@pytest.fixture
def bare(postgres_server: EmbeddedPostgres) -> Iterator[FreshDatabase]:
    """
    Give a database in which nothing was built.
    """
    with bare_database(postgres_server) as database:
        yield database


def dump(database: FreshDatabase) -> str:
    """
    Write the schema of a database as Postgres itself does.
    """
    wheel = postgres_wheel()
    program = wheel.source() / Path(wheel.program).with_name("pg_dump")
    result = subprocess.run(
        [program, "--schema-only", "--dbname", database.superuser_dsn],
        check=True,
        capture_output=True,
        text=True,
    )
    return RESTRICTION.sub("", result.stdout)


def migration(name: str, text: str, *, statement_timeout: str = "5s") -> Migration:
    """
    Make a migration that is in no file.
    """
    return Migration(
        name=name,
        text=text,
        sha256=hashlib.sha256(text.encode()).digest(),
        statement_timeout=statement_timeout,
    )


FIRST = migration("0001_pre_one.sql", "CREATE TABLE one (n int)")
SECOND = migration("0002_pre_two.sql", "CREATE TABLE two (n int)")


async def test_migrations_build_what_the_schema_says(
    bare: FreshDatabase, database: FreshDatabase
) -> None:
    """
    schema.sql and the migrations make the same database, to the last grant.
    """
    with psycopg.connect(bare.owner_dsn) as connection:
        connection.execute(SCHEMA.read_bytes())

    assert dump(bare) == dump(database)


async def test_nothing_is_applied_twice(bare: FreshDatabase) -> None:
    """
    The first run applies all in order, the second nothing.
    """
    names = [found.name for found in read_migrations()]

    assert names == await pending_migrations(bare.owner_dsn)
    assert names == await migrate(bare.owner_dsn)
    assert [] == await migrate(bare.owner_dsn)
    assert [] == await pending_migrations(bare.gateway_dsn)


async def test_a_superuser_makes_what_the_owner_owns(bare: FreshDatabase) -> None:
    """
    Whoever runs the migrations, everything belongs to scrip_owner.
    """
    await migrate(bare.superuser_dsn)
    with psycopg.connect(bare.superuser_dsn) as connection:
        cursor = connection.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace"
        )

        assert [(OWNER_ROLE,)] == cursor.fetchall()


async def test_loads_are_counted_that_came_before(bare: FreshDatabase) -> None:
    """
    A card of an older release knows what was loaded on it: loads less those undone.
    """
    known = read_migrations()
    await migrate(bare.owner_dsn, [each for each in known if each.name < "0006"])
    loaded, undone, reversal = (
        "00000000-0000-0000-0000-00000000000" + n for n in "123"
    )
    with psycopg.connect(bare.owner_dsn) as connection:
        connection.execute(PROGRAMME_SQL)
        connection.execute(CARDS_SQL, (2,))
        for seq, (name, activity, minor, original) in enumerate(
            [
                (loaded, 1, 500, None),
                (undone, 2, 70, None),
                (reversal, 4, 70, undone),
                ("00000000-0000-0000-0000-000000000004", 3, 100, None),
            ],
            start=1,
        ):
            values = (name, activity, seq, original, minor, minor)
            connection.execute(OLD_TRANSACTION, values)
    await migrate(bare.owner_dsn)
    with psycopg.connect(bare.owner_dsn) as connection:
        cursor = connection.execute("SELECT card_id, loaded_minor FROM card ORDER BY 1")

        assert [(1, 500), (2, 0)] == cursor.fetchall()


async def test_two_runners_do_not_both_migrate(bare: FreshDatabase) -> None:
    """
    Runners that start together apply each migration once.
    """
    applied = await asyncio.gather(
        migrate(bare.owner_dsn, [FIRST, SECOND]),
        migrate(bare.owner_dsn, [FIRST, SECOND]),
    )

    assert [[], [FIRST.name, SECOND.name]] == sorted(applied)


async def test_a_changed_past_is_refused(bare: FreshDatabase) -> None:
    """
    A migration that ran and was edited since stops everything.
    """
    await migrate(bare.owner_dsn, [FIRST])
    edited = migration(FIRST.name, "CREATE TABLE one (n bigint)")

    with pytest.raises(MigrationError, match=r"0001_pre_one\.sql was changed"):
        await migrate(bare.owner_dsn, [edited, SECOND])


async def test_a_newer_database_is_refused(bare: FreshDatabase) -> None:
    """
    An older release does not touch a database that a newer one migrated.
    """
    await migrate(bare.owner_dsn, [FIRST, SECOND])

    with pytest.raises(MigrationError, match="newer release"):
        await migrate(bare.owner_dsn, [FIRST])


async def test_a_late_number_is_refused(bare: FreshDatabase) -> None:
    """
    A migration never runs after one of a greater number.
    """
    await migrate(bare.owner_dsn, [SECOND])

    with pytest.raises(MigrationError, match="number it anew"):
        await migrate(bare.owner_dsn, [FIRST, SECOND])


async def test_a_migration_that_fails_leaves_nothing(bare: FreshDatabase) -> None:
    """
    Those before it stay, it does not, and the next run tries it again.
    """
    failing = migration("0002_pre_two.sql", "CREATE TABLE two (n int); SELECT 1/0")
    with pytest.raises(MigrationError, match=r"0002_pre_two\.sql failed"):
        await migrate(bare.owner_dsn, [FIRST, failing])

    assert [SECOND.name] == await migrate(bare.owner_dsn, [FIRST, SECOND])


async def test_a_migration_gives_up_on_a_lock(
    bare: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It waits for a lock of the tills only so long, then fails whole.
    """
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "50ms")
    await migrate(bare.owner_dsn, [FIRST])
    change = migration("0002_pre_two.sql", "ALTER TABLE one ADD m int")
    with psycopg.connect(bare.owner_dsn) as busy:
        busy.execute("LOCK TABLE one")
        with pytest.raises(MigrationError, match="lock timeout"):
            await migrate(bare.owner_dsn, [FIRST, change])

    assert [change.name] == await migrate(bare.owner_dsn, [FIRST, change])


async def test_a_migration_has_only_so_much_time(bare: FreshDatabase) -> None:
    """
    A statement that takes longer than its file may is ended.
    """
    slow = migration(
        "0001_pre_slow.sql", "SELECT pg_sleep(5)", statement_timeout="50ms"
    )

    with pytest.raises(MigrationError, match="statement timeout"):
        await migrate(bare.owner_dsn, [slow])


async def test_a_runner_that_does_not_end_is_named(
    bare: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Who cannot get the runners' lock in time says so.
    """
    monkeypatch.setattr(runner, "LOCK_ATTEMPTS", 2)
    monkeypatch.setattr(runner, "LOCK_PAUSE_S", 0.01)
    with psycopg.connect(bare.owner_dsn) as other:
        other.execute("SELECT pg_advisory_lock(7021490318)")
        with pytest.raises(MigrationError, match="another run"):
            await migrate(bare.owner_dsn, [FIRST])


async def test_no_server_is_told(tmp_path: Path) -> None:
    """
    Where nobody answers, the runner says what it could not reach.
    """
    with pytest.raises(MigrationError, match="no connection"):
        await migrate(f"host={tmp_path} dbname=none", [FIRST])
    with pytest.raises(MigrationError, match="no connection"):
        await pending_migrations(f"host={tmp_path} dbname=none")


async def test_roles_that_may_not_be_made_are_named(bare: FreshDatabase) -> None:
    """
    The gateway's own role cannot migrate, and is told why.
    """
    with pytest.raises(MigrationError, match="could not be made ready"):
        await migrate(bare.gateway_dsn, [FIRST])
