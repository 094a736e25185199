"""
A till that sends all its requests over one Transact stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc import aio

from scrip.v1 import card_service_pb2 as pb
from tests.support.tills import DEADLINE_S, Reply, Till

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS: Final = {
    field.message_type.name.removesuffix("Request"): field.name
    for field in pb.TransactRequest.DESCRIPTOR.oneofs_by_name["operation"].fields
    if field.message_type is not None
}
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_ECHOED_CHARACTERS: Final = 64


class StreamTill(Till):
    """
    One device over one stream, for the whole of a test.

    A `fault` is raised as the status that the single call would have ended with.
    Which worker answered shows only when a stream ends: `worker` of a reply is 0.
    """

    def __init__(self, till: Till) -> None:
        super().__init__(name=till.name, channel=till.channel, stub=till.stub)
        self._call: Any = till.stream()
        self._numbers: Iterator[int] = count(1)
        self._waiting: dict[int, asyncio.Future[pb.TransactResponse]] = {}
        self._writing = asyncio.Lock()
        self._reader = asyncio.create_task(self._read())

    async def send(
        self, method: str, request: Any, *, timeout_s: float = DEADLINE_S, **how: Any
    ) -> Reply:
        """
        Send a request message as it is, and match its answer.
        """
        assert not how, "a stream has no words for a single call"
        sequence = next(self._numbers)
        answered = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = answered
        message = pb.TransactRequest(sequence=sequence, **{_FIELDS[method]: request})
        async with self._writing:
            await self._call.write(message)
        response = await asyncio.wait_for(answered, timeout_s)
        if len(request.request_id) <= _ECHOED_CHARACTERS:
            assert response.request_id == request.request_id
        kind = response.WhichOneof("answer")
        if kind == "fault":
            raise _raised(response.fault)
        assert kind == _FIELDS[method]
        return Reply(outcome=getattr(response, kind).outcome, worker=0)

    async def end(self) -> grpc.StatusCode:
        """
        Say that no more comes; give the status that the stream ends with.
        """
        if not self._call.done():
            await self._call.done_writing()
        await self._reader
        code: grpc.StatusCode = await self._call.code()
        return code

    async def _read(self) -> None:
        with suppress(aio.AioRpcError):
            while (response := await self._call.read()) is not aio.EOF:
                self._waiting.pop(response.sequence).set_result(response)
        code = await self._call.code()
        details = await self._call.details()
        trailing = await self._call.trailing_metadata()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(
                    aio.AioRpcError(code, aio.Metadata(), trailing, details)
                )


@asynccontextmanager
async def streaming(till: Till, *, survives: bool = True) -> AsyncIterator[StreamTill]:
    """
    Send what a till sends over one stream, which must live to the end of the test.

    With `survives` False it must not: its server dies, or ends it.
    """
    over_stream = StreamTill(till)
    try:
        yield over_stream
    except BaseException:
        over_stream._call.cancel()
        raise
    assert (await over_stream.end() is grpc.StatusCode.OK) is survives


def _raised(fault: Any) -> aio.AioRpcError:
    trailing = aio.Metadata(("grpc-status-details-bin", fault.SerializeToString()))
    return aio.AioRpcError(
        _CODES[fault.code], aio.Metadata(), trailing, details=fault.message
    )
