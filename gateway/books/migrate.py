"""
Bring a database to the schema of this release: forward only, one file at a time.

Files are `migrations/NNNN_{pre|post}_what.sql`, applied in the order of their names,
each in a transaction of its own together with the record that it ran. One runner at a
time (an advisory lock). A file that ran and was changed since stops the next run.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, LiteralString, cast

from psycopg import AsyncConnection, Error, OperationalError
from psycopg.rows import tuple_row

from gateway.books.queries import QUERIES, Query
from gateway.domain.errors import GatewayError

LOCK_TIMEOUT: Final = "4s"
STATEMENT_TIMEOUT: Final = "5s"
CONNECT_TIMEOUT_S: Final = 10
LOCK_ATTEMPTS: Final = 120
LOCK_PAUSE_S: Final = 0.5

_NAME: Final = re.compile(r"\d{4}_(?:pre|post)_[a-z0-9_]+\.sql")
# A data migration may ask for more: `-- statement_timeout: 10min` in its first lines.
_OWN_TIMEOUT: Final = re.compile(
    r"\A(?:--.*\n)*?-- statement_timeout: (\d+(?:ms|s|min))$", re.MULTILINE
)

Connection = AsyncConnection[tuple[Any, ...]]


class MigrationError(GatewayError):
    """
    A database that cannot be brought to this release, and why.
    """

    reason = "MIGRATION_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """
    One file: what it does, and the time one statement of it may take.
    """

    name: str
    text: LiteralString
    sha256: bytes
    statement_timeout: str


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """
    Read the migrations of this release, in their order.

    Raises:
        MigrationError: a file is not named as migrations are, or a number stands twice.

    """
    folder = folder or resources.files("gateway.books").joinpath("migrations")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    found: list[Migration] = []
    for file in files:
        if _NAME.fullmatch(file.name) is None:
            message = f"{file.name}: a migration is named NNNN_pre_what.sql"
            raise MigrationError(message)
        if found and found[-1].name[:4] == file.name[:4]:
            message = f"{file.name}: another migration has this number"
            raise MigrationError(message)
        found.append(_migration(file))
    return found


def _migration(file: Traversable) -> Migration:
    content = file.read_bytes()
    text = content.decode("utf-8")
    own = _OWN_TIMEOUT.search(text)
    return Migration(
        name=file.name,
        # A file of our own package is as literal as a string in this one. mypy takes
        # LiteralString for str; basedpyright does not.
        text=cast("LiteralString", text),  # type: ignore[redundant-cast]
        sha256=hashlib.sha256(content).digest(),
        statement_timeout=own[1] if own else STATEMENT_TIMEOUT,
    )


async def migrate(
    owner_dsn: str, migrations: list[Migration] | None = None
) -> list[str]:
    """
    Apply what is pending and give the names of what was applied.

    The address is a superuser's, who creates the roles, or scrip_owner's.

    Raises:
        MigrationError: the database cannot be reached or brought to this release; what
            was applied before the failing file stays.

    """
    wanted = read_migrations() if migrations is None else migrations
    applied: list[str] = []
    async with await _connect(owner_dsn) as connection:
        try:
            await _take_lock(connection)
            await _run(connection, "migrate_ensure_roles")
            await _run(connection, "migrate_as_owner")
            await _run(connection, "migrate_history_table")
        except Error as error:
            message = f"the database could not be made ready: {error}"
            raise MigrationError(message) from error
        for migration in _pending(wanted, await _history(connection)):
            await _apply(connection, migration)
            applied.append(migration.name)
    return applied


async def pending_migrations(dsn: str) -> list[str]:
    """
    Tell what is still to be applied, changing nothing.

    Raises:
        MigrationError: as `migrate`.

    """
    async with await _connect(dsn) as connection:
        history: dict[str, bytes] = {}
        ((there,),) = await _rows(connection, "migrate_history_exists")
        if there:
            history = await _history(connection)
        return [migration.name for migration in _pending(read_migrations(), history)]


def _pending(wanted: list[Migration], history: dict[str, bytes]) -> list[Migration]:
    """
    Compare what ran with what this release has; refuse a changed past.
    """
    names = {migration.name for migration in wanted}
    unknown = sorted(history.keys() - names)
    if unknown:
        message = (
            f"{', '.join(unknown)} ran in this database but is not of this release: "
            "a newer release migrated it"
        )
        raise MigrationError(message)
    for migration in wanted:
        ran = history.get(migration.name)
        if ran is not None and ran != migration.sha256:
            message = (
                f"{migration.name} was changed after it ran in this database: put it "
                "back, and write the change as a new migration"
            )
            raise MigrationError(message)
    pending = [migration for migration in wanted if migration.name not in history]
    last = max(history, default="")
    late = [migration.name for migration in pending if migration.name < last]
    if late:
        message = f"{', '.join(late)} would run after {last}: number it anew"
        raise MigrationError(message)
    return pending


async def _apply(connection: Connection, migration: Migration) -> None:
    limits = {
        "lock_timeout": LOCK_TIMEOUT,
        "statement_timeout": migration.statement_timeout,
    }
    record = {"name": migration.name, "sha256": migration.sha256}
    try:
        async with connection.transaction():
            await _run(connection, "migrate_limits", limits)
            await connection.execute(migration.text)
            await _run(connection, "migrate_record", record)
    except Error as error:
        message = f"{migration.name} failed, and left nothing behind: {error}"
        raise MigrationError(message) from error


async def _connect(dsn: str) -> Connection:
    try:
        return await AsyncConnection.connect(
            dsn,
            autocommit=True,
            application_name="scrip migrate",
            connect_timeout=CONNECT_TIMEOUT_S,
            row_factory=tuple_row,
        )
    except OperationalError as error:
        message = f"no connection to the database: {error}"
        raise MigrationError(message) from error


async def _take_lock(connection: Connection) -> None:
    for _ in range(LOCK_ATTEMPTS):
        ((locked,),) = await _rows(connection, "migrate_lock")
        if locked:
            return
        await asyncio.sleep(LOCK_PAUSE_S)
    message = "another run of the migrations does not end: look at it first"
    raise MigrationError(message)


async def _history(connection: Connection) -> dict[str, bytes]:
    return dict(await _rows(connection, "migrate_history"))


async def _rows(connection: Connection, name: str) -> list[Any]:
    cursor = await connection.execute(QUERIES[name].text)
    return await cursor.fetchall()


async def _run(
    connection: Connection, name: str, parameters: dict[str, Any] | None = None
) -> None:
    query: Query = QUERIES[name]
    await connection.execute(query.text, parameters)
