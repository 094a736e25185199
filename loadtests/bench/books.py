"""
The database under the benchmark, seen as its owner: cards with money, WAL and commits.
"""

from importlib import resources
from typing import NamedTuple

import psycopg

_SQL = resources.files("loadtests.bench") / "sql"


class Written(NamedTuple):
    """
    WAL bytes and commits since the server began.
    """

    wal_bytes: int
    commits: int


def statement(name: str) -> bytes:
    """
    Read one SQL file of the benchmark.
    """
    return (_SQL / name).read_bytes()


def run_file(dsn: str, name: str) -> None:
    """
    Run one SQL file of the benchmark as the owner.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement(name))


def written(dsn: str) -> Written:
    """
    Read how much was written so far.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(statement("written.sql")).fetchone()
    if row is None:
        message = "the server told nothing of its WAL"
        raise RuntimeError(message)
    return Written(int(row[0]), int(row[1]))
