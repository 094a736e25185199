"""
What the server's errors mean to the lane (design 3).
"""

from typing import Final

from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from gateway.books.wire import error_text
from gateway.domain.errors import InvariantError
from gateway.engine.ports import (
    BooksUnavailableError,
    ItemFaultError,
    LockTimeoutError,
    OvertakenError,
    SerializationError,
)

# Severities after which the server ends the connection.
_LAST_WORDS: Final = frozenset({b"FATAL", b"PANIC"})
_ITEM_CLASSES: Final = frozenset({"22", "23"})
# Connection, out of resources, intervention by an operator, a fault of the system.
_UNAVAILABLE_CLASSES: Final = frozenset({"08", "53", "57", "58"})
_IDLE_TOO_LONG: Final = "25P03"
_TRANSACTION_TOO_LONG: Final = "25P04"
_READ_ONLY: Final = "25006"
_LOCK_TIMEOUT: Final = "55P03"
_STATEMENT_TIMEOUT: Final = "57014"
# What is undone is undone once. A sale without a card, an Advice of an unknown number,
# has no row that those who undo it could lock.
_UNDONE_ONCE: Final = "transaction_effective_reversal_key"
_SERIALIZATION: Final = frozenset({"40001", "40P01"})


def first_error(results: list[PGresult]) -> PGresult | None:
    """
    Find the statement that failed; those after it were skipped.
    """
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            return result
    return None


def ends_connection(error: PGresult) -> bool:
    """
    Tell whether the server ends the connection with this error.

    An error without a SQLSTATE was made by this side: the connection is gone.
    """
    severity = error.error_field(DiagnosticField.SEVERITY_NONLOCALIZED)
    return severity is None or severity in _LAST_WORDS


def sqlstate_of(error: PGresult) -> str:
    """
    Give the five characters of the error, or none.
    """
    return (error.error_field(DiagnosticField.SQLSTATE) or b"").decode("ascii")


def translate(error: PGresult) -> Exception:
    """
    Give the fault for an error after which nothing of the batch is committed.

    A cancelled statement (57014) is our own statement_timeout: it waited too long, like
    a lock. What is in no class named in design 3 is a fault of ours.
    """
    state = sqlstate_of(error)
    message = f"{state}: {error_text(error)}"
    if state[:2] in _ITEM_CLASSES:
        field = error.error_field(DiagnosticField.CONSTRAINT_NAME)
        name = field.decode() if field else None
        fault = OvertakenError if name == _UNDONE_ONCE else ItemFaultError
        return fault(message, constraint=name)
    if state in (_LOCK_TIMEOUT, _STATEMENT_TIMEOUT):
        return LockTimeoutError(message)
    if state in _SERIALIZATION:
        return SerializationError(message)
    if (
        not state
        or state[:2] in _UNAVAILABLE_CLASSES
        or state in (_IDLE_TOO_LONG, _TRANSACTION_TOO_LONG, _READ_ONLY)
    ):
        return BooksUnavailableError(message)
    return InvariantError(message)
