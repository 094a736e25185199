"""
Transact: many requests over one stream, answered in any order (domain 1.6).

A bad item gets a fault and the stream lives. What ends it: the client, a message that
cannot be parsed, a device that was revoked, and the drain of the worker. In each case
all that was read is answered first.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from grpc import aio

from gateway.api.calls import STREAM_METHOD, Call, CallLog, shown_id
from gateway.api.forms import FieldProblem, InvalidFieldsError
from gateway.api.intake import Intake, Submitted
from gateway.api.messages import Unreadable, refuse_unreadable
from gateway.api.outcomes import put_outcome
from gateway.api.ports import PolicySource
from gateway.api.status import status_of
from gateway.domain.errors import (
    DependencyError,
    DeviceDeniedError,
    InvariantError,
)
from gateway.domain.policy import Caller
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import transaction_pb2

_NO_OPERATION: Final = FieldProblem(
    "operation", "is missing: send one of the operations of TransactRequest"
)
# By their fields in a stream, which bear the names of the methods.
_METHOD_NAMES: Final = {
    field.name: field.message_type.name.removesuffix("Request")
    for field in pb.TransactRequest.DESCRIPTOR.oneofs_by_name["operation"].fields
    if field.message_type is not None
}
_Context = aio.ServicerContext[Any, Any]


class _WithOutcome(Protocol):
    @property
    def outcome(self) -> transaction_pb2.Outcome: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBounds:
    """
    What one stream may take up.
    """

    max_unanswered: int
    item_deadline_s: float


@dataclass(slots=True, eq=False)
class _Item:
    """
    One request of the stream: its number, its kind and its account.
    """

    sequence: int
    kind: str
    call: Call
    fault: BaseException | None = None


class Streams:
    """
    Run every open stream, and end them all when the worker drains.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        policies: PolicySource,
        call_log: CallLog,
        bounds: StreamBounds,
    ) -> None:
        self._intake = intake
        self._policies = policies
        self._log = call_log
        self._bounds = bounds
        self._open: set[_Stream] = set()
        self._draining = False

    async def run(self, call: Call, caller: Caller, context: _Context) -> None:
        """
        Serve one stream until its end.

        Raises:
            GatewayError: why it ended, if not by the client's wish.

        """
        stream = _Stream(
            call=call,
            caller=caller,
            context=context,
            intake=self._intake,
            policies=self._policies,
            call_log=self._log,
            bounds=self._bounds,
        )
        self._open.add(stream)
        try:
            if self._draining:
                stream.stop(draining_fault())
            await stream.run()
        finally:
            self._open.discard(stream)

    def drain(self) -> None:
        """
        Read nothing more: each stream answers what it has read and ends.
        """
        self._draining = True
        for stream in self._open:
            stream.stop(draining_fault())


class _Stream:
    """
    One stream: a task that reads, and this one that writes.
    """

    def __init__(
        self,
        *,
        call: Call,
        caller: Caller,
        context: _Context,
        intake: Intake,
        policies: PolicySource,
        call_log: CallLog,
        bounds: StreamBounds,
    ) -> None:
        self._call = call
        self._caller = caller
        self._context = context
        self._intake = intake
        self._policies = policies
        self._log = call_log
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._ready: list[_Item] = []
        self._unanswered = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._read_all = False
        self._end: BaseException | None = None

    def stop(self, why: BaseException) -> None:
        """
        Read nothing more; `why` ends the stream when all that was read is answered.
        """
        if self._end is None:
            self._end = why
        if self._reader is not None:
            self._reader.cancel()

    async def run(self) -> None:
        """
        Read and write until both are done.
        """
        if self._end is None:
            self._reader = asyncio.create_task(self._read())
            try:
                await self._write()
            finally:
                self._reader.cancel()
                await asyncio.wait([self._reader])
        if self._end is not None:
            raise self._end

    async def _read(self) -> None:
        try:
            while True:
                while self._unanswered >= self._bounds.max_unanswered:
                    self._room.clear()
                    await self._room.wait()
                message = await self._context.read()
                if message is aio.EOF:
                    break
                if isinstance(message, Unreadable):
                    refuse_unreadable()
                await self._take(message)
        except Exception as error:  # noqa: BLE001 - it ends the stream, in `run`
            self._end = error
        finally:
            self._read_all = True
            self._wake.set()

    async def _take(self, message: pb.TransactRequest) -> None:
        """
        Queue one item, or answer it with its fault.
        """
        kind = message.WhichOneof("operation")
        request = message if kind is None else getattr(message, kind)
        item = _Item(message.sequence, kind or "", self._account_of(kind, request))
        self._unanswered += 1
        self._call.items += 1
        if kind is None:
            self._finish(item, InvalidFieldsError((_NO_OPERATION,)))
            return
        try:
            await self._intake.wait_for_room(kind, request)
            submitted = await self._intake.submit(
                kind, self._caller, request, item.call.deadline
            )
        except asyncio.CancelledError:
            # Why the reading was stopped: the drain, or a device that was revoked.
            self._finish(item, self._end or draining_fault())
            raise
        except Exception as error:  # noqa: BLE001 - it is the item's, not the stream's
            self._finish(item, error)
        else:
            submitted.add_done_callback(partial(self._answered, item))

    def _account_of(self, kind: str | None, request: object) -> Call:
        request_id: str = getattr(request, "request_id", "")
        deadline = self._loop.time() + self._bounds.item_deadline_s
        return Call(
            method=STREAM_METHOD if kind is None else _METHOD_NAMES[kind],
            caller=self._caller,
            deadline=min(deadline, self._call.deadline),
            started=time.perf_counter(),
            request_id=shown_id(request_id),
        )

    def _answered(self, item: _Item, submitted: Submitted) -> None:
        fault = submitted.exception()
        if fault is None:
            item.call.answer = submitted.result()
        self._finish(item, fault)

    def _finish(self, item: _Item, fault: BaseException | None) -> None:
        item.fault = fault
        self._ready.append(item)
        self._wake.set()

    async def _write(self) -> None:
        while True:
            if self._ready:
                ready, self._ready = self._ready, []
                for item in ready:
                    await self._context.write(self._response(item))
                    self._unanswered -= 1
                    self._room.set()
            elif self._read_all and not self._unanswered:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    def _response(self, item: _Item) -> pb.TransactResponse:
        call = item.call
        response = pb.TransactResponse(
            sequence=item.sequence, request_id=call.request_id
        )
        fault = item.fault
        if fault is None and call.answer is not None:
            answer: _WithOutcome = getattr(response, item.kind)
            put_outcome(answer.outcome, call.answer, self._policies.current)
            self._log.answered(call)
            return response
        if fault is None:
            fault = InvariantError("an item ended without answer and without fault")
        response.fault.CopyFrom(status_of(fault))
        self._log.failed(call, fault)
        if isinstance(fault, DeviceDeniedError):
            self.stop(fault)
        return response


def draining_fault() -> DependencyError:
    """
    Give the fault of what a stopping worker does not take in any more.
    """
    return DependencyError("the worker is stopping; send the same request again")
