"""
The same budgets inside one worker, for the time that Redis is away.

An approximation, and an open one: each worker counts for itself from the moment it
needs to, so that N workers together admit at most N budgets; what Redis had counted is
not known here, nor is Redis told afterwards what was counted here. And it is bounded:
where more terminals or ids come than are kept, the oldest are forgotten, which admits
more, never less. Failed look-ups are counted all the time, because they are rare and
what an attacker sends.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.domain.ids import RequestKey
from gateway.engine.ports import Admission, FailedLookup
from gateway.live.budgets import Budgets

KEPT_COUNTERS: Final = 20_000
KEPT_IDS: Final = 50_000


class Counters:
    """
    Counts by a number (of a terminal, of a store), each in a window of its own.
    """

    __slots__ = ("_budget", "_kept", "_window_ms", "_windows")

    def __init__(self, budget: int, window_ms: int, kept: int = KEPT_COUNTERS) -> None:
        self._budget = budget
        self._window_ms = window_ms
        self._kept = kept
        # The end of the window and the count in it; the oldest window stands first.
        self._windows: OrderedDict[int, tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def wait_ms(self, number: int, now_ms: int) -> int:
        """
        Tell how long until there is budget again; 0 when there is some now.
        """
        ends_ms, count = self._windows.get(number, (0, 0))
        if ends_ms <= now_ms or count < self._budget:
            return 0
        return ends_ms - now_ms

    def add(self, number: int, now_ms: int) -> None:
        """
        Count one.
        """
        ends_ms, count = self._windows.get(number, (0, 0))
        if ends_ms > now_ms:
            self._windows[number] = (ends_ms, count + 1)
            return
        self._windows[number] = (now_ms + self._window_ms, 1)
        self._windows.move_to_end(number)
        if len(self._windows) > self._kept:
            self._windows.popitem(last=False)


class RecentIds:
    """
    Request ids counted in the last `remember_ms`, or the last `kept` of them.
    """

    __slots__ = ("_began_ms", "_current", "_kept", "_previous", "_remember_ms")

    def __init__(self, remember_ms: int, kept: int = KEPT_IDS) -> None:
        self._remember_ms = remember_ms
        self._kept = kept
        self._began_ms = 0
        self._current: set[RequestKey] = set()
        self._previous: set[RequestKey] = set()

    def __len__(self) -> int:
        return len(self._current) + len(self._previous)

    def __contains__(self, key: RequestKey) -> bool:
        return key in self._current or key in self._previous

    def add(self, key: RequestKey, now_ms: int) -> None:
        """
        Keep one, and let the oldest go when they are old or too many.
        """
        age_ms = now_ms - self._began_ms
        if age_ms >= self._remember_ms or len(self._current) >= self._kept:
            is_recent = age_ms < 2 * self._remember_ms
            self._previous = self._current if is_recent else set()
            self._current = set()
            self._began_ms = now_ms
        self._current.add(key)


class LocalBudgets:
    """
    Judge requests by what this worker alone has seen.
    """

    def __init__(
        self,
        budgets: Budgets,
        *,
        kept_counters: int = KEPT_COUNTERS,
        kept_ids: int = KEPT_IDS,
    ) -> None:
        self._requests = Counters(
            budgets.requests_per_window, budgets.window_ms, kept_counters
        )
        self._failed_at_terminal = Counters(
            budgets.failed_lookups_per_terminal, budgets.failed_window_ms, kept_counters
        )
        self._failed_at_store = Counters(
            budgets.failed_lookups_per_store, budgets.failed_window_ms, kept_counters
        )
        self._ids = RecentIds(budgets.remember_ms, kept_ids)

    def admit(self, admissions: Sequence[Admission], now_ms: int) -> list[int]:
        """
        Count requests as `scrip_admit_v1` does; 0 admits, else milliseconds to wait.
        """
        return [self._admit_one(admission, now_ms) for admission in admissions]

    def count_failed(self, failed: Iterable[FailedLookup], now_ms: int) -> None:
        """
        Count failed look-ups against their terminals and stores.
        """
        for terminal_id, store_id in failed:
            self._failed_at_terminal.add(terminal_id, now_ms)
            self._failed_at_store.add(store_id, now_ms)

    def _admit_one(self, admission: Admission, now_ms: int) -> int:
        terminal_id, store_id, request_id = admission
        key = None if request_id is None else RequestKey(terminal_id, request_id)
        if key is not None and key in self._ids:
            return 0
        wait_ms = max(
            self._requests.wait_ms(terminal_id, now_ms),
            self._failed_at_terminal.wait_ms(terminal_id, now_ms),
            self._failed_at_store.wait_ms(store_id, now_ms),
        )
        if wait_ms == 0:
            self._requests.add(terminal_id, now_ms)
            if key is not None:
                self._ids.add(key, now_ms)
        return wait_ms
