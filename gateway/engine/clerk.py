"""
The clerk releases the holds that nobody touches, when their time is over (design 3).

Redis wakes it, Postgres tells it which card a hold is on now, and the lane releases: in
the same path as a sale, under the same locks and walls, so a hold ends once, whoever
comes first. No money depends on the clerk: a sale releases what is due on its card by
itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from gateway.domain.errors import GatewayError
from gateway.domain.ids import CardId, TransactionId
from gateway.engine.clerk_ports import (
    ClerkObserver,
    Expiries,
    HoldBook,
    Loaded,
    OpenHold,
    Sweeping,
)
from gateway.engine.expiry_loading import ExpiryLoader
from gateway.engine.ports import BooksUnavailableError, FaultPoint

# Most holds in one look-up and in one group of releases: a batch of the lane.
TAKE_LIMIT = 256
_ENDED_LIMIT = 4_096
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkBounds:
    """
    How often the clerk looks, how much it does at once, and how long it tries.

    It asks Redis when a hold is due and every `poll_s`, but after it was given some not
    sooner than `gather_s`, so that they share a commit; and the books, for what Redis
    did not tell, every `look_s`, or every `alone_s` while Redis does not know of all.
    """

    poll_s: float
    gather_s: float
    look_s: float
    alone_s: float
    reload_s: float
    in_flight_limit: int
    retry_limit: int
    sweep_timeout_s: float


class BooksClock:
    """
    The clock of the books, which tests and the demo shift, between two looks at it.
    """

    def __init__(self, book: HoldBook, fresh_s: float) -> None:
        self._book = book
        self._fresh_s = fresh_s
        self._read_s: float | None = None
        self._told: datetime | None = None

    async def now(self) -> datetime:
        """
        Give the time, read anew if it was not read lately.

        Raises:
            BooksUnavailableError: it cannot be read.

        """
        now_s = asyncio.get_running_loop().time()
        fresh = self._read_s is not None and now_s - self._read_s < self._fresh_s
        if not fresh:
            self._told = await self._book.clock()
            self._read_s = asyncio.get_running_loop().time()
        return self.guess()

    def guess(self) -> datetime:
        """
        Give the time as it should be by the last look.
        """
        if self._told is None or self._read_s is None:
            message = "the clock was never read"
            raise RuntimeError(message)
        passed_s = asyncio.get_running_loop().time() - self._read_s
        return self._told + timedelta(seconds=passed_s)


class Clerk:
    """
    Take what is due, look it up, and let the lane release it.
    """

    def __init__(
        self,
        *,
        lane: Sweeping,
        book: HoldBook,
        expiries: Expiries,
        bounds: ClerkBounds,
        observer: ClerkObserver,
        faults: FaultPoint,
        jitter: Callable[[], float],
    ) -> None:
        self._lane = lane
        self._book = book
        self._expiries = expiries
        self._bounds = bounds
        self._observer = observer
        self._faults = faults
        self._jitter = jitter
        self._clock = BooksClock(book, bounds.poll_s)
        self._loader = ExpiryLoader(book, expiries, observer, reload_s=bounds.reload_s)
        self._in_flight: set[TransactionId] = set()
        self._ended: deque[TransactionId] = deque(maxlen=_ENDED_LIMIT)
        self._groups: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._stopped = asyncio.Event()
        self._next_take_s = 0.0
        self._next_look_s = 0.0

    async def run(self) -> None:
        """
        Work until `stop`, and until what had begun is done.
        """
        pause_s = 0.0
        while not self._stopped.is_set():
            try:
                wait_s = await self._turn()
                pause_s = 0.0
            except BooksUnavailableError as error:
                self._observer.books_away(error)
                pause_s = self._longer(pause_s)
                wait_s = pause_s
            except Exception as error:  # noqa: BLE001 - the clerk must live on
                self._observer.alarm("the clerk's turn failed", error)
                pause_s = self._longer(pause_s)
                wait_s = pause_s
            await _wait(self._stopped, wait_s)
        await self._loader.stop()
        if self._groups:
            await asyncio.wait(self._groups)

    def stop(self) -> None:
        """
        Take nothing more; `run` returns when what had begun is done.
        """
        self._stopped.set()
        self._room.set()

    async def _turn(self) -> float:
        """
        Take what is due once; give how long nothing else will be.
        """
        bounds = self._bounds
        await self._wait_for_room()
        room = min(TAKE_LIMIT, bounds.in_flight_limit - len(self._in_flight))
        if room <= 0:
            return 0.0
        now = await self._clock.now()
        ended = [
            self._ended.popleft() for _ in range(min(TAKE_LIMIT, len(self._ended)))
        ]
        due = await self._expiries.take_due(now, limit=room, ended=ended)
        self._observer.redis_used(used=due is not None)
        if due is None:
            self._ended.extend(ended)
        elif due.hold_ids:
            await self._release_taken(due.hold_ids)
        knows_all = due is not None and due.loaded is Loaded.ALL
        if due is not None:
            self._loader.see(due.loaded)
        await self._look(now, knows_all=knows_all)
        if due is None:
            return bounds.poll_s
        if len(due.hold_ids) == room:
            return 0.0
        now_s = asyncio.get_running_loop().time()
        if due.hold_ids:
            self._next_take_s = now_s + bounds.gather_s
        left_s = bounds.poll_s
        if due.next_at is not None:
            left_s = (due.next_at - self._clock.guess()).total_seconds()
        return min(max(left_s, self._next_take_s - now_s), bounds.poll_s)

    async def _release_taken(self, hold_ids: Sequence[TransactionId]) -> None:
        """
        Release what Redis gave; what does not stand any more is taken out there.
        """
        await self._faults.reach("due_taken")
        holds = await self._book.open_holds(hold_ids)
        standing = {hold.hold_id for hold in holds}
        self._ended.extend(hold for hold in hold_ids if hold not in standing)
        self._release(holds)

    async def _look(self, now: datetime, *, knows_all: bool) -> None:
        """
        Ask the books for what Redis did not tell, if it is time to.

        While Redis tells all it is left a little time for what it has just told.
        """
        bounds = self._bounds
        now_s = asyncio.get_running_loop().time()
        every_s = bounds.look_s if knows_all else bounds.alone_s
        if now_s < self._next_look_s - bounds.look_s + every_s:
            return
        until = now - timedelta(seconds=bounds.alone_s) if knows_all else now
        last: OpenHold | None = None
        while not self._stopped.is_set():
            holds = await self._book.holds_until(until, after=last, limit=TAKE_LIMIT)
            self._release(holds)
            if len(holds) < TAKE_LIMIT:
                break
            last = holds[-1]
            await self._wait_for_room()
        self._next_look_s = asyncio.get_running_loop().time() + bounds.look_s

    def _release(self, holds: Sequence[OpenHold]) -> None:
        """
        Begin to release holds, but those whose release has begun.
        """
        new = [hold for hold in holds if hold.hold_id not in self._in_flight]
        if not new:
            return
        self._in_flight.update(hold.hold_id for hold in new)
        group = asyncio.create_task(self._release_group(new), name="releases")
        self._groups.add(group)
        group.add_done_callback(self._groups.discard)

    async def _release_group(self, holds: Sequence[OpenHold]) -> None:
        left: dict[CardId, list[OpenHold]] = {}
        for hold in holds:
            left.setdefault(hold.card_id, []).append(hold)
        try:
            await self._sweep(left)
        except Exception as error:  # noqa: BLE001 - others go on
            self._observer.alarm("a group of releases failed", error)
        finally:
            self._in_flight.difference_update(hold.hold_id for hold in holds)
            self._room.set()

    async def _sweep(self, left: dict[CardId, list[OpenHold]]) -> None:
        """
        Sweep cards, again with pauses where it failed, until none is left.

        Who fails too often is left to the next look at the books.
        """
        pause_s, error = 0.0, None
        for _ in range(self._bounds.retry_limit):
            error = await self._sweep_once(left)
            if error is None:
                return
            if self._stopped.is_set():
                break
            pause_s = self._longer(pause_s)
            await asyncio.sleep(pause_s)
        if error is not None:
            self._observer.gave_up(sum(map(len, left.values())), error)

    async def _sweep_once(
        self, left: dict[CardId, list[OpenHold]]
    ) -> BaseException | None:
        """
        Sweep every card that is left; give one of the faults, if there were any.
        """
        deadline = asyncio.get_running_loop().time() + self._bounds.sweep_timeout_s
        refused: BaseException | None = None
        futures: dict[CardId, asyncio.Future[None]] = {}
        for card_id, holds in left.items():
            try:
                future = self._lane.sweep(card_id, deadline)
            except GatewayError as fault:
                refused = fault
                break
            future.add_done_callback(partial(self._swept, holds))
            futures[card_id] = future
        if futures:
            await asyncio.wait(futures.values())
        for card_id, future in futures.items():
            error = future.exception()
            if error is None:
                del left[card_id]
            else:
                refused = error
        return refused

    def _swept(self, holds: Sequence[OpenHold], future: asyncio.Future[None]) -> None:
        """
        Count holds that ended: their neighbours may still wait for a card.
        """
        if future.exception() is not None:
            return
        now = self._clock.guess()
        self._observer.released(
            [(now - hold.expires_at).total_seconds() for hold in holds]
        )
        self._in_flight.difference_update(hold.hold_id for hold in holds)
        self._room.set()

    async def _wait_for_room(self) -> None:
        """
        Wait while as much as may be is under way.
        """
        limit = self._bounds.in_flight_limit
        while len(self._in_flight) >= limit and not self._stopped.is_set():
            self._room.clear()
            await _wait(self._room, self._bounds.poll_s)

    def _longer(self, pause_s: float) -> float:
        longest = min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        return longest * (0.5 + self._jitter() / 2)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """
    Wait for an event, but no longer than that.
    """
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
