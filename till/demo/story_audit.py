"""
Ask the gateway again how each request of a story ended, and what each card holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from till.answer import Answer
from till.client import Sender
from till.codes import CurrentState
from till.errors import TillError
from till.requests import GetTransaction
from till.simulation.replay import TillName
from till.stories.comparing import differences
from till.stories.desk import Asked, GetCard
from till.stories.places import AMIRA
from till.stories.purse import Purse
from till.stories.record import Played, Record
from till.stories.script import approved
from till.stories.steps import AskStaff

IN_FLIGHT: Final = 16


@dataclass(frozen=True, slots=True)
class StoryAudit:
    """
    Compare what is recorded with what the stories expect, and note what differs.
    """

    record: Record
    senders: Mapping[TillName, Sender]
    desks: Mapping[TillName, Asked]

    async def run(self) -> None:
        """
        Ask for each request that was answered, and read each card as staff may.
        """
        ends = {
            request_id: state
            for story in self.record.stories
            for request_id, state in story.ends_as.items()
        }
        purses = [
            (story.name, purse)
            for story in self.record.stories
            for purse in story.purses
        ]
        room = asyncio.Semaphore(IN_FLIGHT)

        async def ask(each: Played) -> None:
            request_id = each.request.request_id
            if request_id is None or request_id not in ends:
                return  # a balance, or what depends on what came first
            async with room:
                await self._ask(each, request_id, ends[request_id])

        async def read(story: str, purse: Purse) -> None:
            async with room:
                await self._read(story, purse)

        await asyncio.gather(
            *(ask(each) for each in self.record.played),
            *(read(story, purse) for story, purse in purses),
        )

    async def _ask(self, each: Played, request_id: UUID, state: CurrentState) -> None:
        try:
            answer = await self._recorded(each, request_id)
        except TillError as error:
            found = error.message
        else:
            found = _difference(each.answer, answer, state)
        if found:
            self.record.differs(f"{each.step.story}: {each.step.says}: {found}")

    async def _recorded(self, each: Played, request_id: UUID) -> Answer:
        """
        Ask what is recorded; what staff asked is asked again, which changes nothing.
        """
        act = each.step.act
        if isinstance(act, AskStaff):
            return await self.desks[act.desk].ask(act.request)
        enquiry = GetTransaction(request_id=request_id, terminal_id=act.till.terminal)
        return await self.senders[act.till].send(enquiry)

    async def _read(self, story: str, purse: Purse) -> None:
        try:
            answer = await self.desks[AMIRA].ask(GetCard(card_number=purse.number))
        except TillError as error:
            self.record.differs(f"{story}: card of {purse.holder}: {error.message}")
            return
        for found in _card_differences(purse, answer):
            self.record.differs(f"{story}: card of {purse.holder}: {found}")


def _difference(was: Answer, now: Answer, state: CurrentState) -> str:
    if now.transaction_id != was.transaction_id:
        return "another transaction is recorded than was answered"
    if (now.result, now.current_state) != (was.result, state):
        return (
            f"recorded as {now.result.name}, {now.current_state.name}, and not "
            f"{was.result.name}, {state.name}"
        )
    return ""


def _card_differences(purse: Purse, answer: Answer) -> Iterator[str]:
    yield from differences(approved(purse), answer)
    if answer.card is not None and answer.card.state is not purse.state:
        yield f"it is {answer.card.state.name}, not {purse.state.name}"
