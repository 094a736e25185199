"""
Move the gateway's clock through the days, by one `scrip clock follow`.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from datetime import UTC, datetime
from typing import Final

from till.demo.folder import DemoError
from till.demo.scrip_command import ScripCommand, stop

ANSWER_TIMEOUT_S: Final = 30.0


class MovingClock:
    """
    Set the clock to one moment after another, each when the one before is in force.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, scrip: ScripCommand) -> MovingClock:
        """
        Start the command that moves the clock.
        """
        return cls(await scrip.follow("clock", "follow"))

    async def move_to(self, moment: datetime) -> None:
        """
        Let the gateway believe that it is this moment now.
        """
        into, out = self._process.stdin, self._process.stdout
        if into is None or out is None:
            raise DemoError("`scrip clock follow` was started without pipes")
        text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            into.write(f"{text}\n".encode())
            await into.drain()
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer = await out.readline()
        except (TimeoutError, ConnectionError) as error:
            raise DemoError(f"`scrip clock follow` did not set {text}") from error
        if not answer:
            raise DemoError(f"`scrip clock follow` ended before it set {text}")

    async def stop(self) -> None:
        """
        End the command; the clock goes on from where it stands.
        """
        await stop(self._process)
