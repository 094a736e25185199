"""
A call while it runs, and the one line that is written when it ends.
"""

import asyncio
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from gateway.api.status import code_of, reason_of
from gateway.domain.errors import GatewayError, InvariantError
from gateway.domain.policy import Caller, DeviceName
from gateway.domain.results import RESPONSE_CODES, Result
from gateway.engine.answers import Answer
from gateway.runtime.logging import get_logger, write_line
from gateway.runtime.metrics import Metrics

STREAM_METHOD: Final = "Transact"
# What is longer is no request id: it is neither written to the log nor echoed.
SHOWN_ID_CHARACTERS: Final = 64

_RESULT_NAMES: Final = ("", *(result.name for result in sorted(Result)))
_RESPONSE_CODES: Final = (
    "",
    *(RESPONSE_CODES[result] for result in sorted(Result)),
)
_NO_RESULT: Final = ""
_NOBODY: Final = DeviceName("", "", "")


@dataclass(slots=True, eq=False)
class Call:
    """
    One call or one item of a stream.

    `deadline` is on the event loop's clock (`loop.time()`), `started` is
    `time.perf_counter()`. The rest is learned on the way, for the line at its end;
    `items` are those of a stream.
    """

    method: str
    caller: Caller | None
    deadline: float
    started: float
    request_id: str = ""
    answer: Answer | None = None
    items: int = 0


_current: ContextVar[Call] = ContextVar("call")


def enter(call: Call) -> None:
    """
    Make a call the one of this task, before its method runs.
    """
    _current.set(call)


def current_call() -> Call:
    """
    Give the call of this task.
    """
    return _current.get()


def shown_id(request_id: str) -> str:
    """
    Give a request id as it came, unless it is so long that it is none.
    """
    return request_id if len(request_id) <= SHOWN_ID_CHARACTERS else ""


class CallLog:
    """
    Write and count each call when it ends.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._logger = get_logger("api")

    def answered(self, call: Call) -> None:
        """
        Note a call that got its answer, approved or declined.
        """
        seconds = time.perf_counter() - call.started
        answer = call.answer
        if answer is None:
            self._write(call, seconds, status="OK")
            self._count(call, _NO_RESULT, "OK", seconds)
            return
        record = answer.record
        result = _RESULT_NAMES[record.result]
        device = _NOBODY if call.caller is None else call.caller.device
        # Nothing of it needs to be masked: what has an answer was read, so that its
        # request id is a UUID.
        write_line(
            {
                "event": "call",
                "part": "api",
                "method": call.method,
                "request_id": call.request_id,
                "duration_ms": round(seconds * 1_000, 3),
                "status": "OK",
                "result": result,
                "response_code": _RESPONSE_CODES[record.result],
                "replayed": answer.replayed,
                "terminal": record.terminal_id,
                "merchant": device.merchant,
                "store": device.store,
                "device": device.device,
            }
        )
        self._count(call, result, "OK", seconds)

    def failed(self, call: Call, error: BaseException) -> None:
        """
        Note a call that ended with a status; our own faults with their cause.
        """
        seconds = time.perf_counter() - call.started
        if isinstance(error, asyncio.CancelledError):
            self._write(call, seconds, status="CANCELLED")
            self._count(call, _NO_RESULT, "CANCELLED", seconds)
            return
        status = code_of(error).name
        reason = reason_of(error)
        self._count(call, _NO_RESULT, status, seconds)
        self._metrics.fault(reason)
        if isinstance(error, GatewayError) and not isinstance(error, InvariantError):
            self._write(call, seconds, status=status, reason=reason, why=str(error))
        else:
            self._logger.error(
                "call failed",
                method=call.method,
                request_id=call.request_id,
                status=status,
                exc_info=error,
            )

    def _count(self, call: Call, result: str, status: str, seconds: float) -> None:
        self._metrics.rpc_finished(
            method=call.method, result=result, status=status, seconds=seconds
        )

    def _write(self, call: Call, seconds: float, **known: object) -> None:
        caller = call.caller
        if call.items:
            known["items"] = call.items
        if caller is not None:
            known["merchant"], known["store"], known["device"] = caller.device
        self._logger.info(
            "call",
            method=call.method,
            request_id=call.request_id,
            duration_ms=round(seconds * 1_000, 3),
            **known,
        )
