"""
How much a terminal and a store may ask before they are told to wait.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """
    Throttling budgets. A window begins with the first thing counted in it.

    `failed_window_ms` is the window of failed look-ups; without it they share
    `window_ms`. `remembered_ids` bounds memory: when more ids than that come within
    `remember_ms`, they are remembered for a shorter time.
    """

    requests_per_window: int
    window_ms: int
    failed_lookups_per_terminal: int
    failed_lookups_per_store: int
    remember_ms: int
    failed_window_ms: int = 0
    remembered_ids: int = 500_000

    def __post_init__(self) -> None:
        """
        Refuse what would admit nobody, or count in no time.
        """
        if self.failed_window_ms == 0:
            object.__setattr__(self, "failed_window_ms", self.window_ms)
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{field.name} must be a whole number of at least 1")
