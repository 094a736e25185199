"""
The audit of what staff only read: a small transaction of its own for each call.
"""

from typing import Final

from gateway.books.connect import Line, Session
from gateway.books.faults import ends_connection, first_error, translate
from gateway.books.staff_columns import audit_parameters
from gateway.books.wire import WireLostError, error_text, step
from gateway.domain.auditing import AuditEntry
from gateway.domain.errors import DependencyError
from gateway.engine.ports import BooksUnavailableError, LockTimeoutError

_QUERIES: Final = ("insert_audit",)


class PostgresAudit:
    """
    One connection, made when it is needed and again when it was lost.
    """

    def __init__(self, dsn: str, session: Session) -> None:
        self._line = Line(dsn, session, _QUERIES)

    async def append(self, entry: AuditEntry) -> None:
        """
        Add a row, committed when this returns.

        A connection lost on the way is tried once more: a row too many says nothing
        wrong, a row too few would.

        Raises:
            DependencyError: the books cannot be reached, or are kept busy.

        """
        try:
            try:
                await self._write(entry)
            except WireLostError:
                await self._write(entry)
        except (WireLostError, BooksUnavailableError, LockTimeoutError) as error:
            message = "the audit cannot be written; ask again"
            raise DependencyError(message) from error

    async def close(self) -> None:
        """
        End the connection.
        """
        self._line.close()

    async def _write(self, entry: AuditEntry) -> None:
        wire = await self._line.wire()
        results = await wire.trip([step("insert_audit", audit_parameters([entry]))])
        failed = first_error(results)
        if failed is None:
            return
        if ends_connection(failed):
            wire.close()
            raise WireLostError(error_text(failed), results, sent=True)
        raise translate(failed)
