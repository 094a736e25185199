"""
Bound what one certificate may have under way at once.

A worker serves a bounded number of calls, streams included. Without a bound for each
certificate a single till that went wild, or one that was stolen, takes them all: its
streams cost it nothing, and they may stay for an hour.
"""

from collections.abc import Hashable
from types import TracebackType
from typing import Final

from gateway.domain.errors import ThrottledError

MAX_CALLS: Final = 1_024
MAX_STREAMS: Final = 64
# Of health and reflection, which answer also whom the books do not know.
MAX_LOOKS: Final = 64

_RETRY_MS: Final = 100


class Crowd:
    """
    Count what each caller has under way, up to a limit.
    """

    __slots__ = ("_limit", "_present", "_what")

    def __init__(self, limit: int, what: str) -> None:
        self._limit = limit
        self._what = what
        self._present: dict[Hashable, int] = {}

    def seat(self, caller: Hashable) -> "Seat":
        """
        Give a place for one more, taken by `with`, which may raise ThrottledError.
        """
        return Seat(self, caller)

    def enter(self, caller: Hashable) -> None:
        """
        Count one more.

        Raises:
            ThrottledError: the caller has as many as it may.

        """
        count = self._present.get(caller, 0)
        if count >= self._limit:
            message = f"this certificate has {count} {self._what} under way; ask again"
            raise ThrottledError(message, retry_after_ms=_RETRY_MS)
        self._present[caller] = count + 1

    def leave(self, caller: Hashable) -> None:
        """
        Count one less; who has none is forgotten.
        """
        count = self._present[caller] - 1
        if count:
            self._present[caller] = count
        else:
            del self._present[caller]


class Seat:
    """
    One place in a crowd, from the beginning to the end of a `with`.
    """

    __slots__ = ("_caller", "_crowd")

    def __init__(self, crowd: Crowd, caller: Hashable) -> None:
        self._crowd = crowd
        self._caller = caller

    def __enter__(self) -> None:
        """
        Take it, or raise ThrottledError.
        """
        self._crowd.enter(self._caller)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """
        Give it back.
        """
        self._crowd.leave(self._caller)
