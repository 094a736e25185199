"""
A request on its way through the lane.
"""

import asyncio
from dataclasses import dataclass, field

from gateway.domain.commands import GetBalance, GetTransaction, MoneyCommand
from gateway.domain.ids import CardId
from gateway.domain.policy import Caller
from gateway.engine.answers import Answer


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """
    One money command, who sent it, until when it may enter a batch, and its answer.

    `deadline` is on the clock of the event loop (`loop.time()`), in seconds.
    """

    caller: Caller
    command: MoneyCommand
    deadline: float
    future: asyncio.Future[Answer] = field(repr=False)


@dataclass(slots=True, kw_only=True, eq=False)
class Sweep:
    """
    A card whose holds' time may be over: nobody asks, and it claims no key.

    `future` is done when what was due is released, and it is committed.
    """

    card_id: CardId
    deadline: float
    future: asyncio.Future[None] = field(repr=False)


Entry = Item | Sweep


@dataclass(slots=True, kw_only=True, eq=False)
class Reading:
    """
    One question that is not recorded.
    """

    caller: Caller
    question: GetBalance | GetTransaction
    deadline: float
    future: asyncio.Future[Answer] = field(repr=False)
