"""
Stand between a till and its connection: measure calls, and lose answers on purpose.
"""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import Final
from uuid import UUID

from till.answer import Answer
from till.client import Sender
from till.errors import OutcomeUnknownError, TillError
from till.requests import Request
from till.simulation.tally import Tally

# A call that is cut after a few milliseconds may not have arrived, may run, or may be
# done: all three happen.
LONGEST_CUT_S: Final = 0.008


class MeasuringSender:
    """
    Time each call and count its answer.
    """

    def __init__(self, sender: Sender, tally: Tally) -> None:
        self._sender = sender
        self._tally = tally

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send it and count what came.
        """
        operation = type(request).__name__
        started_ns = time.perf_counter_ns()
        try:
            answer = await self._sender.send(request, timeout_s=timeout_s)
        except TillError as error:
            self._tally.failed(operation, error.meaning.value)
            raise
        except asyncio.CancelledError:
            self._tally.failed(operation, "cut off by the till")
            raise
        elapsed_ns = time.perf_counter_ns() - started_ns
        self._tally.answered(operation, answer, elapsed_ns)
        return answer


class LossySender:
    """
    Lose the answers of chosen requests, as a bad line would.
    """

    def __init__(self, sender: Sender, chance: Random) -> None:
        self._sender = sender
        self._chance = chance
        self._losses: dict[UUID, int] = {}

    def lose(self, request_id: UUID, answers: int) -> None:
        """
        Lose so many answers to a request, from the next one on.
        """
        self._losses[request_id] = answers

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send it; where its answer is to be lost, cut it off or throw the answer away.
        """
        request_id = request.request_id
        left = self._losses.pop(request_id, 0) if request_id is not None else 0
        if not left or request_id is None:
            return await self._sender.send(request, timeout_s=timeout_s)
        if left > 1:
            self._losses[request_id] = left - 1
        try:
            async with asyncio.timeout(self._chance.random() * LONGEST_CUT_S):
                await self._sender.send(request, timeout_s=timeout_s)
        except (TimeoutError, TillError):
            pass  # cut off, or failed by itself: no answer, as intended
        raise OutcomeUnknownError(
            "the answer was lost on purpose", advice="This is a simulation."
        )
