"""
How long the adapter waits, and how much it keeps.
"""

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """
    Time limits and bounds; all have defaults that suit a server on the same network.

    `timeout_ms` is the longest that one call may take, connecting included.
    `probe_interval_ms` is how often Redis is tried once it failed. After each publish
    `publish_pause_ms` pass before the next. A snapshot is shown for `snapshot_ttl_ms`
    at most. `pending_limit` bounds what waits to be published, `expiries_limit` how
    many holds are kept with their expiry: the soonest; and untouched for
    `expiries_ttl_ms` all of them are forgotten, to be loaded again.
    """

    timeout_ms: int = 50
    probe_interval_ms: int = 250
    publish_pause_ms: int = 20
    snapshot_ttl_ms: int = 5_000
    pending_limit: int = 10_000
    expiries_limit: int = 500_000
    expiries_ttl_ms: int = 86_400_000

    def __post_init__(self) -> None:
        """
        Refuse waits and bounds of nothing.
        """
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"{field.name} must be at least 1")


DEFAULT_OPTIONS: Final = LiveOptions()
