"""
A request on its way through the lane.
"""

import asyncio
from dataclasses import dataclass, field

from gateway.domain.commands import GetBalance, GetTransaction, MoneyCommand
from gateway.domain.ids import CardId, TerminalId
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


@dataclass(slots=True, kw_only=True, eq=False)
class Enquiry:
    """
    A question for a balance that carries a PIN: not recorded, and it may count a try.

    So it is decided under the card's lock, and answered after the commit.
    """

    caller: Caller
    question: GetBalance
    deadline: float
    future: asyncio.Future[Answer] = field(repr=False)


Asking = Item | Enquiry
Entry = Asking | Sweep


@dataclass(slots=True, kw_only=True, eq=False)
class Reading:
    """
    One question that is not recorded.
    """

    caller: Caller
    question: GetBalance | GetTransaction
    deadline: float
    future: asyncio.Future[Answer] = field(repr=False)


def terminal_of(asking: Asking) -> TerminalId:
    """
    Give the terminal that a request counts for.
    """
    if isinstance(asking, Item):
        return asking.command.terminal_id
    return asking.question.terminal_id
