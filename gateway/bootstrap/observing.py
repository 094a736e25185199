"""
What the engine and Redis tell of themselves, as figures and log lines.
"""

from collections.abc import Callable
from typing import Final

from gateway.live.events import LiveEvent
from gateway.runtime.logging import get_logger
from gateway.runtime.metrics import Metrics

_DROPPED: Final = frozenset(
    {LiveEvent.SNAPSHOT_DROPPED, LiveEvent.FAILED_LOOKUP_DROPPED}
)
_FAILED: Final = frozenset(
    {LiveEvent.CALL_FAILED, LiveEvent.PUBLISH_FAILED, LiveEvent.READ_FAILED}
)


class EngineObserver:
    """
    Count batches, and log what went not straight.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = get_logger("engine")
        self._waiting: Callable[[], int] = _nobody

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """
        Tell how many wait, whenever a batch is done.
        """
        self._waiting = waiting

    def batch_done(self, size: int, seconds: float) -> None:
        """
        Count a batch.
        """
        self._metrics.batch_finished(items=size, seconds=seconds)
        self._metrics.queue_depth(self._waiting())

    def restarted(self, why: str) -> None:
        """
        Count a batch that was started again.
        """
        self._metrics.batch_restarted()
        self._log.debug("batch restarted", why=why)

    def halved(self, size: int) -> None:
        """
        Count a batch that failed on an item's fault.
        """
        self._metrics.batch_halved()
        self._log.info("batch halved", items=size)

    def put_aside(self, count: int) -> None:
        """
        Count a batch that went on without those whose card is held.
        """
        self._metrics.batch_parted()
        self._log.debug("requests wait for a card that is held", items=count)

    def commit_unknown(self, size: int) -> None:
        """
        Count a commit whose reply was lost.
        """
        self._metrics.outcome_unknown()
        self._log.warning("commit unknown; finding out", items=size)

    def alarm(self, message: str, error: BaseException) -> None:
        """
        Log a fault of ours with its cause.
        """
        self._log.error(message, exc_info=error)


class LiveObserver:
    """
    Count what happens with Redis.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._metrics.redis_up(up=True)

    def __call__(self, event: str) -> None:
        """
        Take note of one of `LiveEvent`.
        """
        if event == LiveEvent.BREAKER_OPENED:
            self._metrics.redis_up(up=False)
        elif event == LiveEvent.BREAKER_CLOSED:
            self._metrics.redis_up(up=True)
        elif event in _FAILED:
            self._metrics.redis_failed()
        elif event in _DROPPED:
            self._metrics.publish_dropped(1)


def _nobody() -> int:
    return 0
