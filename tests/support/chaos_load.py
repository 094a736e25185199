"""
Tills of the client library that trade in a thread of their own, until told to stop.

A thread, because only the main one may start and kill what they trade with. They keep
a journal, so that afterwards the books can be held to what they were told.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from currency import Money, find_currency
from tests.support.chaos import connection_of
from tests.support.chaos_check import Opening, check_journal
from tests.support.chaos_journal import Entry
from till.card_number import CardNumber
from till.client import Sender, TillClient
from till.codes import ReversalReason
from till.requests import Activate, GetBalance, Load, Redeem, Request, Reverse
from till.stream import TransactStream

if TYPE_CHECKING:
    from tests.support.server import Card, Gateway
    from till.connection import Connection

START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 75.0
FIRST_AMOUNT: Final = 500_00

_usd = find_currency("USD")
assert _usd is not None
USD: Final = _usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    How many trade, and how.

    Attributes:
        unary: Tills that call, one request at a time.
        streams: Tills over a stream each.
        outstanding: Requests that a stream has on its way.
        cards: Cards they share.
        timeout_s: How long a till waits for an answer.
        hasty: Which part of the requests a till first gives a few milliseconds.

    """

    unary: int = 8
    streams: int = 2
    outstanding: int = 8
    cards: int = 6
    timeout_s: float = 10.0
    hasty: float = 0.0


class Traffic:
    """
    Tills that trade; used as `with Traffic(gateway) as traffic`.

    Leaving it stops them: each settles its last request, resending it until it is
    answered. Then `check` holds the books to the journal.
    """

    def __init__(
        self, gateway: Gateway, shape: Shape | None = None, *, port: int | None = None
    ) -> None:
        self._gateway = gateway
        self._shape = shape or Shape()
        self.cards: list[Card] = gateway.new_cards(self._shape.cards)
        # Registered here, because the thread should do nothing but trade.
        self._connections = [
            connection_of(gateway, f"trader-{number}", port=port)
            for number in range(self._shape.unary + self._shape.streams)
        ]
        self._chance = random.Random(random.getrandbits(64))
        self._stop = threading.Event()
        self._trading = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic")
        self._failure: BaseException | None = None
        self.journal: list[Entry] = []
        self.answers = 0
        self.reopened = 0

    def __enter__(self) -> Self:
        self._thread.start()
        limit_s = time.monotonic() + START_LIMIT_S
        while not self._trading.wait(0.05):
            if not self._thread.is_alive():
                break
            assert time.monotonic() < limit_s, "the tills did not begin to trade"
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stop.set()
        self._thread.join(STOP_LIMIT_S)
        assert not self._thread.is_alive(), "the tills did not come to an end"
        if self._failure is not None and kind is None:
            raise self._failure

    def wait_for_answers(self, count: int, *, timeout_s: float = 20) -> None:
        """
        Wait until so many more requests were answered.
        """
        wanted = self.answers + count
        limit_s = time.monotonic() + timeout_s
        while self.answers < wanted:
            assert self._thread.is_alive(), self._failure
            assert time.monotonic() < limit_s, "trade has come to a halt"
            time.sleep(0.02)

    def check(self) -> None:
        """
        Hold the books to what the tills were told.
        """
        opening = {card.card_id: Opening(0, 0) for card in self.cards}
        check_journal(self._gateway, self.journal, opening)
        self._gateway.books_check()

    def _run(self) -> None:
        try:
            asyncio.run(self._trade())
        except BaseException as failure:  # noqa: BLE001 - raised where it is joined
            self._failure = failure
            self._stop.set()

    async def _trade(self) -> None:
        shape = self._shape
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(_open(connection, shape.timeout_s))
                for connection in self._connections
            ]
            for card in self.cards:
                await self._settle(_activation(card), card, clients[0])
            self._trading.set()
            streams = [
                await stack.enter_async_context(
                    TransactStream(client.channels[0], timeout_s=shape.timeout_s)
                )
                for client in clients[shape.unary :]
            ]
            async with asyncio.TaskGroup() as group:
                for client in clients[: shape.unary]:
                    group.create_task(self._keep_trading(client))
                for stream in streams:
                    for _ in range(shape.outstanding):
                        group.create_task(self._keep_trading(stream))
            self.reopened = sum(stream.reopened for stream in streams)

    async def _keep_trading(self, sender: Sender) -> None:
        while not self._stop.is_set():
            card = self._chance.choice(self.cards)
            request = self._request(CardNumber(card.number))
            if self._chance.random() < self._shape.hasty:
                await self._give_up(request, card, sender)
                continue
            entry = await self._settle(request, card, sender)
            fate = self._chance.random()
            if isinstance(request, GetBalance) or fate > 0.15:
                continue
            if fate < 0.05:
                await self._settle_again(entry, sender)
            else:
                await self._settle(_reversal(request), card, sender)

    async def _settle(self, request: Request, card: Card, sender: Sender) -> Entry:
        """
        Send a request until it is answered.
        """
        entry = Entry(request=request, card=card)
        self.journal.append(entry)
        await self._settle_again(entry, sender)
        return entry

    async def _settle_again(self, entry: Entry, sender: Sender) -> None:
        while await entry.attempt(sender.send(entry.request)) is None:
            await entry.pause()
        self.answers += 1

    async def _give_up(self, request: Request, card: Card, sender: Sender) -> None:
        """
        Wait too short for an answer; then ask again, or reverse it and ask after that.
        """
        entry = Entry(request=request, card=card)
        self.journal.append(entry)
        timeout_s = self._chance.uniform(0.0005, 0.02)
        told = await entry.attempt(sender.send(request, timeout_s=timeout_s))
        recorded = not isinstance(request, GetBalance)
        if told is None and recorded and self._chance.random() < 0.5:
            await self._settle(_reversal(request), card, sender)
        await self._settle_again(entry, sender)

    def _request(self, number: CardNumber) -> Request:
        minor = self._chance.randint(1, 60_00)
        same: dict[str, Any] = {"request_id": uuid4(), "card_number": number}
        kind = self._chance.random()
        if kind < 0.05:
            return GetBalance(**same)
        if kind < 0.45:
            return Load(amount=Money(minor, USD), **same)
        return Redeem(amount=Money(minor, USD), allow_partial=kind < 0.7, **same)


def _open(connection: Connection, timeout_s: float) -> TillClient:
    return TillClient.open(connection, timeout_s=timeout_s)


def _activation(card: Card) -> Activate:
    return Activate(
        request_id=uuid4(),
        card_number=CardNumber(card.number),
        initial_amount=Money(FIRST_AMOUNT, USD),
    )


def _reversal(request: Request) -> Reverse:
    assert request.request_id is not None
    return Reverse(
        request_id=uuid4(),
        original_request_id=request.request_id,
        reason=ReversalReason.TIMEOUT,
    )


def entries_between(
    journal: Sequence[Entry], began_s: float, ended_s: float
) -> list[Entry]:
    """
    Give the entries that were begun in a span of time.
    """
    return [entry for entry in journal if began_s <= entry.began_s < ended_s]
