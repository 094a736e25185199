"""
Callers that race each other, and themselves, over two workers (issue 2).

Each has one device and two connections, one to each worker. Of its requests some are
sent again over the other connection, while the first runs or after it; some are
reversed, and some reversals overtake what they undo.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from grpc import aio

from currency import Money, find_currency
from tests.support.chaos_journal import Attempt, Entry
from tests.support.server import Card
from tests.support.tills import Till
from till.answer import Answer, read_answer
from till.card_number import CardNumber
from till.codes import LoadType, ReversalReason
from till.errors import NotAppliedError, TillError
from till.requests import Activate, GetBalance, Load, Redeem, Request, Reverse
from till.status import error_of_call
from till.wire import METHODS, write_message

# Shares of all requests. A request that is sent again is sent twice in all.
AGAIN_AT_ONCE: Final = 0.05
AGAIN_LATER: Final = 0.05
REVERSED: Final = 0.10
OVERTAKEN: Final = 0.02
# Shares of those that are reversed.
REVERSED_TWICE: Final = 0.2
REVERSED_ELSEWHERE: Final = 0.2
TRIES: Final = 100

# What is asked, and how often: about as much is loaded as is spent, so that the cards
# run dry again and again.
_KINDS: Final = {
    "load": 28,
    "load in euros": 6,
    "redeem": 26,
    "redeem in part": 20,
    "redeem dinars": 6,
    "redeem yen": 6,
    "activate": 3,
    "balance": 5,
}


@dataclass(slots=True, kw_only=True)
class Counts:
    """
    What must not be missed for the race to mean anything.
    """

    answers_by_worker: Counter[int] = field(default_factory=Counter)
    crossed: int = 0
    at_once: int = 0
    reversed: int = 0
    not_applied: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Caller:
    """
    One device over two connections, sending one request after the other.

    `peers` are the connections of all callers: any terminal of the store may reverse.
    """

    tills: tuple[Till, Till]
    peers: Sequence[tuple[Till, Till]]
    cards: Sequence[Card]
    chance: random.Random
    counts: Counts
    entries: list[Entry]

    async def run(self, requests: int) -> None:
        """
        Send so many requests, with what belongs to them.
        """
        for _ in range(requests):
            entry = self._begin()
            first, second = self.chance.sample(self.tills, 2)
            if isinstance(entry.request, GetBalance):
                await self._send(entry, first)
                continue
            fate = self.chance.random()
            if fate < OVERTAKEN:
                await self._overtake(entry, first, second)
            elif fate < REVERSED:
                await self._send(entry, first)
                await self._reverse(entry, first, second)
            else:
                await self._repeat(entry, first, second)

    async def _repeat(self, entry: Entry, first: Till, second: Till) -> None:
        """
        Send a request, and perhaps once more over the other connection.
        """
        fate = self.chance.random()
        # Balances and reversed requests are not repeated: the others make up for it.
        share = 1 / (1 - REVERSED - _KINDS["balance"] / 100)
        if fate < AGAIN_AT_ONCE * share:
            self.counts.at_once += 1
            # Twice over one connection: both may come into the same batch.
            copies = (first, second, first)
            await at_once(*(self._send(entry, till) for till in copies))
        else:
            await self._send(entry, first)
            if fate < (AGAIN_AT_ONCE + AGAIN_LATER) * share:
                await self._send(entry, second)
        workers = {told.worker for told in entry.attempts if told.answer}
        self.counts.crossed += len(workers) > 1

    async def _reverse(self, entry: Entry, first: Till, second: Till) -> None:
        """
        Reverse a request: once, twice at once under two ids, or from another terminal.
        """
        fate = self.chance.random()
        if fate < REVERSED_TWICE:
            one, other = self._undo(entry), self._undo(entry)
            await at_once(self._send(one, first), self._send(other, second))
        elif fate < REVERSED_TWICE + REVERSED_ELSEWHERE:
            undo = self._undo(entry, terminal=first.name)
            await self._repeat(undo, *self.chance.choice(self.peers))
        else:
            await self._repeat(self._undo(entry), second, first)

    async def _overtake(self, entry: Entry, first: Till, second: Till) -> None:
        """
        Send a request and its reversal at once: nobody knows which comes first.
        """
        undo = self._undo(entry)
        await at_once(self._send(undo, second), self._send(entry, first))
        await self._send(entry, second)

    async def _send(self, entry: Entry, till: Till) -> None:
        await send_until_answered(entry, till, self.counts)

    def _begin(self) -> Entry:
        card = self.chance.choice(self.cards)
        entry = Entry(request=self._request(CardNumber(card.number)), card=card)
        self.entries.append(entry)
        return entry

    def _undo(self, entry: Entry, *, terminal: str = "") -> Entry:
        original = entry.request.request_id
        assert original is not None
        request = Reverse(
            request_id=uuid4(),
            original_request_id=original,
            original_terminal_id=terminal,
            reason=ReversalReason.TIMEOUT,
        )
        undo = Entry(request=request, card=entry.card)
        self.entries.append(undo)
        self.counts.reversed += 1
        return undo

    def _request(self, number: CardNumber) -> Request:
        (kind,) = self.chance.choices(list(_KINDS), list(_KINDS.values()))
        minor = self.chance.randint(1, 40_00)
        same: dict[str, Any] = {"request_id": uuid4(), "card_number": number}
        match kind:
            case "load":
                return Load(amount=_money(minor), load_type=LoadType.SALE, **same)
            case "load in euros":
                return Load(amount=_money(minor, "EUR"), **same)
            case "activate":
                return Activate(initial_amount=_money(minor), **same)
            case "balance":
                return GetBalance(**same)
            case "redeem dinars":
                amount = _money(minor * 3, "KWD")
                return Redeem(amount=amount, allow_partial=minor % 2 == 0, **same)
            case "redeem yen":
                amount = _money(minor + 100, "JPY")
                return Redeem(amount=amount, allow_partial=minor % 2 == 0, **same)
            case _:
                partial = kind == "redeem in part"
                return Redeem(amount=_money(minor * 2), allow_partial=partial, **same)


async def send_until_answered(entry: Entry, till: Till, counts: Counts) -> Answer:
    """
    Send a request over one connection until it is answered, and note each attempt.

    Nothing is broken in a race: only a refusal that says NOT_APPLIED may come, where a
    lock was waited for too long.
    """
    for _ in range(TRIES):
        started_s = time.monotonic()
        try:
            told = await till.send(
                METHODS[type(entry.request)], write_message(entry.request)
            )
        except aio.AioRpcError as broken:
            error: TillError = error_of_call(broken)
            assert isinstance(error, NotAppliedError), (entry.request, error)
            counts.not_applied[error.status] += 1
            ended_s = time.monotonic()
            entry.attempts.append(
                Attempt(started_s=started_s, ended_s=ended_s, error=error)
            )
            await asyncio.sleep(error.retry_after_s or 0)
            continue
        answer = read_answer(told.outcome)
        counts.answers_by_worker[told.worker] += 1
        entry.attempts.append(
            Attempt(
                started_s=started_s,
                ended_s=time.monotonic(),
                answer=answer,
                worker=told.worker,
            )
        )
        return answer
    raise AssertionError(f"{entry.request} was refused {TRIES} times")


async def at_once(*calls: Coroutine[Any, Any, object]) -> None:
    """
    Await calls that run at the same time.
    """
    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(call)


def _money(minor: int, code: str = "USD") -> Money:
    currency = find_currency(code)
    assert currency is not None
    return Money(minor, currency)
