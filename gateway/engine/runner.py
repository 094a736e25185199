"""
Bring a batch to its end, whatever happens on the way (design 3).

Restart with what was learned, halve on an item's fault, try again on a serialization
failure, find out what became of a commit whose reply was lost. Every item gets an
answer or a fault, and every loop has an end.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.domain.errors import (
    ConcurrencyError,
    DependencyError,
    GatewayError,
    InvariantError,
    OutcomeUnknownError,
)
from gateway.engine.attempt import Attempt, Done, Hints, RestartError, Tools
from gateway.engine.items import Entry
from gateway.engine.observer import Observer
from gateway.engine.ports import (
    BooksUnavailableError,
    CommitUnknownError,
    ItemFaultError,
    LockTimeoutError,
    SerializationError,
)

_JITTER_S = 0.02
_RESOLVE_PAUSE_S = 0.05
_KEPT_CHANGING = "the batch kept changing; ask again"
_REPLY_LOST = "the commit's reply was lost; send the same request again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """
    How often, and how long, a batch is tried.
    """

    restart_limit: int
    retry_limit: int
    resolve_timeout_s: float


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

    async def run(self, items: Sequence[Entry]) -> list[Done]:
        """
        Answer every item, or fail it with a fault. Returns what was achieved.
        """
        try:
            return await self._run(items)
        except Exception as error:  # noqa: BLE001 - the lane must live on
            self._observer.alarm("a batch failed", error)
            fault = InvariantError("the batch failed")
            fault.__cause__ = error
            refuse(items, fault)
            return []

    async def _run(self, items: Sequence[Entry]) -> list[Done]:
        if not items:
            return []
        try:
            return [await self._attempt(items, ConcurrencyError(_KEPT_CHANGING))]
        except (ItemFaultError, LockTimeoutError) as error:
            return await self._halve(items, error)
        except SerializationError:
            fault = ConcurrencyError("others changed the same rows; ask again")
            refuse(items, fault)
        except BooksUnavailableError:
            refuse(items, DependencyError("the books cannot be reached; ask again"))
        except CommitUnknownError:
            self._observer.commit_unknown(len(items))
            return await self._resolve(items)
        return []

    async def _attempt(self, items: Sequence[Entry], exhausted: GatewayError) -> Done:
        """
        Attempt a batch, again where it asks for it, and answer it.

        Who still waits when it has asked too often gets `exhausted`; so does whoever is
        refused while an unknown commit is found out, because that one may stand.
        """
        finding_out = isinstance(exhausted, OutcomeUnknownError)
        hints = Hints()
        left = [item for item in items if not item.future.done()]
        restarts = retries = 0
        while left:
            try:
                done = await Attempt(self._tools, left, hints).run()
            except RestartError as restart:
                self._observer.restarted(restart.why)
                for item, fault in restart.refused.items():
                    self._alarm_of(fault)
                    refuse([item], exhausted if finding_out else fault)
                left = [item for item in left if item not in restart.refused]
                restarts += not restart.refused
                if restarts > self._bounds.restart_limit:
                    refuse(left, exhausted)
                    break
            except SerializationError:
                retries += 1
                if retries > self._bounds.retry_limit:
                    raise
                await asyncio.sleep(self._jitter() * _JITTER_S * retries)
            else:
                answer(done)
                return done
        return Done([])

    async def _halve(
        self, items: Sequence[Entry], error: ItemFaultError | LockTimeoutError
    ) -> list[Done]:
        """
        Run both halves by themselves; an item left alone bears its own fault.
        """
        if len(items) > 1:
            self._observer.halved(len(items))
            middle = len(items) // 2
            first = await self._run(items[:middle])
            return first + await self._run(items[middle:])
        if isinstance(error, LockTimeoutError):
            refuse(items, ConcurrencyError("another transaction keeps the card"))
        else:
            self._observer.alarm("an item broke a constraint", error)
            refuse(items, InvariantError("the books refused the item"))
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
                return [await self._attempt(left, OutcomeUnknownError(_REPLY_LOST))]
            except ItemFaultError as error:
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
        self, items: Sequence[Entry], error: ItemFaultError
    ) -> list[Done]:
        if len(items) == 1:
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


def refuse(items: Iterable[Entry], fault: GatewayError) -> None:
    """
    Fail every item that still waits.
    """
    for item in items:
        if not item.future.done():
            item.future.set_exception(fault)
