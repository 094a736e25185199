"""
Ask the gateway again how each request of a story ended, and what each card holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from till.answer import Answer
from till.client import Sender
from till.codes import CurrentState
from till.errors import TillError
from till.requests import GetTransaction
from till.simulation.replay import TillName
from till.stories.record import Played, Record

IN_FLIGHT: Final = 16


async def audit_stories(record: Record, senders: Mapping[TillName, Sender]) -> None:
    """
    Compare what is recorded with what each story expects, and note what differs.
    """
    ends = {
        request_id: state
        for story in record.stories
        for request_id, state in story.ends_as.items()
    }
    room = asyncio.Semaphore(IN_FLIGHT)

    async def ask(each: Played) -> None:
        request_id = each.step.act.request.request_id
        if request_id is None:
            return  # a balance, of which nothing is recorded
        async with room:
            what = await _what_differs(each, ends[request_id], senders)
        if what:
            record.differs(f"{each.step.story}: {each.step.says}: {what}")

    await asyncio.gather(*(ask(each) for each in record.played))


async def _what_differs(
    each: Played, state: CurrentState, senders: Mapping[TillName, Sender]
) -> str:
    act = each.step.act
    if act.request.request_id is None:
        return ""
    enquiry = GetTransaction(
        request_id=act.request.request_id, terminal_id=act.till.terminal
    )
    try:
        answer: Answer = await senders[act.till].send(enquiry)
    except TillError as error:
        return error.message
    if answer.transaction_id != each.answer.transaction_id:
        return "another transaction is recorded than was answered"
    if (answer.result, answer.current_state) != (each.answer.result, state):
        return (
            f"recorded as {answer.result.name}, {answer.current_state.name}, and not "
            f"{each.answer.result.name}, {state.name}"
        )
    return ""
