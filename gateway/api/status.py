"""
Turn a fault into its gRPC status: one table, walked by a test.

Each status carries a google.rpc.Status with exactly one ErrorInfo, so that a till can
tell ours from what its own library made. What is not a fault of ours becomes INTERNAL,
with a fixed text: the cause is for the log.
"""

from typing import Any, Final

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from gateway.api.forms import InvalidFieldsError
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

DOMAIN: Final = "gateway.scrip"
INTERNAL_TEXT: Final = (
    "an internal fault; the outcome is unknown: send the same request again"
)

CODES: Final[dict[type[GatewayError], grpc.StatusCode]] = {
    GatewayError: grpc.StatusCode.INTERNAL,
    InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidFieldsError: grpc.StatusCode.INVALID_ARGUMENT,
    UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    DeviceDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    TerminalDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    ServiceDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    RoleDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    TransactionNotFoundError: grpc.StatusCode.NOT_FOUND,
    UnknownTransactionError: grpc.StatusCode.NOT_FOUND,
    NotAppliedError: grpc.StatusCode.UNAVAILABLE,
    ThrottledError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ConcurrencyError: grpc.StatusCode.ABORTED,
    DependencyError: grpc.StatusCode.UNAVAILABLE,
    DeadlineOverError: grpc.StatusCode.DEADLINE_EXCEEDED,
    OutcomeUnknownError: grpc.StatusCode.UNKNOWN,
    InvariantError: grpc.StatusCode.INTERNAL,
}


def code_of(error: BaseException) -> grpc.StatusCode:
    """
    Give the status code of whatever a call ended with.
    """
    return CODES.get(type(error), grpc.StatusCode.INTERNAL)  # type: ignore[arg-type]


def reason_of(error: BaseException) -> str:
    """
    Give the reason of whatever a call ended with, as its ErrorInfo says it.
    """
    return error.reason if isinstance(error, GatewayError) else GatewayError.reason


def status_of(error: BaseException) -> status_pb2.Status:
    """
    Write the status with its details.
    """
    code = code_of(error)
    internal = code is grpc.StatusCode.INTERNAL
    status = status_pb2.Status(
        code=number_of(code), message=INTERNAL_TEXT if internal else str(error)
    )
    info = error_details_pb2.ErrorInfo(reason=reason_of(error), domain=DOMAIN)
    if isinstance(error, TransactionNotFoundError):
        info.metadata["final"] = "true" if error.final else "false"
    _add(status, info)
    if isinstance(error, InvalidRequestError):
        _add(status, _bad_request(error))
    if isinstance(error, NotAppliedError) and error.retry_after_ms:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(error.retry_after_ms)
        _add(status, retry)
    return status


def number_of(code: grpc.StatusCode) -> int:
    """
    Give the code's number on the wire.
    """
    number: Any = code.value[0]
    return int(number)


def _bad_request(error: InvalidRequestError) -> error_details_pb2.BadRequest:
    if isinstance(error, InvalidFieldsError):
        pairs = [(problem.path, problem.description) for problem in error.problems]
    else:
        pairs = [(error.field, error.message)]
    details = error_details_pb2.BadRequest()
    for field, description in pairs:
        details.field_violations.add(field=field, description=description)
    return details


def _add(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)
