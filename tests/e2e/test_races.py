"""
Many callers on few cards, over two workers, while Redis forgets everything.
"""

from __future__ import annotations

import asyncio
import random
from asyncio import TaskGroup
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import redis.asyncio

from tests.support.chaos import enroll
from tests.support.chaos_check import check_journal, opening_of
from tests.support.chaos_journal import Entry
from tests.support.chaos_race import Caller, Counts
from tests.support.server import Gateway
from tests.support.tills import Till, Tills, card_maker, open_tills

StartGateway = Callable[..., Gateway]

CALLERS: Final = 64
CARDS: Final = 3
REQUESTS: Final = 10_000
FLUSH_INTERVAL_S: Final = 1.0


async def test_many_callers_race_over_two_workers(start_gateway: StartGateway) -> None:
    """
    64 callers, three cards, 10,000 requests: every answer agrees with the books.

    A tenth is sent again on the other connection, half of that while the first runs; a
    tenth is reversed; Redis is emptied every second. Approved answers are in the
    ledger, replays are identical, the answers add up to the balances, and each card's
    history is linearizable. It counts only if both workers had their share of it.
    """
    gateway = start_gateway(workers=2)
    counts, entries = Counts(), list[Entry]()
    async with open_tills(gateway) as tills:
        make = card_maker(tills)
        cards = [await make(50_00) for _ in range(CARDS)]
        peers = [await _both_workers(tills, number) for number in range(CALLERS)]
        callers = [
            Caller(
                tills=own,
                peers=peers,
                cards=cards,
                chance=random.Random(random.getrandbits(64)),
                counts=counts,
                entries=entries,
            )
            for own in peers
        ]
        opening = opening_of(gateway, cards)
        async with _forgetting(gateway.redis_url) as forgotten, TaskGroup() as group:
            for number, caller in enumerate(callers):
                share = REQUESTS // CALLERS + (number < REQUESTS % CALLERS)
                group.create_task(caller.run(share))

    check_journal(gateway, entries, opening)
    answers = counts.answers_by_worker
    assert min(answers[1], answers[2]) >= 0.2 * answers.total(), answers
    assert counts.crossed >= 100, counts
    assert counts.at_once >= 0.04 * REQUESTS, counts
    assert counts.reversed >= 0.08 * REQUESTS, counts
    assert len(forgotten) >= 2
    assert len(entries) >= REQUESTS


async def _both_workers(tills: Tills, number: int) -> tuple[Till, Till]:
    """
    Open a caller's two connections, each again until it leads to its worker.
    """
    name = f"racer-{number}"
    enroll(tills.gateway, name)
    return await tills(name, worker=1), await tills(name, worker=2)


@asynccontextmanager
async def _forgetting(redis_url: str) -> AsyncIterator[list[float]]:
    """
    Empty Redis every second; give the moments at which it was.
    """
    moments: list[float] = []

    async def forget() -> None:
        while True:
            await asyncio.sleep(FLUSH_INTERVAL_S)
            await client.flushall()
            moments.append(asyncio.get_running_loop().time())

    async with redis.asyncio.Redis.from_url(redis_url) as client:
        task = asyncio.create_task(forget())
        try:
            yield moments
        finally:
            task.cancel()
            await asyncio.wait([task])
    assert task.cancelled(), task
