"""
The load generator of the benchmark, with the moment of every answer.

Reads its orders from standard input and writes what it saw to standard output, like
`loadtests.bench.generator`. Moments are on the system's monotonic clock, which all
processes share.
"""

import json
import sys
import time
from typing import Any

import uvloop

from loadtests.bench.generator import Load


class Timeline(Load):
    """
    Load that remembers when each answer came.
    """

    def __init__(self, orders: dict[str, Any]) -> None:
        super().__init__(orders)
        self._moments_s: list[float] = []

    def _on_message(self, number: int, opened: int, payload: bytes) -> None:
        super()._on_message(number, opened, payload)
        if len(self._latencies) > len(self._moments_s):
            self._moments_s.append(time.monotonic())

    def _report(self, elapsed: float, used: float) -> dict[str, Any]:
        return super()._report(elapsed, used) | {
            "moments_s": self._moments_s,
            "latencies_s": self._latencies,
        }


async def _main() -> None:
    report = await Timeline(json.load(sys.stdin)).run()
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
