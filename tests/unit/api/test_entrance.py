"""
A device that was registered a moment ago gets in; strangers cannot load the books.
"""

import asyncio
from dataclasses import replace

import pytest

from gateway.api import entrance
from gateway.api.entrance import Entrance
from gateway.domain.errors import (
    DependencyError,
    DeviceDeniedError,
    TerminalDeniedError,
)
from gateway.domain.ids import TerminalId
from gateway.domain.policy import Caller, Policy
from gateway.engine.ports import BooksUnavailableError
from tests.support import wire, world
from tests.support.wire import KnownPolicies, policy_with_devices

TILL = Caller(wire.DEVICE, wire.SHA256)
CONTROLLER = Caller(wire.CONTROLLER, wire.SHA256)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "REFRESH_SPACING_S", 0.01)


async def test_a_known_till_passes_without_a_question() -> None:
    """
    A TERMINAL speaks for its own terminal, named or not; the books are not asked.
    """
    policies = KnownPolicies(policy_with_devices())
    door = Entrance(policies)

    await door.require_device(TILL)

    assert await door.terminal_of(TILL, "") == world.TERMINAL
    assert await door.terminal_of(TILL, "t-1") == world.TERMINAL
    assert await door.sibling_of(TILL, "t-1") == world.TERMINAL
    assert await door.terminal_of(CONTROLLER, "t-1") == world.TERMINAL
    assert policies.refreshed == 0


async def test_a_device_of_a_moment_ago_passes() -> None:
    """
    An unknown device is looked up in the newest policy before it is refused.
    """
    policies = KnownPolicies(world.policy(), policy_with_devices(version=2))

    assert await Entrance(policies).terminal_of(TILL, "") == world.TERMINAL
    assert policies.refreshed == 1


async def test_a_terminal_of_a_moment_ago_passes() -> None:
    """
    So is a terminal that a controller names.
    """
    newer = policy_with_devices(version=2)
    newer = replace(newer, terminal_ids={(world.STORE, "t-2"): TerminalId(2)})
    policies = KnownPolicies(policy_with_devices(), newer)
    door = Entrance(policies)

    assert await door.sibling_of(TILL, "t-2") == TerminalId(2)
    assert await door.terminal_of(CONTROLLER, "t-2") == TerminalId(2)


@pytest.mark.parametrize(
    ("rules", "caller"),
    [
        (world.policy(), TILL),
        (policy_with_devices(revoked=True), TILL),
        (policy_with_devices(sha256=b"\x06" * 32), TILL),
    ],
    ids=["unknown", "revoked", "certificate taken back"],
)
async def test_a_stranger_is_refused(rules: Policy, caller: Caller) -> None:
    """
    Unknown and revoked devices are refused, after one more look.
    """
    policies = KnownPolicies(rules)
    door = Entrance(policies)

    with pytest.raises(DeviceDeniedError):
        await door.terminal_of(caller, "")
    with pytest.raises(DeviceDeniedError):
        await door.require_device(caller)
    assert policies.refreshed == 2


@pytest.mark.parametrize(("caller", "code"), [(TILL, "t-2"), (CONTROLLER, "")])
async def test_a_foreign_terminal_is_refused(caller: Caller, code: str) -> None:
    """
    A TERMINAL names no other terminal, and a CONTROLLER names one.
    """
    door = Entrance(KnownPolicies(policy_with_devices()))

    with pytest.raises(TerminalDeniedError):
        await door.terminal_of(caller, code)


async def test_strangers_share_one_question() -> None:
    """
    A hundred refusals at once ask the books once, and a second wave once more.
    """
    policies = KnownPolicies(world.policy())
    door = Entrance(policies)

    for _ in range(2):
        tries = [door.terminal_of(TILL, "") for _ in range(100)]
        faults = await asyncio.gather(*tries, return_exceptions=True)
        assert {type(fault) for fault in faults} == {DeviceDeniedError}

    assert policies.refreshed == 2


async def test_who_comes_during_a_question_gets_the_next() -> None:
    """
    A question that was under way may be too old for a device registered meanwhile.
    """
    asked = asyncio.Event()
    go_on = asyncio.Event()

    class SlowPolicies(KnownPolicies):
        async def refresh(self) -> Policy:
            seen = self.newer
            self.refreshed += 1
            asked.set()
            await go_on.wait()
            self.current = seen or self.current
            return self.current

    policies = SlowPolicies(world.policy())
    door = Entrance(policies)
    early = asyncio.create_task(door.terminal_of(TILL, ""))
    await asked.wait()
    policies.newer = policy_with_devices(version=2)
    late = asyncio.create_task(door.terminal_of(TILL, ""))
    await asyncio.sleep(0)
    go_on.set()

    with pytest.raises(DeviceDeniedError):
        await early
    assert await late == world.TERMINAL
    assert policies.refreshed == 2


async def test_books_that_cannot_be_asked_refuse_nobody() -> None:
    """
    Without the books an unknown device is told to ask again, not that it is unknown.
    """

    class LostPolicies(KnownPolicies):
        async def refresh(self) -> Policy:
            message = "no connection"
            raise BooksUnavailableError(message)

    with pytest.raises(DependencyError):
        await Entrance(LostPolicies(world.policy())).terminal_of(TILL, "")


async def test_a_caller_who_leaves_takes_nobody_along() -> None:
    """
    A cancelled call does not cancel the question that others wait for.
    """
    policies = KnownPolicies(world.policy(), policy_with_devices(version=2))
    door = Entrance(policies)
    leaving = asyncio.create_task(door.terminal_of(TILL, ""))
    staying = asyncio.create_task(door.terminal_of(TILL, ""))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == world.TERMINAL
    assert leaving.cancelled()
