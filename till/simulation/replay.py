"""
Replay a plan: shoppers arrive hour by hour, at many tills at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from till.card_number import CardNumber
from till.simulation.plan import Visit, by_hour
from till.simulation.simulated_till import SimulatedTill

DEFAULT_IN_FLIGHT: Final = 64


class TillName(NamedTuple):
    """
    Name a till of the chain.
    """

    merchant: str
    store: str
    terminal: str

    @classmethod
    def of(cls, visit: Visit) -> TillName:
        """
        Name the till of a visit.
        """
        store = visit.store
        return cls(store.country.merchant, store.code, visit.terminal)


class Clock(Protocol):
    """
    Move the gateway's clock forward.
    """

    async def move_to(self, moment: datetime) -> None:
        """
        Let the gateway believe that it is this moment now.
        """


class Beside(Protocol):
    """
    Play what else happens in an hour, at tills of its own.
    """

    @property
    def hours(self) -> Collection[datetime]:
        """
        Give the hours in which something happens.
        """

    async def play(self, hour: datetime) -> None:
        """
        Let it happen, and come back when it is over.
        """


class Replay:
    """
    Send every shopper of a plan to a till, at most so many at once.

    The clock moves from hour to hour while shoppers are served, but not before that is
    over which happens beside them. Before it enters a new day, when rates change,
    everybody has left.
    """

    def __init__(
        self,
        visits: Sequence[Visit],
        *,
        tills: Mapping[TillName, SimulatedTill],
        cards: Mapping[int, CardNumber],
        clock: Clock,
        in_flight: int = DEFAULT_IN_FLIGHT,
        beside: Beside | None = None,
    ) -> None:
        self._visits = visits
        self._beside = beside
        self._tills = tills
        self._cards = cards
        self._clock = clock
        self._room = asyncio.Semaphore(in_flight)
        self._customers: dict[int, asyncio.Lock] = {}

    async def run(self, served: Callable[[Visit], None]) -> None:
        """
        Replay all visits; `served` is called after each.
        """
        hours = deque(self._hours())
        while hours:
            day = hours[0][0].date()
            async with asyncio.TaskGroup() as shoppers:
                while hours and hours[0][0].date() == day:
                    hour, visits = hours.popleft()
                    await self._clock.move_to(hour)
                    scenes = shoppers.create_task(self._play(hour))
                    for visit in visits:
                        await self._room.acquire()
                        shoppers.create_task(self._serve(visit, served))
                    await scenes
            self._customers.clear()

    def _hours(self) -> list[tuple[datetime, Sequence[Visit]]]:
        """
        Give the hours that have visits or something beside them, in order.
        """
        hours: dict[datetime, Sequence[Visit]] = dict(by_hour(self._visits))
        if self._beside is not None:
            hours = {**dict.fromkeys(self._beside.hours, ()), **hours}
        return sorted(hours.items())

    async def _play(self, hour: datetime) -> None:
        if self._beside is not None:
            await self._beside.play(hour)

    async def _serve(self, visit: Visit, served: Callable[[Visit], None]) -> None:
        """
        Serve one visit; a customer's next one waits until it is over.
        """
        try:
            waits = self._customers.setdefault(visit.customer, asyncio.Lock())
            async with waits:
                till = self._tills[TillName.of(visit)]
                await till.serve(visit, self._cards[visit.customer])
            served(visit)
        finally:
            self._room.release()
