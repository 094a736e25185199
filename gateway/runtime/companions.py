"""
Bring back the servers beside the workers when they end by themselves.

What cannot be started is tried again, with growing pauses. A server that is needed and
keeps failing ends everything, because a service manager sees that. One that the
gateway can do without (design 1: Redis keeps what is live) never ends anything: it is
tried for as long as the workers serve.
"""

from __future__ import annotations

from typing import Protocol

from gateway.runtime.crashes import LONGEST_PAUSE_S, Crashes
from gateway.runtime.embedded_server import EmbeddedServerError
from gateway.runtime.logging import get_logger

_log = get_logger("supervisor")


class Companion(Protocol):
    """
    A server beside the workers that is brought back when it ends by itself.
    """

    @property
    def name(self) -> str:
        """
        Give its name in logs.
        """

    @property
    def is_needed(self) -> bool:
        """
        Tell whether the workers are of no use without it.
        """

    def is_running(self) -> bool:
        """
        Tell whether it runs.
        """

    def start(self) -> None:
        """
        Start it, and return when it answers.

        Raises:
            EmbeddedServerError: it does not come up.

        """


class KeptCompanion:
    """
    One companion, how often it ended, and when it is tried again.
    """

    def __init__(self, server: Companion, restart_limit: int) -> None:
        self._server = server
        self._limit = restart_limit
        self._crashes = Crashes(restart_limit)
        self._due_s: float | None = None

    def keep(self, now_s: float) -> bool:
        """
        Start it if it is gone and the pause is over; False means to give up.
        """
        if self._server.is_running():
            return True
        if self._due_s is None and not self._failed(now_s, "gone"):
            return False
        if self._due_s is not None and self._due_s > now_s:
            return True
        try:
            self._server.start()
        except EmbeddedServerError as error:
            return self._failed(now_s, str(error))
        self._due_s = None
        return True

    def _failed(self, now_s: float, how: str) -> bool:
        pause_s = self._crashes.add(now_s)
        if pause_s is None and self._server.is_needed:
            _log.error(
                "giving up: crashed too often within a minute",
                process=self._server.name,
                how=how,
                limit=self._limit,
            )
            return False
        if pause_s is None:
            pause_s = LONGEST_PAUSE_S
        elif self._crashes.is_first:
            # At once: workers wait for it, and its data is there.
            pause_s = 0.0
        _log.warning(
            "crashed; starting it again",
            process=self._server.name,
            how=how,
            pause_s=pause_s,
        )
        self._due_s = now_s + pause_s
        return True
