"""
Connections of the books: how long they wait, and how they are planned for.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import AsyncConnection, OperationalError
from psycopg.conninfo import make_conninfo

from gateway.books.queries import QUERIES
from gateway.books.wire import Wire, WireLostError
from gateway.engine.ports import BooksUnavailableError

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 2.0

# Every statement of the lane and of the readings is a look-up by key. One plan each,
# made once: planning anew would cost more than running. It is made while the tables may
# still be empty or never analyzed, so what would read a whole table is ruled out.
_PLANNING: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "jit": "off",
}
_MEANING: Final = {
    "synchronous_commit": "on",
    "timezone": "UTC",
    "client_encoding": "UTF8",
    "search_path": "public",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    The limits of one connection. They are the lane's own, never a caller's deadline.

    With `snapshots` it only reads, and each trip sees one moment; else every statement
    sees what was committed before it (design 3). With a `policy_version` the tables of
    the policy are those of that version.
    """

    application_name: str = "scrip"
    connect_timeout_ms: int = 2_000
    lock_timeout_ms: int = 250
    statement_timeout_ms: int = 2_000
    idle_in_transaction_timeout_ms: int = 2_000
    tcp_user_timeout_ms: int = 5_000
    snapshots: bool = False
    policy_version: int | None = None

    @property
    def trip_timeout_ms(self) -> int:
        """
        Tell after how long a silent server counts as lost: it had to give up before.
        """
        return 3 * self.statement_timeout_ms + self.tcp_user_timeout_ms

    def options(self) -> str:
        """
        Write the settings as libpq's `options`, in force from the first statement.
        """
        limits = {
            "lock_timeout": f"{self.lock_timeout_ms}ms",
            "statement_timeout": f"{self.statement_timeout_ms}ms",
            "idle_in_transaction_session_timeout": (
                f"{self.idle_in_transaction_timeout_ms}ms"
            ),
        }
        isolation = {
            "default_transaction_isolation": (
                "repeatable read" if self.snapshots else "read committed"
            ),
            "default_transaction_read_only": "on" if self.snapshots else "off",
        }
        settings = {**limits, **isolation, **_PLANNING, **_MEANING}
        if self.policy_version is not None:
            settings["search_path"] = "policy_at,public"
            settings["scrip.policy_version"] = str(self.policy_version)
        return " ".join(
            f"-c {name}={value}".replace(" ", "\\ ").replace("-c\\ ", "-c ", 1)
            for name, value in settings.items()
        )


class Line:
    """
    A connection that is made when it is needed, and again when it was lost.

    After a failed attempt the next is made no sooner than a pause that doubles, up to
    2 s, with jitter; in between every call fails at once.
    """

    def __init__(self, dsn: str, session: Session, queries: Sequence[str]) -> None:
        self._dsn = dsn
        self._session = session
        self._queries = queries
        self._wire: Wire | None = None
        self._connecting = asyncio.Lock()
        self._pause_s = 0.0
        self._next_attempt_s = 0.0

    async def wire(self) -> Wire:
        """
        Give the connection.

        Raises:
            BooksUnavailableError: there is none.

        """
        wire = self._wire
        if wire is not None and not wire.closed:
            return wire
        async with self._connecting:
            if self._wire is None or self._wire.closed:
                self._wire = await self._try()
            return self._wire

    def close(self) -> None:
        """
        End the connection.
        """
        if self._wire is not None:
            self._wire.close()

    async def _try(self) -> Wire:
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_attempt_s:
            message = "the books were not reached; they are tried again in a moment"
            raise BooksUnavailableError(message)
        try:
            wire = await connect(self._dsn, self._session, self._queries)
        except BooksUnavailableError:
            self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            jitter = random.uniform(0.5, 1.0)  # noqa: S311 -- spreads attempts, no secret
            self._next_attempt_s = loop.time() + self._pause_s * jitter
            raise
        self._pause_s = 0.0
        return wire


async def connect(dsn: str, session: Session, queries: Sequence[str]) -> Wire:
    """
    Connect, and prepare the statements named.

    Raises:
        BooksUnavailableError: no connection within its time-out.

    """
    conninfo = make_conninfo(
        dsn,
        options=session.options(),
        application_name=session.application_name,
        tcp_user_timeout=session.tcp_user_timeout_ms,
    )
    timeout_s = session.connect_timeout_ms / 1_000
    wire: Wire | None = None
    try:
        async with asyncio.timeout(timeout_s):
            connection: AsyncConnection[Any] = await AsyncConnection.connect(
                conninfo, autocommit=True
            )
            wire = Wire(connection, trip_timeout_s=session.trip_timeout_ms / 1_000)
            await wire.prepare([QUERIES[name] for name in queries])
    except (OperationalError, WireLostError, TimeoutError, OSError) as error:
        if wire is not None:
            wire.close()
        message = f"no connection to the books: {error!r}"
        raise BooksUnavailableError(message) from error
    except BaseException:
        if wire is not None:
            wire.close()
        raise
    return wire
