"""
Carry snapshots, failed look-ups and expiries to Redis, beside the answers.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from gateway.domain.cards import Card
from gateway.domain.holds import Hold
from gateway.engine.ports import FailedLookup
from gateway.live.breaker import Breaker
from gateway.live.budgets import Budgets
from gateway.live.errors import LiveError, RedisRefusedError
from gateway.live.events import LiveEvent
from gateway.live.library import PUBLISH
from gateway.live.link import Link
from gateway.live.options import LiveOptions
from gateway.live.outbox import Notice, Outbox
from gateway.live.requests import publish_call

# Most snapshots, and most counters, in one call: about a millisecond of the server's.
CALL_LIMIT: Final = 512

_logger: Final = logging.getLogger(__name__)


class Publisher:
    """
    Publish what gathers in an outbox: one call in flight, then a short pause.

    The pause lets the batches of a busy lane share a call. A call that fails is not
    made again: its snapshots would be old, and its failed look-ups may have been
    counted (open: they are then missing from the shared budgets). But what became of
    holds goes out with the next.
    """

    def __init__(
        self,
        *,
        link: Link,
        breaker: Breaker,
        budgets: Budgets,
        options: LiveOptions,
        wall_ms: Callable[[], int],
        on_event: Callable[[str], None],
    ) -> None:
        self._link = link
        self._breaker = breaker
        self._budgets = budgets
        self._pause_s = options.publish_pause_ms / 1000
        self._refused_pause_s = options.probe_interval_ms / 1000
        self._options = options
        self._ttl_ms = options.snapshot_ttl_ms
        self._wall_ms = wall_ms
        self._on_event = on_event
        self._outbox = Outbox(options.pending_limit, on_event)
        self._filled = asyncio.Event()
        self._drain_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """
        Begin to publish.
        """
        self._drain_task = asyncio.create_task(self._drain(), name="redis-publisher")

    async def stop(self) -> None:
        """
        End, after one last call for what had no time to go out.
        """
        task, self._drain_task = self._drain_task, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if self._outbox and not self._breaker.is_open:
            await self._publish_some()

    def put(
        self,
        cards: Sequence[Card],
        failed: Iterable[FailedLookup],
        holds: Sequence[Hold] = (),
    ) -> None:
        """
        Hand over; returns at once.

        While Redis is away snapshots wait (and are dropped when they are old) and so do
        holds, but failed look-ups do not: the local budgets have them.
        """
        if holds:
            self._outbox.add_holds(holds)
        if cards:
            self._outbox.add_cards(cards, self._wall_ms())
        if failed and not self._breaker.is_open:
            self._outbox.add_failed(failed)
        if self._outbox:
            self._filled.set()

    @property
    def has_failed(self) -> bool:
        """
        Tell whether failed look-ups wait to be told.
        """
        return self._outbox.has_failed

    async def publish_failed(self) -> None:
        """
        Tell failed look-ups now, so that the next admission knows of them.

        Never raises; waits at most one call's time.
        """
        try:
            await self._publish(self._outbox.take_failed(CALL_LIMIT), self._wall_ms())
        except Exception:
            _logger.exception("a publish failed in a way that is our fault")

    async def _drain(self) -> None:
        while True:
            await self._filled.wait()
            await self._breaker.wait_closed()
            try:
                went_out = await self._publish_some()
            except Exception:
                _logger.exception("a publish failed in a way that is our fault")
                went_out = False
            if not self._outbox:
                self._filled.clear()
            await asyncio.sleep(self._pause_s if went_out else self._refused_pause_s)

    async def _publish_some(self) -> bool:
        now_ms = self._wall_ms()
        notice = self._outbox.take(CALL_LIMIT, oldest_ms=now_ms - self._ttl_ms)
        return await self._publish(notice, now_ms)

    async def _publish(self, notice: Notice, now_ms: int) -> bool:
        if not (notice.snapshots or notice.failed or notice.holds):
            return True
        call = publish_call(
            PUBLISH, notice, self._budgets, now_ms=now_ms, options=self._options
        )
        try:
            await self._link.call_function(call)
        except RedisRefusedError:
            # Redis is there; if it refuses more than this, an admission will tell.
            self._failed_to_tell(notice)
            return False
        except LiveError as error:
            self._failed_to_tell(notice)
            self._breaker.trip(error)
            return False
        return True

    def _failed_to_tell(self, notice: Notice) -> None:
        self._on_event(LiveEvent.PUBLISH_FAILED)
        self._outbox.put_back(notice.holds)
