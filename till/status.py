"""
Turn a gRPC status into what it means for a till, with or without details of ours.

The gateway attaches one ErrorInfo to each status it sends. A status without one was
made by a gRPC library or by something in between, on this side or the other: it never
proves that nothing was done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from till.errors import (
    FieldProblem,
    NotAppliedError,
    NotRecordedError,
    OutcomeUnknownError,
    RefusedError,
    TillError,
)

# The domain of the gateway's ErrorInfo: those of proxies and libraries have others.
ERROR_DOMAIN: Final = "gateway.scrip"
NOT_APPLIED: Final = "NOT_APPLIED"
TERMINAL_DENIED: Final = "TERMINAL_DENIED"
STATUS_DETAILS_KEY: Final = "grpc-status-details-bin"

_NOT_APPLIED_CODES: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
    }
)
_CODE_BY_NUMBER: Final = {code.value[0]: code for code in grpc.StatusCode}

_SAME_ID: Final = (
    "Send the same request id again. If that brings no answer either, reverse it: "
    "never sell again under a new request id before the reversal is answered."
)
_AGAIN: Final = (
    "This attempt moved nothing; an earlier one of the same request id may have. Wait "
    "{wait}and send the same request id again, or reverse it."
)
_DENIED: Final = (
    "This device may not do this (again). Call the program's operator; requests of "
    "this till without a final answer stay in its journal and are reversed once the "
    "device is registered again."
)
_WRONG_TERMINAL: Final = (
    "This device does not speak for that terminal: a TERMINAL's certificate speaks for "
    "its own, a CONTROLLER's names one of its store. Correct the till's set-up; the "
    "same request id may be sent again then."
)
_REFUSED_ADVICE: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: (
        "Correct what is named and send it as a new request: this one can never be "
        "recorded, in this form."
    ),
    grpc.StatusCode.UNAUTHENTICATED: (
        "The gateway knows this device by its certificate: check --cert and --key, "
        "and that the connection does not end at a proxy."
    ),
    grpc.StatusCode.PERMISSION_DENIED: _DENIED,
}
# What gRPC says by itself. None of these proves that nothing was done.
_LIBRARY_ADVICE: Final = {
    grpc.StatusCode.UNAVAILABLE: (
        "No connection to the gateway, or it broke. If it never works: check the "
        "address; that --ca is the authority of the gateway's certificate; that "
        "--cert was issued by an authority the gateway accepts, has not expired and "
        "is made for clients. A refused certificate looks like a closed connection "
        f"here; the gateway's log says why. {_SAME_ID}"
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        f"No answer in time: it may have been done, or may still be. {_SAME_ID}"
    ),
    grpc.StatusCode.CANCELLED: (
        "The call was cut off, as when a server stops: it may have been done. "
        f"{_SAME_ID}"
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (
        "A message was too long for one of the two sides, and sending it again will "
        "not help: shorten what the till adds (merchant_reference, cashier_id, "
        "local_time), and reverse this request id to be sure that nothing was done."
    ),
    grpc.StatusCode.UNIMPLEMENTED: (
        "What answers at this address is no Scrip gateway, or an older one: check the "
        f"address. {_SAME_ID}"
    ),
}


@dataclass(slots=True)
class _Details:
    """
    Hold what the details of a status say.
    """

    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None
    problems: list[FieldProblem] = field(default_factory=list)


def error_of_call(error: grpc.aio.AioRpcError, *, connected: bool = True) -> TillError:
    """
    Name what a failed call means.

    Calls wait for a connection, so where there never is one they end by their
    deadline. `connected` False then gives the advice that fits.
    """
    status = status_pb2.Status()
    for key, value in error.trailing_metadata():
        if key == STATUS_DETAILS_KEY and isinstance(value, bytes):
            try:
                status = status_pb2.Status.FromString(value)
            except DecodeError:
                # Garbage in the details is no ErrorInfo: the outcome is unknown.
                status = status_pb2.Status()
    text = error.details() or ""
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and not connected:
        return OutcomeUnknownError(
            "no connection to the gateway within the deadline",
            advice=_LIBRARY_ADVICE[grpc.StatusCode.UNAVAILABLE],
            status=error.code().name,
        )
    return till_error(error.code(), text, status)


def error_of_fault(fault: status_pb2.Status) -> TillError:
    """
    Name what a fault of one item of a stream means.
    """
    code = _CODE_BY_NUMBER.get(fault.code, grpc.StatusCode.UNKNOWN)
    return till_error(code, fault.message, fault)


def till_error(
    code: grpc.StatusCode, message: str, status: status_pb2.Status
) -> TillError:
    """
    Name what a status means: the gateway's own, or one of a gRPC library.
    """
    details = _read_details(status)
    text = message or code.name
    if not details.reason:
        return OutcomeUnknownError(
            text,
            advice=_LIBRARY_ADVICE.get(code, f"It may have been done. {_SAME_ID}"),
            status=code.name,
        )
    if code is grpc.StatusCode.NOT_FOUND:
        return _not_recorded(text, details)
    if code in _NOT_APPLIED_CODES and details.reason == NOT_APPLIED:
        after_s = details.retry_after_s
        wait = "" if after_s is None else f"{after_s:g} s "
        kind: type[TillError] = NotAppliedError
        advice = _AGAIN.format(wait=wait)
    elif code in _REFUSED_ADVICE:
        kind = RefusedError
        wrong_terminal = details.reason == TERMINAL_DENIED
        advice = _WRONG_TERMINAL if wrong_terminal else _REFUSED_ADVICE[code]
    else:
        kind = OutcomeUnknownError
        advice = _LIBRARY_ADVICE.get(code, f"It may have been done. {_SAME_ID}")
    return kind(
        text,
        advice=advice,
        status=code.name,
        reason=details.reason,
        retry_after_s=details.retry_after_s,
        problems=details.problems,
        metadata=details.metadata,
    )


def _not_recorded(text: str, details: _Details) -> TillError:
    final = details.metadata.get("final") == "true"
    advice = (
        "It was reversed before it arrived, so it will never be done."
        if final
        else (
            "Nothing is recorded so far, which is not final: the request may still "
            "wait in a queue. Only a reversal makes its absence final."
        )
    )
    return NotRecordedError(
        text,
        final=final,
        advice=advice,
        status=grpc.StatusCode.NOT_FOUND.name,
        reason=details.reason,
        metadata=details.metadata,
    )


def _read_details(status: status_pb2.Status) -> _Details:
    details = _Details()
    info = error_details_pb2.ErrorInfo()
    retry = error_details_pb2.RetryInfo()
    bad = error_details_pb2.BadRequest()
    for packed in status.details:
        try:
            if packed.Unpack(info):
                if info.domain == ERROR_DOMAIN:
                    details.reason = info.reason
                    details.metadata = dict(info.metadata)
            elif packed.Unpack(retry):
                delay = retry.retry_delay
                details.retry_after_s = delay.ToTimedelta().total_seconds()
            elif packed.Unpack(bad):
                details.problems += [
                    FieldProblem(violation.field, violation.description)
                    for violation in bad.field_violations
                ]
        except DecodeError:
            continue  # one broken detail does not hide the others
    return details
