"""
Ask again, as the till guide says, after a worker was killed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import grpc
from grpc import aio

from tests.support.tills import fault_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ATTEMPTS: Final = 5
PAUSE_S: Final = 0.02

Answer = TypeVar("Answer")


async def until_answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """
    Ask until the gateway answers, five times at most.

    A connection that led to the killed worker may look whole until something is sent
    over it, and a new one may break at once. Only gRPC says UNAVAILABLE without a
    reason; what the gateway says is an answer.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return await ask()
        except aio.AioRpcError as error:
            fault = fault_of(error)
            if fault.code is not grpc.StatusCode.UNAVAILABLE or fault.reason:
                raise
        await asyncio.sleep(PAUSE_S * 2**attempt)
    return await ask()
