"""
A worker under orders strikes where and when it is told, once.
"""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.runtime.fault_points import FaultOrder, ObeyedFaults, order_path


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """
    Note who would be killed, and how.
    """
    signals: list[int] = []

    def kill(pid: int, number: int) -> None:
        assert pid == os.getpid()
        signals.append(number)
        message = "dead"
        raise SystemError(message)

    monkeypatch.setattr(os, "kill", kill)
    return signals


async def test_without_an_order_all_is_passed(
    tmp_path: Path, killed: list[int]
) -> None:
    """
    Nothing is struck that nobody ordered, nor at another place, nor at another worker.
    """
    faults = ObeyedFaults(tmp_path, 1)
    await faults.reach("before_commit")
    FaultOrder(point="after_commit", action="kill").write(tmp_path, 1)
    await faults.reach("before_commit")
    await ObeyedFaults(tmp_path, 2).reach("after_commit")

    assert killed == []


async def test_it_strikes_at_the_time_told(tmp_path: Path, killed: list[int]) -> None:
    """
    The third time, by SIGKILL, and the order is gone.
    """
    faults = ObeyedFaults(tmp_path, 1)
    FaultOrder(point="after_commit", action="kill", count=3).write(tmp_path, 1)
    await faults.reach("after_commit")
    await faults.reach("before_commit")
    await faults.reach("after_commit")
    with pytest.raises(SystemError):
        await faults.reach("after_commit")

    assert killed == [signal.SIGKILL]
    assert not order_path(tmp_path, 1).exists()


async def test_it_holds_until_told_to_go_on(tmp_path: Path, killed: list[int]) -> None:
    """
    `hold` waits for the file beside the order.
    """
    faults = ObeyedFaults(tmp_path, 1)
    FaultOrder(point="before_commit", action="hold").write(tmp_path, 1)
    held = asyncio.create_task(faults.reach("before_commit"))
    await asyncio.sleep(0.02)
    waited = not held.done()
    order_path(tmp_path, 1).with_suffix(".go").touch()
    await asyncio.wait_for(held, 5)

    assert waited
    assert killed == []
