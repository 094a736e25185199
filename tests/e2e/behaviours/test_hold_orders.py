"""
Every order of up to three messages on one hold, over gRPC on Postgres: no difference.

Orders of up to five are run on books in memory (tests/unit/engine/test_hold_orders.py);
this holds the real ones to the same model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import starmap
from typing import Any, Final
from uuid import UUID

import pytest

from tests.support.hold_model import Shown
from tests.support.hold_orders import (
    DINARS,
    EXACT,
    LETTERS,
    LIVES_S,
    OPENING,
    Message,
    Terms,
    answer,
    next_message,
    orders,
)
from tests.support.holding import authorize, cancel, capture, increment, told_hold
from tests.support.server import Card, Gateway
from tests.support.tills import Till, money, open_tills
from tests.support.told import Outcome, amount, result_of

StartGateway = Callable[..., Gateway]

# So many rounds, each of orders that go on beside each other.
_ROUNDS: Final = 16


class Orders:
    """
    A till that sends the messages of many orders, each about a card of its own.
    """

    def __init__(self, gateway: Gateway, till: Till, terms: Terms) -> None:
        self._gateway, self._till, self._terms = gateway, till, terms
        self._passed = timedelta(0)

    async def follow(self, order: str, card: Card) -> None:
        """
        Activate its card, send the messages of an order, and compare each answer.
        """
        await self._till.activate(card, OPENING)
        model, terms = self._terms.model(), self._terms
        for place, letter in enumerate(order):
            message = next_message(order[:place], letter, terms)
            wanted = answer(model, message, terms)
            if wanted is None:
                self._passed += timedelta(seconds=LIVES_S)
                self._gateway.shift_clock(self._passed)
                continue
            told = await self._send(message, card)
            assert shown(told) == words(wanted, terms), order[: place + 1]

    @staticmethod
    def _id(card: Card, key: int) -> str:
        return str(UUID(int=card.card_id << 64 | key))

    async def _send(self, message: Message, card: Card) -> Outcome:
        till, code = self._till, self._terms.currency
        own: dict[str, Any] = {"request_id": self._id(card, message.key)}
        original, minor = self._id(card, message.original), message.minor
        if message.kind == "place":
            return await authorize(till, card, minor or 0, code, live_s=LIVES_S, **own)
        if message.kind == "increment":
            return await increment(till, original, minor or 0, code, **own)
        if message.kind == "capture":
            keep = message.keep_open
            return await capture(till, original, minor, code, keep_open=keep, **own)
        if message.kind == "cancel":
            return await cancel(till, original, **own)
        return await till.reverse(original, **own)


def shown(outcome: Outcome) -> tuple[object, ...]:
    """
    Read an answer as far as the model tells of it.
    """
    balances: tuple[str, ...] = ()
    if outcome.HasField("available_balance"):
        balances = (
            amount(outcome.available_balance),
            amount(outcome.ledger_balance),
            amount(outcome.held_amount),
        )
    return (
        result_of(outcome),
        outcome.approved_amount.minor_units,
        balances,
        tuple(told_hold(outcome)),
        outcome.replayed,
    )


def words(told: Shown, terms: Terms) -> tuple[object, ...]:
    """
    Read what the model says in the words of an answer.
    """
    hold: tuple[str, ...] = ("", "", "", "")
    if told.hold is not None:
        state, authorized, captured, held = told.hold
        hold = (
            state,
            amount(money(authorized, terms.currency)),
            amount(money(captured, terms.currency)),
            amount(money(held)),
        )
    balances = tuple(amount(money(minor)) for minor in told.balances or ())
    return told.result, told.approved, balances, hold, told.replayed


@pytest.mark.parametrize(("terms", "most"), [(DINARS, 3), (EXACT, 2)])
async def test_all_orders(start_gateway: StartGateway, terms: Terms, most: int) -> None:
    """
    Each order on a card of its own; the books are checked when all are done.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        following = Orders(gateway, await tills("till-1"), terms)
        every = list(orders(most))
        cards = gateway.new_cards(len(every))
        paired = list(zip(every, cards, strict=True))
        timeless = [pair for pair in paired if "E" not in pair[0]]
        for pairs in (timeless[start::_ROUNDS] for start in range(_ROUNDS)):
            await asyncio.gather(*starmap(following.follow, pairs))
        # Time passes for all at once, so the rest comes one after the other.
        for order, card in paired:
            if "E" in order:
                await following.follow(order, card)

    assert len(every) == sum(len(LETTERS) ** length for length in range(1, most + 1))
