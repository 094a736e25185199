"""
Real stores for tests: one server a session, a fresh database a test.

A database is a copy of a template that was migrated once, so it costs milliseconds.
"""

import asyncio
import importlib
import importlib.util
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.runtime.embedded import (
    GATEWAY_ROLE,
    OWNER_ROLE,
    SUPERUSER,
    DataFolder,
    EmbeddedPostgres,
    EmbeddedValkey,
)

TEMPLATE: Final = "scrip_template"

_MIGRATIONS: Final = "gateway.books.migrate"
_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshDatabase:
    """
    A migrated and otherwise empty database, and the addresses to reach it.

    Attributes:
        owner_dsn: As the role that owns the tables.
        gateway_dsn: As the role with the gateway's rights.
        superuser_dsn: As the role that may do anything.

    """

    name: str
    owner_dsn: str
    gateway_dsn: str
    superuser_dsn: str


@contextmanager
def short_data_folder() -> Iterator[Path]:
    """
    Make a data folder for tests, short enough for sockets; remove it afterwards.
    """
    path = Path(tempfile.mkdtemp(prefix="scrip-t-"))
    # As root the servers' account must be able to pass.
    path.chmod(0o711)
    DataFolder(path).mark_for_tests()
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def running_postgres(data_folder: Path) -> Iterator[EmbeddedPostgres]:
    """
    Run a PostgreSQL of its own, for a test that hurts it or for a session.
    """
    server = EmbeddedPostgres(data_folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def running_valkey(data_folder: Path) -> Iterator[EmbeddedValkey]:
    """
    Run a Valkey of its own, for a test that hurts it or for a session.
    """
    server = EmbeddedValkey(data_folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def copy_data(seed: Path, target: Path) -> None:
    """
    Copy the data of a PostgreSQL that was stopped, with its owner and permissions.

    Much cheaper than initdb, which is most of a first start.
    """
    subprocess.run(["/bin/cp", "-a", str(seed / "postgres"), str(target)], check=True)


def make_template(server: EmbeddedPostgres) -> str:
    """
    Make the migrated database that the others are copies of; give its name.
    """
    with _administration(server) as connection:
        connection.execute(
            sql.SQL("create database {} owner {}").format(
                sql.Identifier(TEMPLATE), sql.Identifier(OWNER_ROLE)
            )
        )
    migrate(server.dsn(OWNER_ROLE, TEMPLATE))
    return TEMPLATE


def migrate(owner_dsn: str) -> None:
    """
    Bring a database to the newest schema, from outside of any event loop.
    """
    if importlib.util.find_spec(_MIGRATIONS) is None:
        return
    module = importlib.import_module(_MIGRATIONS)
    # A thread of its own, so that the loop of the tests is left as it is.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(module.migrate(owner_dsn))).result()


@contextmanager
def fresh_database(server: EmbeddedPostgres, template: str) -> Iterator[FreshDatabase]:
    """
    Copy the template; drop the copy afterwards, whoever is still connected.
    """
    name = f"scrip_test_{next(_NUMBERS)}"
    with _administration(server) as connection:
        connection.execute(
            sql.SQL("create database {} template {} owner {}").format(
                sql.Identifier(name),
                sql.Identifier(template),
                sql.Identifier(OWNER_ROLE),
            )
        )
    try:
        yield FreshDatabase(
            name=name,
            owner_dsn=server.dsn(OWNER_ROLE, name),
            gateway_dsn=server.dsn(GATEWAY_ROLE, name),
            superuser_dsn=server.dsn(SUPERUSER, name),
        )
    finally:
        with _administration(server) as connection:
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )


def flush(valkey_url: str) -> None:
    """
    Make a Valkey forget all data and all functions.
    """
    with redis.Redis.from_url(valkey_url, retry=Retry(NoBackoff(), 0)) as client:
        client.flushall()
        client.function_flush()


def _administration(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.dsn(SUPERUSER, "postgres"), autocommit=True)
