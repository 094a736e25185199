"""
What the clerk tells of itself, as figures and log lines.
"""

from collections.abc import Callable, Sequence
from typing import Final

from gateway.runtime.clerk_metrics import ClerkMetrics
from gateway.runtime.logging import get_logger
from gateway.runtime.metrics import Metrics

_INTERVAL_S: Final = 10.0


class ClerkObserver:
    """
    Count releases, and log them together: many may come in a second.
    """

    def __init__(self, metrics: Metrics, clock_s: Callable[[], float]) -> None:
        self._metrics = metrics
        self._figures = ClerkMetrics(metrics.registry)
        self._clock_s = clock_s
        self._log = get_logger("clerk")
        self._count = 0
        self._worst_s = 0.0
        self._told_s = -_INTERVAL_S
        self._away_told_s = -_INTERVAL_S
        self._redis_used: bool | None = None

    def released(self, lags_s: Sequence[float]) -> None:
        """
        Count holds that ended; say so every now and then.
        """
        self._figures.released(lags_s)
        self._count += len(lags_s)
        self._worst_s = max(self._worst_s, *lags_s)
        if self._clock_s() - self._told_s >= _INTERVAL_S:
            self.tell()

    def tell(self) -> None:
        """
        Log what was released since this was last said.
        """
        if not self._count:
            return
        worst_ms = round(self._worst_s * 1_000)
        self._log.info("holds released", count=self._count, worst_lag_ms=worst_ms)
        self._count, self._worst_s = 0, 0.0
        self._told_s = self._clock_s()

    def gave_up(self, holds: int, error: BaseException) -> None:
        """
        Count holds that are left to the next look.
        """
        self._figures.given_up(holds)
        why = f"{type(error).__name__}: {error}"
        self._log.warning("holds not released for now", count=holds, why=why)

    def loaded(self, holds: int, seconds: float) -> None:
        """
        Count holds that Redis was told of.
        """
        self._figures.loaded(holds)
        took_ms = round(seconds * 1_000)
        self._log.info("live holds loaded", count=holds, took_ms=took_ms)

    def books_away(self, error: BaseException) -> None:
        """
        Say that the books do not answer, but not every time.
        """
        if self._clock_s() - self._away_told_s >= _INTERVAL_S:
            self._away_told_s = self._clock_s()
            self._log.warning("the books do not answer", why=str(error))

    def redis_used(self, *, used: bool) -> None:
        """
        Say when Redis comes and goes.
        """
        if used is self._redis_used:
            return
        self._redis_used = used
        self._metrics.redis_up(up=used)
        if used:
            self._log.info("redis tells which holds are due")
        else:
            self._log.warning("redis is away: the books tell which holds are due")

    def alarm(self, message: str, error: BaseException) -> None:
        """
        Log a fault of ours with its cause.
        """
        self._log.error(message, exc_info=error)
