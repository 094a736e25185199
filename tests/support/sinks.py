"""
Every place outside of a gateway's memory where a card number could turn up.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

import psycopg
import redis
from psycopg import sql

if TYPE_CHECKING:
    from gateway.runtime.embedded import EmbeddedPostgres
    from tests.support.server import Gateway

# From now on the server logs every statement of the database with all its values.
_TALK: Final = (
    ("log_statement", "all"),
    ("log_parameter_max_length", "-1"),
    ("log_parameter_max_length_on_error", "-1"),
    ("log_error_verbosity", "verbose"),
)
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_SHOWN_DIGITS: Final = 4
_GROUP: Final = 4


@dataclass(slots=True, kw_only=True)
class Sinks:
    """
    The places of one gateway, read anew each time.
    """

    gateway: Gateway
    postgres: EmbeddedPostgres
    metrics_port: int
    log_start: int = 0

    def __post_init__(self) -> None:
        """
        Leave out what Postgres said before.
        """
        self.log_start = self.postgres.log_path.stat().st_size

    def let_postgres_talk(self) -> None:
        """
        Make Postgres log every statement of new connections, with its values.
        """
        database = self.gateway.database
        with psycopg.connect(database.superuser_dsn) as connection:
            for setting, value in _TALK:
                connection.execute(
                    sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                        sql.Identifier(database.name), sql.SQL(setting), value
                    )
                )

    def read(self) -> dict[str, bytes]:
        """
        Read everything, by the name of its place.
        """
        with self.postgres.log_path.open("rb") as log:
            log.seek(self.log_start)
            said = log.read()
        with urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as page:
            metrics = page.read()
        return {
            "the worker's log": self.gateway.log_path(1).read_bytes(),
            "Postgres's log": said,
            "the metrics": metrics,
            "Valkey": self._valkey(),
            "the tables": self._tables(),
        }

    def _valkey(self) -> bytes:
        with redis.Redis.from_url(self.gateway.redis_url) as client:
            keys = list(client.scan_iter())
            return b"\n".join(key + (client.dump(key) or b"") for key in keys)

    def _tables(self) -> bytes:
        rows: list[bytes] = []
        with psycopg.connect(self.gateway.database.owner_dsn) as connection:
            for (table,) in connection.execute(_TABLES).fetchall():
                copy = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
                with connection.cursor().copy(copy) as out:
                    rows.extend(bytes(row) for row in out)
        return b"".join(rows)


def leaks(numbers: Iterable[str], places: Mapping[str, bytes]) -> list[str]:
    """
    Name each place that holds more of a number than its last four digits.
    """
    return [
        f"{name} holds a number as {form}"
        for name, number in itertools.product(places, numbers)
        for form, needle in _forms(number)
        if needle in places[name]
    ]


def _forms(number: str) -> list[tuple[str, bytes]]:
    """
    Write the part of a number that may never show, in the ways it could be written.
    """
    hidden = number[:-_SHOWN_DIGITS]
    groups = [hidden[at : at + _GROUP] for at in range(0, len(hidden), _GROUP)]
    plain = hidden.encode()
    return [
        ("digits", plain),
        ("groups", " ".join(groups).encode()),
        ("hyphened groups", "-".join(groups).encode()),
        ("hex", plain.hex().encode()),
        ("UTF-16", hidden.encode("utf-16-le")),
        *(("base64", _base64_inside(plain, before)) for before in range(3)),
    ]


def _base64_inside(text: bytes, before: int) -> bytes:
    """
    Write what base64 makes of a text that begins so many bytes after a group.

    Signs that neighbours have a part in are cut off.
    """
    encoded = base64.b64encode(b"\0" * before + text).rstrip(b"=")
    return encoded[2 + before : -2]
