"""
The circuit breaker: after a failure Redis is left alone until it answers a probe.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Final

from gateway.live.errors import LiveError
from gateway.live.events import LiveEvent

LOG_INTERVAL_S: Final = 10.0
# Opened twice within this time, Redis is given the interval before the next probe.
FLAP_S: Final = 1.0

_logger: Final = logging.getLogger(__name__)


class Breaker:
    """
    Open while Redis is away. It begins open: nothing is known yet.

    The caller that fails pays for it once; whoever comes next finds the breaker open
    and does without. Only the background task goes on trying, every `interval_ms`,
    so Redis is in use again at most that long (and a probe) after its return.
    """

    def __init__(
        self,
        probe: Callable[[], Awaitable[None]],
        *,
        interval_ms: int,
        on_event: Callable[[str], None],
    ) -> None:
        """
        Take what tells, by raising LiveError or not, whether Redis can be used.
        """
        self.is_open = True
        self._probe = probe
        self._interval_s = interval_ms / 1000
        self._on_event = on_event
        self._opened = asyncio.Event()
        self._closed = asyncio.Event()
        self._probe_at_once = False
        self._opened_at = -FLAP_S
        self._logged_at = -LOG_INTERVAL_S
        self._is_logged = False
        self._watch_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """
        Probe once, then go on in the background for as long as it takes.
        """
        await self._try_to_close()
        if self.is_open:
            self._opened.set()
        self._watch_task = asyncio.create_task(self._watch(), name="redis-breaker")

    async def stop(self) -> None:
        """
        End the background task; from now on Redis is left alone.
        """
        task, self._watch_task = self._watch_task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.is_open = True
        self._closed.clear()

    async def wait_closed(self) -> None:
        """
        Wait until Redis is in use.
        """
        await self._closed.wait()

    def trip(self, error: Exception) -> None:
        """
        Open: the next caller does without Redis.

        The first failure in a while is probed at once, in the background: the server
        may be back already, or it was this worker that stood still. A server that
        answers probes but no calls is not believed so fast again.
        """
        self._on_event(LiveEvent.CALL_FAILED)
        if self.is_open:
            return
        self.is_open = True
        now = monotonic()
        self._probe_at_once = now - self._opened_at >= FLAP_S
        self._opened_at = now
        self._closed.clear()
        self._opened.set()
        self._on_event(LiveEvent.BREAKER_OPENED)
        self._log(error)

    async def _watch(self) -> None:
        while True:
            await self._opened.wait()
            if not self._probe_at_once:
                await asyncio.sleep(self._interval_s)
            self._probe_at_once = False
            await self._try_to_close()

    async def _try_to_close(self) -> None:
        try:
            await self._probe()
        except LiveError as error:
            self._on_event(LiveEvent.CALL_FAILED)
            self._log(error)
            return
        except Exception:
            _logger.exception("a probe of redis failed in a way that is our fault")
            return
        self.is_open = False
        self._opened.clear()
        self._closed.set()
        self._on_event(LiveEvent.BREAKER_CLOSED)
        if self._is_logged:
            self._is_logged = False
            _logger.info("redis is in use again")

    def _log(self, error: Exception) -> None:
        """
        Say why, but not every time that a dead server is probed.
        """
        if monotonic() - self._logged_at < LOG_INTERVAL_S:
            return
        self._logged_at = monotonic()
        self._is_logged = True
        _logger.warning(
            "redis is left alone, budgets are local: %s: %s",
            type(error).__name__,
            error,
        )
