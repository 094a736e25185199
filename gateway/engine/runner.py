"""
Bring a batch to its end, whatever happens on the way (design 3).

Restart with what was learned, halve on an item's fault, put aside who waits for a card
that another keeps, try again on a serialization failure, find out what became of a
commit whose reply was lost. Every item gets an answer or a fault, and every loop has an
end.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway.domain.errors import (
    ConcurrencyError,
    DependencyError,
    GatewayError,
    InvariantError,
    OutcomeUnknownError,
)
from gateway.engine.aside import Aside, Patience, refuse
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Done, Hints, KeptChangingError, RestartError
from gateway.engine.items import Entry
from gateway.engine.observer import Observer
from gateway.engine.ports import (
    BooksUnavailableError,
    CommitUnknownError,
    ItemFaultError,
    LockTimeoutError,
    OvertakenError,
    SerializationError,
)
from gateway.engine.tools import Tools

_JITTER_S = 0.02
_RESOLVE_PAUSE_S = 0.05
_KEPT_CHANGING = "the batch kept changing; ask again"
_UNREACHED = "the books cannot be reached; ask again"
_REPLY_LOST = "the commit's reply was lost; send the same request again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """
    How often, how long, and how large a batch is tried.
    """

    restart_limit: int
    retry_limit: int
    resolve_timeout_s: float
    batch_limit: int = 256
    patience: Patience = field(default_factory=Patience)


class Runner:
    """
    Run batches, one at a time.

    `jitter` gives a number from 0 to 1. `answered` is called with what each committed
    attempt achieved, after its answers are given.
    """

    def __init__(
        self,
        tools: Tools,
        bounds: Bounds,
        observer: Observer,
        jitter: Callable[[], float],
    ) -> None:
        self._tools = tools
        self._bounds = bounds
        self._observer = observer
        self._jitter = jitter
        self._aside = Aside(tools.books, bounds.patience)

    @property
    def aside(self) -> int:
        """
        How many wait for a card that another keeps; the next `run` looks after them.
        """
        return len(self._aside)

    async def run(self, items: Sequence[Entry]) -> list[Done]:
        """
        Answer every item, fail it with a fault, or put it aside for the next run.

        Returns what was achieved.
        """
        items = [*self._aside.take(), *items]
        try:
            if self._aside.alert:
                return await self._run_free(items)
            return await self._run(items, None)
        except Exception as error:  # noqa: BLE001 - the lane must live on
            self._observer.alarm("a batch failed", error)
            fault = InvariantError("the batch failed")
            fault.__cause__ = error
            refuse(items, fault)
            return []

    async def _run_free(self, items: Sequence[Entry]) -> list[Done]:
        """
        Run those whose cards nobody keeps, and wait only a little for their locks.
        """
        if not items:
            return []
        free = await self._part(items, all_held=False)
        limit = self._bounds.batch_limit
        done: list[Done] = []
        for first in range(0, len(free), limit):
            batch = free[first : first + limit]
            done += await self._run(batch, self._bounds.patience.short_ms)
        return done

    async def _part(self, items: Sequence[Entry], *, all_held: bool) -> list[Entry]:
        """
        Put aside who names a card that is held, and give the others.
        """
        try:
            free = await self._aside.part(items, all_held=all_held)
        except LockTimeoutError:
            self._aside.put(items)
            free = []
        except BooksUnavailableError:
            refuse(items, DependencyError(_UNREACHED))
            return []
        if len(free) < len(items):
            self._observer.put_aside(len(items) - len(free))
        return free

    async def _run(self, items: Sequence[Entry], patience_ms: int | None) -> list[Done]:
        if not items:
            return []
        try:
            return [await self._attempt(items, patience_ms)]
        except (ItemFaultError, KeptChangingError) as error:
            return await self._halve(items, error, patience_ms)
        except LockTimeoutError as error:
            return await self._go_round(items, error, patience_ms)
        except SerializationError:
            fault = ConcurrencyError("others changed the same rows; ask again")
            refuse(items, fault)
        except BooksUnavailableError:
            refuse(items, DependencyError(_UNREACHED))
        except CommitUnknownError:
            self._observer.commit_unknown(len(items))
            return await self._resolve(items)
        return []

    async def _attempt(
        self,
        items: Sequence[Entry],
        patience_ms: int | None = None,
        *,
        unknown: OutcomeUnknownError | None = None,
    ) -> Done:
        """
        Attempt a batch, again where it asks for it, and answer it.

        `unknown` is what whoever is refused gets while an unknown commit is found out,
        because that one may stand.

        Raises:
            KeptChangingError: who still waits asked to start again too often.
            ItemFaultError, LockTimeoutError, SerializationError, BooksUnavailableError,
            CommitUnknownError: as the books say, after as many tries as it may have.

        """
        hints = Hints()
        left = [item for item in items if not item.future.done()]
        restarts = retries = 0
        while left:
            try:
                done = await Attempt(self._tools, left, hints, patience_ms).run()
            except RestartError as restart:
                self._observer.restarted(restart.why)
                for item, fault in restart.refused.items():
                    self._alarm_of(fault)
                    refuse([item], unknown or fault)
                left = [item for item in left if item not in restart.refused]
                restarts += not restart.refused
                if restarts > self._bounds.restart_limit:
                    raise KeptChangingError(restart.why) from restart
            except (SerializationError, OvertakenError):
                retries += 1
                if retries > self._bounds.retry_limit:
                    raise
                await asyncio.sleep(self._jitter() * _JITTER_S * retries)
            else:
                answer(done)
                return done
        return Done([])

    async def _go_round(
        self,
        items: Sequence[Entry],
        error: LockTimeoutError,
        patience_ms: int | None,
    ) -> list[Done]:
        """
        Run the others without those who name a held card, and these with a later batch.

        Where no card is held it was something else, a request's key perhaps: halve. Who
        is left alone has waited its whole time, or goes on waiting aside.
        """
        short_ms = self._bounds.patience.short_ms
        if len(items) == 1:
            if patience_ms is None:
                refuse(items, ConcurrencyError("another transaction keeps the card"))
            else:
                free = await self._part(items, all_held=True)
                self._aside.put(free, of_card=False)
            return []
        free = await self._part(items, all_held=True)
        if len(free) < len(items):
            return await self._run(free, short_ms)
        return await self._halve(items, error, short_ms)

    async def _halve(
        self,
        items: Sequence[Entry],
        error: ItemFaultError | LockTimeoutError | KeptChangingError,
        patience_ms: int | None,
    ) -> list[Done]:
        """
        Run both halves by themselves; an item left alone bears its own fault.
        """
        left = [item for item in items if not item.future.done()]
        if len(left) > 1:
            self._observer.halved(len(left))
            middle = len(left) // 2
            first = await self._run(left[:middle], patience_ms)
            return first + await self._run(left[middle:], patience_ms)
        if isinstance(error, KeptChangingError):
            refuse(left, ConcurrencyError(_KEPT_CHANGING))
            return []
        self._observer.alarm("an item broke a constraint", error)
        refuse(left, InvariantError("the books refused the item"))
        return []

    async def _resolve(self, items: Sequence[Entry]) -> list[Done]:
        """
        Find out what became of items whose commit was sent and never confirmed.

        The same batch again, on a new connection: its locks and claims wait until the
        old backend has ended; what did commit is found by its key, the rest is decided
        now. Nothing here may answer "not applied".
        """
        loop = asyncio.get_running_loop()
        limit = loop.time() + self._bounds.resolve_timeout_s
        left = list(items)
        while left := self._in_time(left, limit):
            try:
                unknown = OutcomeUnknownError(_REPLY_LOST)
                return [await self._attempt(left, unknown=unknown)]
            except (ItemFaultError, KeptChangingError) as error:
                return await self._resolve_halves(left, error)
            except (
                LockTimeoutError,
                SerializationError,
                BooksUnavailableError,
                CommitUnknownError,
            ):
                await asyncio.sleep(_RESOLVE_PAUSE_S)
        return []

    async def _resolve_halves(
        self, items: Sequence[Entry], error: ItemFaultError | KeptChangingError
    ) -> list[Done]:
        if len(items) == 1:
            if isinstance(error, ItemFaultError):
                self._observer.alarm("an item broke a constraint", error)
            refuse(items, OutcomeUnknownError("the outcome could not be found out"))
            return []
        middle = len(items) // 2
        first = await self._resolve(items[:middle])
        return first + await self._resolve(items[middle:])

    def _in_time(self, items: Iterable[Entry], limit: float) -> list[Entry]:
        now = asyncio.get_running_loop().time()
        left = []
        for item in items:
            if item.future.done():
                continue
            if now < min(item.deadline, limit):
                left.append(item)
            else:
                refuse([item], OutcomeUnknownError(_REPLY_LOST))
        return left

    def _alarm_of(self, fault: GatewayError) -> None:
        if isinstance(fault, InvariantError):
            self._observer.alarm("a decision failed", fault.__cause__ or fault)


def answer(done: Done) -> None:
    """
    Give every answer to who still waits for it.
    """
    for item, given in done.answers:
        if not item.future.done():
            item.future.set_result(given)
    for sweep in done.swept:
        if not sweep.future.done():
            sweep.future.set_result(None)
    refuse(done.busy, ConcurrencyError("another transaction keeps the card"))
