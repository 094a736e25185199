"""
What tills know of what they sent: every attempt, when it ran, and how it ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.support.server import Card
from till.answer import Answer
from till.errors import NotAppliedError, OutcomeUnknownError, TillError
from till.requests import Request

SETTLE_LIMIT_S: Final = 60.0
PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    One sending of a request. `worker` is known where the trailer was looked at.
    """

    started_s: float
    ended_s: float
    answer: Answer | None = None
    error: TillError | None = None
    worker: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """
    One request id, the card it is about, and every attempt to send it.
    """

    request: Request
    card: Card
    began_s: float = field(default_factory=time.monotonic)
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def answers(self) -> list[Answer]:
        """
        Give every answer, in the order in which they came.
        """
        return [told.answer for told in self.attempts if told.answer is not None]

    @property
    def errors(self) -> list[TillError]:
        """
        Give every error that a till saw.
        """
        return [told.error for told in self.attempts if told.error is not None]

    @property
    def answered_s(self) -> float:
        """
        Give the moment of the first answer: what it tells had happened by then.
        """
        return min(told.ended_s for told in self.attempts if told.answer is not None)

    async def attempt(self, call: Awaitable[Answer]) -> Answer | None:
        """
        Await one sending and note how it ended; give the answer, if one came.
        """
        started_s = time.monotonic()
        answer, error = None, None
        try:
            answer = await call
        except TillError as fault:
            error = fault
        self.attempts.append(
            Attempt(
                started_s=started_s,
                ended_s=time.monotonic(),
                answer=answer,
                error=error,
            )
        )
        return answer

    async def pause(self) -> None:
        """
        Wait as long as the last error asks for, and fail if it was a final one.
        """
        error = self.attempts[-1].error
        assert isinstance(error, NotAppliedError | OutcomeUnknownError), error
        assert time.monotonic() - self.began_s < SETTLE_LIMIT_S, error
        await asyncio.sleep(error.retry_after_s or PAUSE_S)


def errors_of(entries: Sequence[Entry]) -> list[TillError]:
    """
    Give every error that a till saw.
    """
    return [error for entry in entries for error in entry.errors]


def seconds_of(entries: Sequence[Entry]) -> list[float]:
    """
    Give how long each attempt took, in ascending order.
    """
    return sorted(
        told.ended_s - told.started_s for entry in entries for told in entry.attempts
    )
