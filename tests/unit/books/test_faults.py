"""
What the server's errors mean to the lane.
"""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from gateway.books.faults import ends_connection, first_error, translate
from gateway.domain.errors import InvariantError
from gateway.engine.ports import (
    BooksUnavailableError,
    ItemFaultError,
    LockTimeoutError,
    SerializationError,
)


@dataclass
class FakeResult:
    """
    A result as libpq gives it.
    """

    status: ExecStatus = ExecStatus.FATAL_ERROR
    fields: dict[DiagnosticField, bytes] = field(default_factory=dict)
    error_message: bytes = b"it went wrong\n"

    def error_field(self, name: DiagnosticField) -> bytes | None:
        """
        Give one part of the error.
        """
        return self.fields.get(name)


def failed(
    sqlstate: str | None, *, severity: bytes = b"ERROR", **fields: bytes
) -> PGresult:
    """
    Make a failed result.
    """
    known: dict[DiagnosticField, bytes] = {}
    if sqlstate is not None:
        known[DiagnosticField.SQLSTATE] = sqlstate.encode()
        known[DiagnosticField.SEVERITY_NONLOCALIZED] = severity
    known |= {DiagnosticField[name]: value for name, value in fields.items()}
    return cast("PGresult", FakeResult(fields=known))


@pytest.mark.parametrize(
    ("sqlstate", "fault"),
    [
        ("22003", ItemFaultError),
        ("23505", ItemFaultError),
        ("23514", ItemFaultError),
        ("55P03", LockTimeoutError),
        ("57014", LockTimeoutError),
        ("40001", SerializationError),
        ("40P01", SerializationError),
        ("08006", BooksUnavailableError),
        ("25P03", BooksUnavailableError),
        ("25P04", BooksUnavailableError),
        ("25006", BooksUnavailableError),
        ("53100", BooksUnavailableError),
        ("53300", BooksUnavailableError),
        ("57P01", BooksUnavailableError),
        ("57P03", BooksUnavailableError),
        ("58030", BooksUnavailableError),
        (None, BooksUnavailableError),
        ("42501", InvariantError),
        ("42P01", InvariantError),
        ("25P02", InvariantError),
        ("SC001", InvariantError),
        ("XX000", InvariantError),
    ],
)
def test_each_class_has_its_fault(sqlstate: str | None, fault: type[Exception]) -> None:
    """
    Design 3 names the classes; what it does not name is a fault of ours.
    """
    made: Any = translate(failed(sqlstate))

    assert type(made) is fault
    assert "it went wrong" in str(made)


def test_a_constraint_is_named() -> None:
    """
    A caller never reads the text of an error to know what was broken.
    """
    fault = translate(failed("23514", CONSTRAINT_NAME=b"card_money_check"))

    assert isinstance(fault, ItemFaultError)
    assert "card_money_check" == fault.constraint


@pytest.mark.parametrize(
    ("sqlstate", "severity", "ends"),
    [
        ("57P01", b"FATAL", True),
        ("25P03", b"FATAL", True),
        ("XX000", b"PANIC", True),
        (None, b"", True),
        ("57P01", b"ERROR", False),
        ("23505", b"ERROR", False),
    ],
)
def test_fatal_errors_end_the_connection(
    sqlstate: str | None, severity: bytes, *, ends: bool
) -> None:
    """
    Severity decides; an error that this side made has none, and no connection.
    """
    assert ends is ends_connection(failed(sqlstate, severity=severity))


def test_the_first_error_is_the_one_that_counts() -> None:
    """
    Statements after it were skipped, which is no error of theirs.
    """
    good = cast("PGresult", FakeResult(status=ExecStatus.COMMAND_OK))
    bad = failed("23505")
    skipped = cast("PGresult", FakeResult(status=ExecStatus.PIPELINE_ABORTED))

    assert bad is first_error([good, bad, skipped])
    assert first_error([good]) is None
