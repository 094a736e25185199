"""
A clerk's surroundings in memory: books, Redis and a lane that do what a test wants.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice

from gateway.domain.errors import ThrottledError
from gateway.domain.ids import CardId, TransactionId
from gateway.engine.clerk import Clerk, ClerkBounds
from gateway.engine.clerk_ports import Due, Loaded, OpenHold, Page
from gateway.engine.ports import BooksUnavailableError
from tests.support.fake_ports import FakeFaultPoint

START = datetime(2026, 1, 1, tzinfo=UTC)
BOUNDS = ClerkBounds(
    poll_s=0.01,
    gather_s=0.001,
    look_s=60,
    alone_s=0.02,
    reload_s=60,
    in_flight_limit=300,
    retry_limit=3,
    sweep_timeout_s=1,
)


def hold(number: int, *, card: int | None = None, after_s: float = 0) -> OpenHold:
    """
    Make an open hold that ends so long after the start.
    """
    return OpenHold(
        TransactionId(number.to_bytes(16)),
        CardId(number if card is None else card),
        START + timedelta(seconds=after_s),
    )


class Book:
    """
    Open holds in memory, under a clock that goes on from the start.
    """

    def __init__(self, *holds: OpenHold) -> None:
        self.holds = {hold.hold_id: hold for hold in holds}
        self.began_s = asyncio.get_running_loop().time()
        self.shift = timedelta(0)
        self.away = 0
        self.looks: list[datetime | None] = []

    async def clock(self) -> datetime:
        """
        Read the clock.
        """
        self.answer()
        passed_s = asyncio.get_running_loop().time() - self.began_s
        return START + self.shift + timedelta(seconds=passed_s)

    async def open_holds(self, hold_ids: Sequence[TransactionId]) -> Sequence[OpenHold]:
        """
        Find those that stand.
        """
        self.answer()
        return [self.holds[found] for found in hold_ids if found in self.holds]

    async def holds_until(
        self, until: datetime | None, *, after: OpenHold | None, limit: int
    ) -> Sequence[OpenHold]:
        """
        Read a page.
        """
        self.answer()
        if after is None:
            self.looks.append(until)
        ordered = sorted(self.holds.values(), key=by_expiry)
        later = (
            hold
            for hold in ordered
            if (after is None or by_expiry(hold) > by_expiry(after))
            and (until is None or hold.expires_at <= until)
        )
        return list(islice(later, limit))

    def answer(self) -> None:
        """
        Be away, as often as a test wants.
        """
        if self.away:
            self.away -= 1
            raise BooksUnavailableError("away")


class Expiries:
    """
    Redis in memory: what is there, and whether it is.
    """

    def __init__(self, *holds: OpenHold, loaded: Loaded = Loaded.ALL) -> None:
        self.due = {hold.hold_id: hold.expires_at for hold in holds}
        self.loaded = loaded
        self.away = False
        self.taken_out: list[TransactionId] = []
        self.pages: list[tuple[Page, int]] = []
        self.refused_pages = 0

    async def take_due(
        self, now: datetime, *, limit: int, ended: Sequence[TransactionId]
    ) -> Due | None:
        """
        Give what is due, once.
        """
        if self.away:
            return None
        self.taken_out += ended
        found = [key for key, moment in self.due.items() if moment <= now][:limit]
        for key in found:
            del self.due[key]
        return Due(self.loaded, min(self.due.values(), default=None), found)

    async def load(self, holds: Sequence[OpenHold], page: Page) -> bool:
        """
        Take a page.
        """
        if self.refused_pages:
            self.refused_pages -= 1
            return False
        self.pages.append((page, len(holds)))
        for hold in holds:
            self.due.setdefault(hold.hold_id, hold.expires_at)
        if page is Page.LAST:
            self.loaded = Loaded.ALL
        return True


class Lane:
    """
    Releases what stands on a card, or does what a test wants instead.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.swept: list[CardId] = []
        self.refusals: dict[CardId, list[Exception]] = {}
        self.full = 0
        self.keeps: set[CardId] = set()
        self.kept: list[asyncio.Future[None]] = []

    def sweep(self, card_id: CardId, deadline: float) -> asyncio.Future[None]:
        """
        Release at once.
        """
        assert deadline > asyncio.get_running_loop().time()
        if self.full:
            self.full -= 1
            raise ThrottledError("full", retry_after_ms=1)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if refusals := self.refusals.get(card_id):
            future.set_exception(refusals.pop(0))
            return future
        self.swept.append(card_id)
        if card_id in self.keeps:
            self.kept.append(future)
            return future
        for hold in list(self.book.holds.values()):
            if hold.card_id == card_id:
                del self.book.holds[hold.hold_id]
        future.set_result(None)
        return future


class Observer:
    """
    Remembers what the clerk tells.
    """

    def __init__(self) -> None:
        self.lags_s: list[float] = []
        self.given_up: list[tuple[int, BaseException]] = []
        self.loads: list[int] = []
        self.away = 0
        self.used: list[bool] = []
        self.alarms: list[BaseException] = []

    def released(self, lags_s: Sequence[float]) -> None:
        """
        Hear that holds ended.
        """
        self.lags_s += lags_s

    def gave_up(self, holds: int, error: BaseException) -> None:
        """
        Hear that holds are left.
        """
        self.given_up.append((holds, error))

    def loaded(self, holds: int, seconds: float) -> None:
        """
        Hear of a load.
        """
        assert seconds >= 0
        self.loads.append(holds)

    def books_away(self, error: BaseException) -> None:
        """
        Hear that the books do not answer.
        """
        assert str(error) == "away"
        self.away += 1

    def redis_used(self, *, used: bool) -> None:
        """
        Hear of Redis.
        """
        self.used.append(used)

    def alarm(self, message: str, error: BaseException) -> None:
        """
        Hear of a fault.
        """
        assert message
        self.alarms.append(error)


class At:
    """
    A clerk that runs, with all that surrounds it.
    """

    def __init__(self, book: Book, expiries: Expiries, bounds: ClerkBounds) -> None:
        self.book, self.expiries = book, expiries
        self.lane = Lane(book)
        self.observer = Observer()
        self.faults = FakeFaultPoint()
        self.clerk = Clerk(
            lane=self.lane,
            book=book,
            expiries=expiries,
            bounds=bounds,
            observer=self.observer,
            faults=self.faults,
            jitter=lambda: 0.0,
        )

    async def until_released(self, count: int) -> None:
        """
        Wait until so many holds ended.
        """
        await until(lambda: len(self.observer.lags_s) >= count)


@asynccontextmanager
async def running(
    book: Book, expiries: Expiries, bounds: ClerkBounds = BOUNDS
) -> AsyncIterator[At]:
    """
    Run a clerk, and stop it in the end.
    """
    at = At(book, expiries, bounds)
    task = asyncio.create_task(at.clerk.run())
    try:
        yield at
    finally:
        at.clerk.stop()
        await asyncio.wait_for(task, 5)


def by_expiry(hold: OpenHold) -> tuple[datetime, TransactionId]:
    """
    Order holds as the books do.
    """
    return hold.expires_at, hold.hold_id


async def until(holds: Callable[[], object]) -> None:
    """
    Wait until something holds.
    """
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 -- fakes tell nobody
            await asyncio.sleep(0.001)
