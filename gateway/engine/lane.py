"""
The lane: one bounded queue, at most one batch in flight (design 3).

What arrives while a batch commits becomes the next one. No timer: an idle lane starts
at once. That is how many requests share one commit.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gateway.domain.commands import GetBalance, MoneyCommand
from gateway.domain.errors import (
    DeadlineOverError,
    DependencyError,
    TerminalDeniedError,
    ThrottledError,
)
from gateway.domain.ids import CardId
from gateway.domain.policy import Caller
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result
from gateway.engine.answers import Answer
from gateway.engine.aside import Patience, refuse
from gateway.engine.hints import Done
from gateway.engine.items import Asking, Enquiry, Entry, Item, Sweep, terminal_of
from gateway.engine.observer import Observer
from gateway.engine.ports import Admission, FailedLookup, Live
from gateway.engine.runner import Bounds, Runner
from gateway.engine.tools import Tools

_FULL_RETRY_MS = 50
_ASIDE_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSettings:
    """
    The lane's bounds.
    """

    queue_limit: int
    batch_limit: int
    restart_limit: int
    retry_limit: int
    resolve_timeout_s: float
    lock_timeout_ms: int = 250


class Lane:
    """
    Take money commands in, answer each through its future.
    """

    def __init__(
        self,
        *,
        tools: Tools,
        live: Live,
        settings: LaneSettings,
        observer: Observer,
        jitter: Callable[[], float],
    ) -> None:
        self._tools = tools
        self._live = live
        self._settings = settings
        self._observer = observer
        bounds = Bounds(
            restart_limit=settings.restart_limit,
            retry_limit=settings.retry_limit,
            resolve_timeout_s=settings.resolve_timeout_s,
            batch_limit=settings.batch_limit,
            patience=Patience(alone_ms=settings.lock_timeout_ms),
        )
        self._runner = Runner(tools, bounds, observer, jitter)
        self._queue: deque[Entry] = deque()
        self._arrived = asyncio.Event()
        self._draining = False

    @property
    def free(self) -> int:
        """
        How many more requests the queue takes, with those that were put aside.
        """
        taken = len(self._queue) + self._runner.aside
        return self._settings.queue_limit - taken

    def submit(
        self, caller: Caller, command: MoneyCommand, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Queue a command. `deadline` is on the event loop's clock, in seconds.

        Raises:
            ThrottledError: the queue is full. Nothing was done.
            DependencyError: the worker is draining. Nothing was done.

        """
        self._require_room()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(
            Item(caller=caller, command=command, deadline=deadline, future=future)
        )
        self._arrived.set()
        return future

    def ask(
        self, caller: Caller, question: GetBalance, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Queue a question for a balance that carries a PIN.

        Raises:
            ThrottledError, DependencyError: as `submit`.

        """
        self._require_room()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(
            Enquiry(caller=caller, question=question, deadline=deadline, future=future)
        )
        self._arrived.set()
        return future

    def sweep(self, card_id: CardId, deadline: float) -> asyncio.Future[None]:
        """
        Queue the release of what is due on a card; done when it is committed.

        Raises:
            ThrottledError, DependencyError: as `submit`.

        """
        self._require_room()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(Sweep(card_id=card_id, deadline=deadline, future=future))
        self._arrived.set()
        return future

    def _require_room(self) -> None:
        if self._draining:
            message = "the worker is stopping; ask again"
            raise DependencyError(message)
        if self.free <= 0:
            message = "the queue is full; ask again"
            raise ThrottledError(message, retry_after_ms=_FULL_RETRY_MS)

    async def run(self) -> None:
        """
        Run batches until the lane is drained.
        """
        loop = asyncio.get_running_loop()
        while True:
            if not self._queue:
                if self._draining and not self._runner.aside:
                    return
                self._arrived.clear()
                await self._wait()
            items = self._take(loop.time())
            if items:
                items = await self._admitted(items)
            started = loop.time()
            achieved = await self._runner.run(items)
            for done in achieved:
                await self._publish(done)
            if items or achieved:
                self._observer.batch_done(len(items), loop.time() - started)

    async def _wait(self) -> None:
        """
        Wait for a request, not long while somebody waits for a card another keeps.
        """
        pause_s = _ASIDE_PAUSE_S if self._runner.aside else None
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._arrived.wait()

    def drain(self) -> None:
        """
        Take nothing more in; `run` returns when what is queued has been answered.
        """
        self._draining = True
        self._arrived.set()

    def _take(self, now: float) -> list[Entry]:
        """
        Take the next batch, without whom nobody waits for or whose time is over.
        """
        items: list[Entry] = []
        queue = self._queue
        while queue and len(items) < self._settings.batch_limit:
            item = queue.popleft()
            if item.future.done():
                continue
            if item.deadline <= now:
                message = "the deadline was over before the request was looked at"
                item.future.set_exception(DeadlineOverError(message))
                continue
            items.append(item)
        return items

    async def _admitted(self, entries: list[Entry]) -> list[Entry]:
        """
        Leave out whose budget is used up, and whose terminal is gone.
        """
        places = self._tools.policies.current.places
        items: list[Asking] = []
        admitted: list[Entry] = []
        for entry in entries:
            if isinstance(entry, Sweep):
                admitted.append(entry)
            elif terminal_of(entry) in places:
                items.append(entry)
            else:
                gone = "terminal_id: no such terminal any more"
                refuse([entry], TerminalDeniedError(gone))
        if not items:
            return admitted
        waits = await self._live.admit(
            [
                Admission(
                    terminal_of(item),
                    places[terminal_of(item)].store.store_id,
                    # A balance is counted each time, whatever id it carries.
                    item.command.request_id if isinstance(item, Item) else None,
                )
                for item in items
            ]
        )
        if not any(waits):
            return [*admitted, *items]
        for item, wait_ms in zip(items, waits, strict=True):
            if wait_ms:
                message = "too many requests from this terminal; ask again later"
                refuse([item], ThrottledError(message, retry_after_ms=wait_ms))
            else:
                admitted.append(item)
        return admitted

    async def _publish(self, done: Done) -> None:
        """
        Tell what changed, after the answers and never in their way.
        """
        failed = [
            FailedLookup(given.record.terminal_id, given.record.store_id)
            for _, given in done.answers
            if _found_no_card(given.record) and not given.replayed
        ]
        if done.cards or failed or done.holds:
            await self._tools.faults.reach("after_answer")
            self._live.publish(done.cards, failed, done.holds)


def _found_no_card(record: TransactionRecord) -> bool:
    """
    Tell whether a request named an unknown card; an Advice is approved all the same.
    """
    unknown = Result.INVALID_CARD
    return record.result is unknown or (record.offline and record.reason == unknown)
