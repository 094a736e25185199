"""
How a stream really ended: the server's status, not what a late write makes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, NamedTuple, TypeVar

import grpc

Result = TypeVar("Result")

# Between two looks for a status that is on its way already.
_PAUSE_S: Final = 0.005
# What grpc.aio says of a whole call when one write of it fails.
_MADE_UP: Final = (grpc.StatusCode.INTERNAL, "Internal error from Core")


class _Status(NamedTuple):
    """
    Be a status as it stood at one moment.
    """

    code: grpc.StatusCode
    details: str
    trailer: grpc.aio.Metadata

    @property
    def made_up(self) -> bool:
        """
        Say whether the library said it, because a write failed.
        """
        return (self.code, self.details) == _MADE_UP


class StreamEnd:
    """
    Tell the status with which the server ended a call.

    A write that meets the end of its stream makes grpc.aio say INTERNAL of the whole
    call: until the server's status comes, or over it when it is there, and then it is
    gone. Who asks the call afterwards is told INTERNAL where the server said that this
    device may not trade. So the first status is noted at the moment it is set, and
    where it is such an INTERNAL, the next one is waited for.
    """

    def __init__(self, call: grpc.aio.Call) -> None:
        """
        Note what becomes of the call from now on: make this before the first write.
        """
        self._call: Any = call
        self._status: _Status | None = None
        self._ended = asyncio.Event()
        call.add_done_callback(self._note)

    async def error(self, *, timeout_s: float) -> grpc.aio.AioRpcError | None:
        """
        Give the status as an error, or None where it is OK.

        It is the library's INTERNAL if nothing else comes within the time.

        Raises:
            TimeoutError: nothing at all came.

        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._ended.wait()
                while self._status is not None and self._status.made_up:
                    await asyncio.sleep(_PAUSE_S)
                    self._note(self._call)
        except TimeoutError:
            if self._status is None:
                raise
        status = self._status
        if status is None or status.code is grpc.StatusCode.OK:
            return None
        return grpc.aio.AioRpcError(
            status.code, grpc.aio.Metadata(), status.trailer, status.details
        )

    def _note(self, call: Any) -> None:  # noqa: ANN401 -- of any messages
        if self._status is None or self._status.made_up:
            self._status = _Status(
                _at_once(call.code()),
                _at_once(call.details()) or "",
                _at_once(call.trailing_metadata()) or grpc.aio.Metadata(),
            )
        self._ended.set()


def _at_once(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """
    Give what a coroutine returns that has nothing to wait for.

    A task would run too late: the next write may have failed by then.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("a status that is set was waited for")
