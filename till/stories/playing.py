"""
Play the stories hour by hour, beside the shoppers, over the same kind of connection.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import assert_never
from uuid import UUID

from till.answer import Answer
from till.client import Sender
from till.durable_lines import JournalError
from till.errors import TillError
from till.journal import MemoryJournal
from till.offline import OfflineQueue
from till.requests import GetBalance, GetTransaction, Request, Reverse
from till.shop import Ending, Shop, StillOpenError, send_again
from till.simulation.replay import TillName
from till.simulation.simulated_till import POLICY
from till.stories.comparing import differences
from till.stories.desk import Asked
from till.stories.record import Played, Record
from till.stories.steps import Ask, AskStaff, Keep, Step, Upload


class Player:
    """
    Play each story's steps in their order; stories play side by side.

    Queues of tills that are offline are files in `folder`. A step that goes wrong is
    noted, and the story goes on: nothing here raises.
    """

    def __init__(
        self,
        record: Record,
        *,
        senders: Mapping[TillName, Sender],
        desks: Mapping[TillName, Asked],
        folder: Path,
    ) -> None:
        self._record = record
        self._senders = senders
        self._desks = desks
        self._folder = folder
        self._queues: dict[TillName, OfflineQueue] = {}
        self._kept: dict[UUID, Step] = {}
        self._shops = {
            name: Shop(
                sender, MemoryJournal(), terminal_id=name.terminal, policy=POLICY
            )
            for name, sender in senders.items()
        }
        self._scenes: dict[datetime, dict[str, list[Step]]] = defaultdict(dict)
        for story in record.stories:
            for step in story.steps:
                scene = self._scenes[step.at].setdefault(story.name, [])
                scene.append(step)

    @property
    def hours(self) -> Collection[datetime]:
        """
        Give the hours in which something is played.
        """
        return self._scenes.keys()

    async def play(self, hour: datetime) -> None:
        """
        Play all that belongs to an hour, and come back when it is over.
        """
        scenes = self._scenes.get(hour, {})
        await asyncio.gather(*(self._play(steps) for steps in scenes.values()))

    async def _play(self, steps: list[Step]) -> None:
        for step in steps:
            try:
                await self._do(step)
            except (TillError, StillOpenError, JournalError) as error:
                self._differs(step, str(error))

    async def _do(self, step: Step) -> None:
        act = step.act
        match act:
            case Ask():
                self._compare(step, act, await self._answer(step, act))
            case AskStaff():
                self._compare(step, act, await self._desks[act.desk].ask(act.request))
            case Keep():
                self._kept[act.request.request_id] = step
                await self._queue(act.till).keep(act.request)
            case Upload():
                await self._upload(step, act)
            case _:
                assert_never(act)

    async def _upload(self, step: Step, act: Upload) -> None:
        """
        Tell all that was kept, in whatever order it arrives.
        """
        queue = self._queue(act.till)
        try:
            told = await queue.send_all(self._senders[act.till], policy=POLICY)
        finally:
            queue.close()
        for delivery in told:
            kept = self._kept.pop(delivery.request.request_id)
            if isinstance(kept.act, Keep):
                self._compare(kept, kept.act, delivery.answer)
            if delivery.error is not None:
                self._differs(kept, str(delivery.error))
        for left in queue.waiting():
            self._differs(step, f"{left.request_id} is still in the queue")

    def _queue(self, till: TillName) -> OfflineQueue:
        if till not in self._queues:
            path = self._folder / f"{'-'.join(till)}.queue"
            self._queues[till] = OfflineQueue(path, terminal_id=till.terminal)
        return self._queues[till]

    def _compare(
        self, step: Step, act: Ask | AskStaff | Keep, answer: Answer | None
    ) -> None:
        if answer is None:
            return
        self._record.played.append(Played(step, act.request, answer))
        if act.expected is None:
            return
        for difference in differences(act.expected, answer):
            self._differs(step, difference)

    async def _answer(self, step: Step, act: Ask) -> Answer | None:
        request: Request = act.request
        if isinstance(request, GetBalance | GetTransaction | Reverse):
            return await send_again(
                self._senders[act.till],
                request,
                1 + POLICY.resends,
                policy=POLICY,
                pause=asyncio.sleep,
            )
        settled = await self._shops[act.till].perform(request)
        if settled.ending is not Ending.ANSWERED:
            self._differs(step, f"it ended {settled.ending.value}")
            return None
        return settled.answer

    def _differs(self, step: Step, what: str) -> None:
        self._record.differs(f"{step.story}: {step.says}: {what}")
