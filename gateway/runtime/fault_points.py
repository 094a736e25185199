"""
Named places on the money path where a test may strike. Nothing happens in production.

A worker that was told to obey looks for an order at each place: a JSON file in its data
folder, one a worker, which it takes away as it strikes.

    {"point": "after_commit", "action": "kill", "count": 2, "pause_ms": 50}

strikes when the place is reached the second time after the order was given, and lets
50 ms pass first, in which answers leave the process. `kill` is SIGKILL, to itself;
`hold` waits until the file beside it that ends in `.go` exists, at most 30 s.
"""

import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HOLD_LIMIT_S: Final = 30.0

_POLL_S: Final = 0.005


class NoFaults:
    """
    Pass every place.
    """

    async def reach(self, name: str) -> None:
        """
        Do nothing.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """
    Where to strike, how, and at which time of passing.
    """

    point: str
    action: str
    count: int = 1
    pause_ms: int = 0

    def write(self, data_folder: Path, worker: int) -> None:
        """
        Give the order to a worker.
        """
        path = order_path(data_folder, worker)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        order = {
            "point": self.point,
            "action": self.action,
            "count": self.count,
            "pause_ms": self.pause_ms,
        }
        draft.write_text(json.dumps(order), encoding="utf-8")
        draft.replace(path)


def order_path(data_folder: Path, worker: int) -> Path:
    """
    Name the file of a worker's orders.
    """
    return data_folder / "faults" / f"worker-{worker}.json"


class ObeyedFaults:
    """
    Strike where the worker's order says.
    """

    def __init__(self, data_folder: Path, worker: int) -> None:
        self._path = order_path(data_folder, worker)
        self._go = self._path.with_suffix(".go")
        self._passed = 0

    async def reach(self, name: str) -> None:
        """
        Pass the place, or strike.
        """
        order = self._order()
        if order is None or order.point != name:
            return
        self._passed += 1
        if self._passed < order.count:
            return
        self._passed = 0
        self._path.unlink()
        await asyncio.sleep(order.pause_ms / 1_000)
        if order.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        async with asyncio.timeout(HOLD_LIMIT_S):
            # A file tells nobody that it was made.
            while not self._go.exists():  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
        self._go.unlink()

    def _order(self) -> FaultOrder | None:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        values: dict[str, Any] = json.loads(text)
        return FaultOrder(**values)
