"""
Trips that only read, each in one snapshot, for any number of tasks at once.
"""

from collections.abc import Sequence
from dataclasses import replace

from psycopg.pq.abc import PGresult

from gateway.books.connect import Line, Session
from gateway.books.faults import ends_connection, first_error, translate
from gateway.books.wire import Step, Wire, WireLostError, error_text
from gateway.engine.ports import BooksUnavailableError, LockTimeoutError


class Snapshots:
    """
    One connection that answers all readers in turn.

    A reader does not wait for another's answer before it asks. Each trip is one
    transaction in one snapshot.
    """

    def __init__(self, dsn: str, session: Session, queries: Sequence[str]) -> None:
        self._line = Line(dsn, replace(session, snapshots=True), queries)

    async def connect(self) -> None:
        """
        Connect now, so that the first reader need not wait for it.

        Raises:
            BooksUnavailableError: no connection.

        """
        await self._line.wire()

    async def close(self) -> None:
        """
        End the connection.
        """
        self._line.close()

    async def read(self, steps: Sequence[Step]) -> tuple[Wire, list[PGresult]]:
        """
        Send a trip, and once more if only now the connection proves to be lost.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        wire = await self._line.wire()
        try:
            return wire, await _answered(wire, steps)
        except WireLostError:
            wire = await self._line.wire()
        try:
            return wire, await _answered(wire, steps)
        except WireLostError as error:
            raise BooksUnavailableError(str(error)) from error


async def _answered(wire: Wire, steps: Sequence[Step]) -> list[PGresult]:
    """
    Give the results of a trip, which is one transaction and ends with it, error or not.

    Readers wait for no locks, so one that takes too long is the server's trouble.
    """
    results = await wire.trip(steps)
    failed = first_error(results)
    if failed is None:
        return results
    if ends_connection(failed):
        wire.close()
        raise WireLostError(error_text(failed), results, sent=True)
    fault = translate(failed)
    if isinstance(fault, LockTimeoutError):
        raise BooksUnavailableError(str(fault)) from fault
    raise fault
