"""
Ask many things over one stream, and go on when the stream breaks.

A stream may end at any time: the server drains, a connection breaks. What is not
answered by then is sent again, unchanged, over a new stream. Each request has its own
request id, so what was done already comes back as a replay.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import grpc

from scrip.v1 import card_service_pb2
from scrip.v1.card_service_pb2_grpc import CardServiceStub
from till.answer import Answer, read_answer
from till.connection import DEFAULT_TIMEOUT_S
from till.errors import AnswerUnreadableError, OutcomeUnknownError, TillError
from till.requests import Request
from till.status import error_of_call, error_of_fault
from till.stream_end import StreamEnd
from till.wire import outcome_of, write_stream_message

# The gateway stops reading a stream with more unanswered items than this.
MAX_OUTSTANDING: Final = 1_024
DEFAULT_OUTSTANDING: Final = 256
REOPEN_LIMIT: Final = 10
FIRST_REOPEN_PAUSE_S: Final = 0.02
LONGEST_REOPEN_PAUSE_S: Final = 1.0
# How long answers and the status of a stream that ended may be on their way.
LAST_WORDS_S: Final = 1.0

_LOST_IDENTITY: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
_ASK_AGAIN: Final = (
    "Send the same request id again, over a new stream or by a single call. If that "
    "brings no answer either, reverse it."
)

Call = grpc.aio.StreamStreamCall[
    card_service_pb2.TransactRequest, card_service_pb2.TransactResponse
]


@dataclass(slots=True)
class _Unanswered:
    """
    Be a request on its way: what was sent, and who waits for it.
    """

    message: card_service_pb2.TransactRequest
    answer: asyncio.Future[Answer]


class TransactStream:
    """
    Send requests over one Transact stream and match the answers, in any order.

    Used as `async with TransactStream(client.channels[0]) as stream`. At most
    `outstanding` requests are unanswered at once; `send` waits beyond that.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        outstanding: int = DEFAULT_OUTSTANDING,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        reopen_limit: int = REOPEN_LIMIT,
    ) -> None:
        """
        Prepare a stream; it opens with the first request.

        Args:
            channel: an open channel; the stream does not close it.
            outstanding: how many requests may be unanswered at once.
            timeout_s: how long `send` waits for an answer.
            reopen_limit: how often the stream is opened again with no answer in
                between before everything unanswered fails as unknown.

        """
        if not 1 <= outstanding <= MAX_OUTSTANDING:
            raise ValueError(f"outstanding is 1 to {MAX_OUTSTANDING}")
        self._stub = CardServiceStub(channel)
        self._slots = asyncio.Semaphore(outstanding)
        self._timeout_s = timeout_s
        self._reopen_limit = reopen_limit
        self._unanswered: dict[int, _Unanswered] = {}
        self._to_send: asyncio.Queue[int] = asyncio.Queue()
        self._sequence = 0
        self._failures = 0
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self.reopened = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """
        End the stream. What is unanswered has an unknown outcome.
        """
        self._closed = True
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        self._fail_all(OutcomeUnknownError("the stream was closed", advice=_ASK_AGAIN))

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send a request and give its answer, over as many streams as that takes.
        """
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        async with self._slots:
            if self._closed:
                raise RuntimeError("the stream is closed")
            self._sequence += 1
            sequence = self._sequence
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            message = write_stream_message(sequence, request)
            self._unanswered[sequence] = _Unanswered(message, answer)
            self._to_send.put_nowait(sequence)
            self._start()
            try:
                async with asyncio.timeout(limit_s):
                    return await answer
            except TimeoutError:
                raise OutcomeUnknownError(
                    f"no answer within {limit_s:g} s",
                    advice=_ASK_AGAIN,
                    status=grpc.StatusCode.DEADLINE_EXCEEDED.name,
                ) from None
            finally:
                self._unanswered.pop(sequence, None)

    def _start(self) -> None:
        if self._running is None or self._running.done():
            self._failures = 0
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """
        Keep a stream open while there is something unanswered, and open it again.
        """
        while self._unanswered:
            error = await self._one_stream()
            if error.status in _LOST_IDENTITY or self._failures >= self._reopen_limit:
                self._fail_all(error)
                return
            self._failures += 1
            self.reopened += 1
            pause_s = FIRST_REOPEN_PAUSE_S * 2 ** (self._failures - 1)
            await asyncio.sleep(min(pause_s, LONGEST_REOPEN_PAUSE_S))

    async def _one_stream(self) -> TillError:
        """
        Open a stream, send what is unanswered and what comes, and say how it ended.
        """
        call: Call = self._stub.Transact(wait_for_ready=True)
        end = StreamEnd(call)
        # Everything unanswered goes first, in the order it was asked; what is put
        # into the queue from now on comes after it.
        self._to_send = asyncio.Queue()
        for sequence in self._unanswered:
            self._to_send.put_nowait(sequence)
        reading = asyncio.create_task(self._read(call))
        writing = asyncio.create_task(self._write(call))
        error = None
        try:
            # Whichever ends first, the stream is over. A write fails while answers
            # and the status may still be on their way.
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({reading}, timeout=LAST_WORDS_S)
            with suppress(TimeoutError):  # told below: it ended without a status
                error = await end.error(timeout_s=LAST_WORDS_S)
        finally:
            call.cancel()
            writing.cancel()
            ends = await asyncio.gather(reading, writing, return_exceptions=True)
        if error is not None:
            return error_of_call(error)
        # A write on a stream that just ended raises what it likes in grpc.aio. What
        # else it may be is told when the last attempt fails like this one.
        causes = "; ".join(repr(each) for each in ends if isinstance(each, Exception))
        return OutcomeUnknownError(
            f"the stream ended{causes and ': '}{causes}", advice=_ASK_AGAIN
        )

    async def _write(self, call: Call) -> None:
        """
        Write until the stream ends; how it ended is told by its status.
        """
        while True:
            unanswered = self._unanswered.get(await self._to_send.get())
            if unanswered is not None:
                await call.write(unanswered.message)

    async def _read(self, call: Call) -> None:
        """
        Read to the end, which is an error unless the status is OK.

        By iteration: `call.read()` gives no more once a write has failed, even of
        answers that are there.
        """
        async for response in call:
            self._failures = 0
            unanswered = self._unanswered.pop(response.sequence, None)
            if unanswered is not None and not unanswered.answer.done():
                _settle(unanswered.answer, response)

    def _fail_all(self, error: TillError) -> None:
        for unanswered in self._unanswered.values():
            if not unanswered.answer.done():
                unanswered.answer.set_exception(error)
        self._unanswered.clear()


def _settle(
    answer: asyncio.Future[Answer], response: card_service_pb2.TransactResponse
) -> None:
    outcome = outcome_of(response)
    if outcome is None:
        answer.set_exception(error_of_fault(response.fault))
        return
    try:
        answer.set_result(read_answer(outcome))
    except AnswerUnreadableError as error:
        answer.set_exception(error)
