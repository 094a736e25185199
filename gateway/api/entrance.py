"""
Decide, before a request is read, for which terminal its caller may speak.

The engine asks again under the batch's own policy. Who is refused here may have been
registered a moment ago, so the books are asked once more before the refusal stands.
"""

import asyncio
from typing import Final

from gateway.api.ports import PolicySource
from gateway.domain.desks import Desk, colleague_of, desk_of
from gateway.domain.errors import (
    DependencyError,
    DeviceDeniedError,
    RoleDeniedError,
    TerminalDeniedError,
)
from gateway.domain.ids import TerminalId
from gateway.domain.policy import Caller, Policy
from gateway.domain.staff import StaffOperation
from gateway.engine.ports import BooksUnavailableError

# Whoever is refused waits for the next question to the books, and there are never more
# than this many a second: strangers cannot load them.
REFRESH_SPACING_S: Final = 0.1


class Entrance:
    """
    Find the terminals that requests name, in the newest policy if need be.
    """

    def __init__(self, policies: PolicySource) -> None:
        self._policies = policies
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[Policy] | None = None
        self._asked_at = float("-inf")

    async def require_device(self, caller: Caller) -> None:
        """
        Refuse a caller whose device is unknown or revoked, or who is of the staff.

        Raises:
            DeviceDeniedError, ServiceDeniedError: it is.
            DependencyError: the books cannot be asked.

        """
        try:
            self._policies.current.till_of(caller)
        except DeviceDeniedError:
            policy = await self._newer()
            policy.till_of(caller)

    async def require_staff(self, caller: Caller) -> None:
        """
        Refuse a caller whose device is unknown or revoked, or who is not of the staff.

        Raises:
            DeviceDeniedError, ServiceDeniedError: it is.
            DependencyError: the books cannot be asked.

        """
        try:
            self._policies.current.staff_of(caller)
        except DeviceDeniedError:
            policy = await self._newer()
            policy.staff_of(caller)

    async def terminal_of(self, caller: Caller, terminal_code: str) -> TerminalId:
        """
        Give the terminal a request counts for; "" stands for the device's own.

        Raises:
            DeviceDeniedError: the device is unknown or revoked.
            ServiceDeniedError: it is a staff member's.
            TerminalDeniedError: the terminal is not the device's to speak for.
            DependencyError: the books cannot be asked.

        """
        try:
            return self._policies.current.terminal_of(caller, terminal_code)
        except (DeviceDeniedError, TerminalDeniedError):
            policy = await self._newer()
            return policy.terminal_of(caller, terminal_code)

    async def sibling_of(self, caller: Caller, terminal_code: str) -> TerminalId:
        """
        Give a terminal of the caller's store.

        Raises:
            DeviceDeniedError: the device is unknown or revoked.
            ServiceDeniedError: it is a staff member's.
            TerminalDeniedError: no such terminal in the device's store.
            DependencyError: the books cannot be asked.

        """
        try:
            return self._policies.current.sibling_of(caller, terminal_code)
        except (DeviceDeniedError, TerminalDeniedError):
            policy = await self._newer()
            return policy.sibling_of(caller, terminal_code)

    async def desk_of(self, caller: Caller, operation: StaffOperation) -> Desk:
        """
        Give the desk of a staff member who may do this.

        Raises:
            DeviceDeniedError: the device is unknown or revoked.
            ServiceDeniedError: it is a till's.
            RoleDeniedError: no role of theirs permits it.
            DependencyError: the books cannot be asked.

        """
        try:
            return desk_of(self._policies.current, caller, operation)
        except (DeviceDeniedError, RoleDeniedError):
            return desk_of(await self._newer(), caller, operation)

    async def colleague_of(self, caller: Caller, name: str) -> TerminalId:
        """
        Give a desk of a staff member's own merchant.

        Raises:
            DeviceDeniedError, ServiceDeniedError: as `desk_of`.
            TerminalDeniedError: there is no such desk.
            DependencyError: the books cannot be asked.

        """
        try:
            return colleague_of(self._policies.current, caller, name)
        except (DeviceDeniedError, TerminalDeniedError):
            return colleague_of(await self._newer(), caller, name)

    async def _newer(self) -> Policy:
        """
        Give a policy that was asked for after now, together with all who wait for one.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
            # When all who waited are gone, nobody else takes note of its fault.
            self._next.add_done_callback(_take_note)
        try:
            return await asyncio.shield(self._next)
        except BooksUnavailableError as error:
            message = "the books cannot be asked about this device; ask again"
            raise DependencyError(message) from error

    async def _ask(self) -> Policy:
        loop = asyncio.get_running_loop()
        async with self._lock:
            await asyncio.sleep(self._asked_at + REFRESH_SPACING_S - loop.time())
            # Who comes from now on may know of something newer than this answer.
            self._next = None
            self._asked_at = loop.time()
            return await self._policies.refresh()


def _take_note(task: asyncio.Task[Policy]) -> None:
    if not task.cancelled():
        task.exception()
