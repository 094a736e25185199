"""
What the clerk needs from outside, as protocols. Adapters implement them.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol

from gateway.domain.ids import CardId, TransactionId


class OpenHold(NamedTuple):
    """
    A hold that stands, the card that keeps it now, and until when.
    """

    hold_id: TransactionId
    card_id: CardId
    expires_at: datetime


class Loaded(IntEnum):
    """
    Whether Redis knows of all open holds. Values equal those of the function library.
    """

    LOST = 0
    ALL = 1
    LOADING = 2


class Page(StrEnum):
    """
    Which page of a load this is; MORE fills gaps of what is loaded.
    """

    FIRST = "first"
    NEXT = "next"
    LAST = "last"
    MORE = "more"


class Due(NamedTuple):
    """
    The holds whose time is over, and when the next one's will be.
    """

    loaded: Loaded
    next_at: datetime | None
    hold_ids: Sequence[TransactionId]


class Expiries(Protocol):
    """
    Redis, as the clerk sees it: when open holds expire. Never raises.
    """

    async def take_due(
        self, now: datetime, *, limit: int, ended: Sequence[TransactionId]
    ) -> Due | None:
        """
        Take holds that are due, for a while; None without Redis.

        Those that did not end till then come again. `ended` are taken out before.
        """
        ...

    async def load(self, holds: Sequence[OpenHold], page: Page) -> bool:
        """
        Put a page in; False where the load has to begin again, or to wait.
        """
        ...


class HoldBook(Protocol):
    """
    Postgres, as the clerk looks holds up: snapshots without locks.

    Every method raises BooksUnavailableError when there is no connection.
    """

    async def clock(self) -> datetime:
        """
        Read the clock of the books.
        """
        ...

    async def open_holds(self, hold_ids: Sequence[TransactionId]) -> Sequence[OpenHold]:
        """
        Find those that still stand, each with the card it is on now.
        """
        ...

    async def holds_until(
        self, until: datetime | None, *, after: OpenHold | None, limit: int
    ) -> Sequence[OpenHold]:
        """
        Read a page of the open holds, the soonest first.

        Only those that expire until a moment, where one is given.
        """
        ...


class Sweeping(Protocol):
    """
    The lane, as the clerk sees it.
    """

    def sweep(self, card_id: CardId, deadline: float) -> asyncio.Future[None]:
        """
        Queue the release of what is due on a card; done when it is committed.
        """
        ...


class ClerkObserver(Protocol):
    """
    Hears what the clerk does. Must be quick and must not raise.
    """

    def released(self, lags_s: Sequence[float]) -> None:
        """
        Hear that holds ended, and how long after their time.
        """

    def gave_up(self, holds: int, error: BaseException) -> None:
        """
        Hear that holds could not be released for now; they are tried again later.
        """

    def loaded(self, holds: int, seconds: float) -> None:
        """
        Hear that Redis was told of all open holds.
        """

    def books_away(self, error: BaseException) -> None:
        """
        Hear that the books do not answer.
        """

    def redis_used(self, *, used: bool) -> None:
        """
        Hear, at each turn, whether Redis tells what is due.
        """

    def alarm(self, message: str, error: BaseException) -> None:
        """
        Hear of a fault of ours: somebody must look.
        """
