"""
The newest policy a worker has seen (design 3).
"""

import asyncio

from gateway.domain.policy import Policy
from gateway.engine.ports import Readings


class Policies:
    """
    Keep one immutable policy, and load a newer one when the books tell of it.
    """

    def __init__(self, readings: Readings, first: Policy) -> None:
        self._readings = readings
        self._current = first
        self._lock = asyncio.Lock()

    @property
    def current(self) -> Policy:
        """
        The newest policy seen.
        """
        return self._current

    async def at_least(self, version: int) -> Policy:
        """
        Give a policy no older than `version`.

        Raises:
            BooksUnavailableError: the books cannot be reached.

        """
        if self._current.version < version:
            async with self._lock:
                await self._load(version)
        return self._current

    async def refresh(self) -> Policy:
        """
        Give the policy in force now. One question is under way at a time.

        Raises:
            BooksUnavailableError: the books cannot be reached.

        """
        return await self.at_least(await self._readings.policy_version())

    async def _load(self, version: int) -> None:
        """
        Load it, unless who held the lock before has done so.
        """
        if self._current.version < version:
            loaded = await self._readings.load_policy(self._current)
            if loaded.version > self._current.version:
                self._current = loaded
