"""
Each fault has its status, with exactly one ErrorInfo (domain 1.2, style 2.3).
"""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

import gateway.api.forms
from gateway.api.forms import FieldProblem, InvalidFieldsError
from gateway.api.status import CODES, DOMAIN, INTERNAL_TEXT, code_of, status_of
from gateway.domain.errors import (
    ConcurrencyError,
    DeadlineOverError,
    DependencyError,
    DeviceDeniedError,
    GatewayError,
    InvalidRequestError,
    InvariantError,
    NotAppliedError,
    OutcomeUnknownError,
    RoleDeniedError,
    ServiceDeniedError,
    TerminalDeniedError,
    ThrottledError,
    TransactionNotFoundError,
    UnauthenticatedError,
    UnknownTransactionError,
)

EXAMPLES: list[tuple[GatewayError, str, str]] = [
    (GatewayError("x"), "INTERNAL", "INTERNAL"),
    (InvalidRequestError("a", "b"), "INVALID_ARGUMENT", "INVALID_REQUEST"),
    (
        InvalidFieldsError((FieldProblem("a", "b"),)),
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
    ),
    (UnauthenticatedError("x"), "UNAUTHENTICATED", "UNAUTHENTICATED"),
    (DeviceDeniedError("x"), "PERMISSION_DENIED", "DEVICE_DENIED"),
    (TerminalDeniedError("x"), "PERMISSION_DENIED", "TERMINAL_DENIED"),
    (ServiceDeniedError("x"), "PERMISSION_DENIED", "SERVICE_DENIED"),
    (RoleDeniedError("x"), "PERMISSION_DENIED", "ROLE_DENIED"),
    (TransactionNotFoundError(final=True), "NOT_FOUND", "TRANSACTION_NOT_FOUND"),
    (UnknownTransactionError("x"), "NOT_FOUND", "TRANSACTION_NOT_FOUND"),
    (NotAppliedError("x"), "UNAVAILABLE", "NOT_APPLIED"),
    (ThrottledError("x", retry_after_ms=1), "RESOURCE_EXHAUSTED", "NOT_APPLIED"),
    (ConcurrencyError("x"), "ABORTED", "NOT_APPLIED"),
    (DependencyError("x"), "UNAVAILABLE", "NOT_APPLIED"),
    (DeadlineOverError("x"), "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
    (OutcomeUnknownError("x"), "UNKNOWN", "OUTCOME_UNKNOWN"),
    (InvariantError("x"), "INTERNAL", "INTERNAL"),
]


def all_faults(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """
    Walk a class and all that derive from it and may end a call.

    Adapters have faults of commands, which no call meets.
    """
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith(("gateway.domain.", "gateway.api.")):
            yield from all_faults(child)


def details(status: status_pb2.Status, kind: Any) -> list[Any]:
    """
    Unpack the details of one kind.
    """
    found = []
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            found.append(detail)
    return found


def test_every_fault_is_in_the_table() -> None:
    """
    No class of fault is without a code of its own, nor without an example here.
    """
    assert gateway.api.forms is not None
    faults = set(all_faults())

    assert faults == set(CODES)
    assert faults == {type(error) for error, _, _ in EXAMPLES}


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    EXAMPLES,
    ids=[type(error).__name__ for error, _, _ in EXAMPLES],
)
def test_each_fault_has_one_error_info(
    error: GatewayError, code: str, reason: str
) -> None:
    """
    The status carries its code and exactly one ErrorInfo with the class's reason.
    """
    status = status_of(error)
    infos = details(status, error_details_pb2.ErrorInfo)

    assert grpc.StatusCode[code].value[0] == status.code
    assert [(info.reason, info.domain) for info in infos] == [(reason, DOMAIN)]


def test_wrong_fields_are_listed() -> None:
    """
    BadRequest names every field with its remedy.
    """
    problems = (FieldProblem("a.b", "is missing"), FieldProblem("c", "is no UUID"))
    status = status_of(InvalidFieldsError(problems))
    (bad,) = details(status, error_details_pb2.BadRequest)

    assert [(v.field, v.description) for v in bad.field_violations] == list(problems)


def test_a_plain_invalid_request_lists_its_field() -> None:
    """
    A fault that knows one field only still has its BadRequest.
    """
    status = status_of(InvalidRequestError("message", "cannot be parsed"))
    (bad,) = details(status, error_details_pb2.BadRequest)

    assert [(v.field, v.description) for v in bad.field_violations] == [
        ("message", "cannot be parsed")
    ]


@pytest.mark.parametrize(
    ("error", "delay_ms"),
    [
        (ThrottledError("x", retry_after_ms=1_250), 1_250),
        (ConcurrencyError("x"), 50),
        (DependencyError("x"), 100),
    ],
)
def test_not_applied_says_when_to_ask_again(
    error: NotAppliedError, delay_ms: int
) -> None:
    """
    RetryInfo tells the delay.
    """
    (retry,) = details(status_of(error), error_details_pb2.RetryInfo)

    assert retry.retry_delay.ToMilliseconds() == delay_ms


@pytest.mark.parametrize("final", [True, False])
def test_not_found_says_whether_it_is_final(final: bool) -> None:
    """
    Only under a tombstone an absence is final.
    """
    status = status_of(TransactionNotFoundError(final=final))
    (info,) = details(status, error_details_pb2.ErrorInfo)

    assert dict(info.metadata) == {"final": "true" if final else "false"}


@pytest.mark.parametrize(
    "error",
    [InvariantError("row 17 of card 6036"), KeyError("6036280000000000007")],
    ids=["invariant", "unexpected"],
)
def test_our_own_faults_say_nothing(error: Exception) -> None:
    """
    INTERNAL has a fixed text, whatever the cause says.
    """
    status = status_of(error)

    assert code_of(error) is grpc.StatusCode.INTERNAL
    assert status.message == INTERNAL_TEXT
    assert b"6036" not in status.SerializeToString()
