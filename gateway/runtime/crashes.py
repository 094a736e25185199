"""
How often a process may crash, and how long to wait before it is started again.
"""

from collections import deque
from typing import Final

LONGEST_PAUSE_S: Final = 5.0

_CRASH_WINDOW_S: Final = 60.0
_FIRST_PAUSE_S: Final = 0.1


class Crashes:
    """
    The crashes of one process within the last minute.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times_s: deque[float] = deque(maxlen=limit + 1)

    def add(self, now_s: float) -> float | None:
        """
        Count one; give the pause before the next start, or nothing if it was too many.
        """
        while self._times_s and self._times_s[0] <= now_s - _CRASH_WINDOW_S:
            self._times_s.popleft()
        self._times_s.append(now_s)
        count = len(self._times_s)
        if count > self._limit:
            return None
        return min(_FIRST_PAUSE_S * 2.0 ** (count - 1), LONGEST_PAUSE_S)

    @property
    def is_first(self) -> bool:
        """
        Tell whether the last one was the only one in a while.
        """
        return len(self._times_s) == 1
