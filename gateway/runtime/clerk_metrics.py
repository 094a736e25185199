"""
The figures of the clerk, beside those that every process has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAG_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class ClerkMetrics:
    """
    What becomes of holds whose time is over.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """
        Add the metrics to a registry.
        """
        self._released = Counter(
            "scrip_released_holds",
            "Holds whose end the clerk saw committed.",
            registry=registry,
        )
        self._lag_seconds = Histogram(
            "scrip_release_lag_seconds",
            "Time from a hold's expiry to the commit of its release by the clerk.",
            buckets=_LAG_SECONDS,
            registry=registry,
        )
        self._given_up = Counter(
            "scrip_releases_given_up",
            "Holds left to the clerk's next look: a card locked, the books away.",
            registry=registry,
        )
        self._loaded = Counter(
            "scrip_live_holds_loaded",
            "Holds of which the clerk told Redis.",
            registry=registry,
        )

    def released(self, lags_s: Sequence[float]) -> None:
        """
        Count holds that ended, and how long after their time.
        """
        self._released.inc(len(lags_s))
        for lag_s in lags_s:
            self._lag_seconds.observe(lag_s)

    def given_up(self, holds: int) -> None:
        """
        Count holds that could not be released for now.
        """
        self._given_up.inc(holds)

    def loaded(self, holds: int) -> None:
        """
        Count holds of which Redis was told.
        """
        self._loaded.inc(holds)
