"""
The open holds as the clerk looks them up.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from struct import pack
from typing import Final

from psycopg.pq.abc import PGresult

from gateway.books.arrays import moment, uuids
from gateway.books.connect import Session
from gateway.books.snapshots import Snapshots
from gateway.books.wire import Wire, step
from gateway.domain.ids import CardId, TransactionId
from gateway.engine.clerk_ports import OpenHold

_QUERIES: Final = ("books_clock", "holds_standing", "holds_until")
_CLOCK: Final = step("books_clock")
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 1, 1, tzinfo=UTC)
_NO_ID: Final = bytes(16)


class PostgresHolds:
    """
    One connection that looks holds up, without locks.
    """

    def __init__(self, dsn: str, session: Session) -> None:
        self._snapshots = Snapshots(dsn, session, _QUERIES)

    async def connect(self) -> None:
        """
        Connect now.

        Raises:
            BooksUnavailableError: no connection.

        """
        await self._snapshots.connect()

    async def close(self) -> None:
        """
        End the connection.
        """
        await self._snapshots.close()

    async def clock(self) -> datetime:
        """
        Read the clock of the books.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        wire, (result,) = await self._snapshots.read([_CLOCK])
        told: datetime
        ((told,),) = wire.rows(result)
        return told

    async def open_holds(self, hold_ids: Sequence[TransactionId]) -> Sequence[OpenHold]:
        """
        Find those that still stand, each with the card it is on now.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        steps = [step("holds_standing", [uuids(hold_ids)])]
        wire, (result,) = await self._snapshots.read(steps)
        return _holds(wire, result)

    async def holds_until(
        self, until: datetime | None, *, after: OpenHold | None, limit: int
    ) -> Sequence[OpenHold]:
        """
        Read a page of the open holds, the soonest first.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        start, last_id = (
            (after.expires_at, after.hold_id) if after else (_FIRST, _NO_ID)
        )
        parameters = [moment(start), moment(until or _LAST), last_id, pack(">q", limit)]
        wire, (result,) = await self._snapshots.read([step("holds_until", parameters)])
        return _holds(wire, result)


def _holds(wire: Wire, result: PGresult) -> list[OpenHold]:
    return [
        OpenHold(TransactionId(hold_id), CardId(card_id), expires_at)
        for hold_id, card_id, expires_at in wire.rows(result)
    ]
