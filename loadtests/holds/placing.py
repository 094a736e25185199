"""
Many holds in the books at once, and what became of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import psycopg

_SQL = resources.files("loadtests.holds") / "sql"
_CHUNK = 5_000
_AMOUNT_MINOR = 1_00
_POLL_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How the holds ended; times in seconds after the holds' own.

    By the row's own time: the clock of its batch, read after the locks.
    """

    holds: int
    once: int
    in_time: int
    least_s: float | None
    p50_s: float | None
    p90_s: float | None
    p99_s: float | None
    p999_s: float | None
    most_s: float | None

    @property
    def share(self) -> float:
        """
        Give what part of the holds was released in time.
        """
        return self.in_time / self.holds


def place(
    dsn: str, *, cards: int, holds: int, lead_s: float, spread_s: float
) -> datetime:
    """
    Place holds, round after round on all cards; give when the first may end.

    Raises:
        RuntimeError: it took so long that some ended meanwhile.

    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_statement("place.sql"))
        start = _clock(connection) + timedelta(seconds=lead_s)
        left = holds
        while left:
            for first in range(1, cards + 1, _CHUNK):
                last = min(first + min(_CHUNK, left) - 1, cards)
                row = connection.execute(
                    _statement("place_some.sql"),
                    {
                        "first": first,
                        "last": last,
                        "amount": _AMOUNT_MINOR,
                        "start": start,
                        "spread_s": spread_s,
                    },
                ).fetchone()
                left -= row[0] if row else 0
                if not left:
                    break
        connection.execute(b"VACUUM (ANALYZE) card, hold, hold_step, transaction")
        if _clock(connection) >= start:
            message = "placing the holds took too long: raise --lead"
            raise RuntimeError(message)
    return start


def seconds_until(dsn: str, moment: datetime) -> float:
    """
    Give how long it is, by the clock of the books, until a moment.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        return (moment - _clock(connection)).total_seconds()


def wait_until_ended(
    dsn: str, *, limit_s: float, say: Callable[[str], None]
) -> Outcome:
    """
    Wait until no hold is open any more, and tell how they ended.
    """
    limit = time.monotonic() + limit_s
    with psycopg.connect(dsn, autocommit=True) as connection:
        while left := _one(connection, "open.sql")[0]:
            if time.monotonic() > limit:
                say(f"{left} holds are still open: counted as not in time")
                break
            time.sleep(_POLL_S)
        names = Outcome.__dataclass_fields__
        return Outcome(**dict(zip(names, _one(connection, "outcome.sql"), strict=True)))


def _clock(connection: psycopg.Connection[Any]) -> datetime:
    moment: datetime = _one(connection, "clock.sql")[0]
    return moment


def _one(connection: psycopg.Connection[Any], name: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(_statement(name)).fetchone()
    if row is None:
        message = f"{name} gave no row"
        raise RuntimeError(message)
    return row


def _statement(name: str) -> bytes:
    return (_SQL / name).read_bytes()
