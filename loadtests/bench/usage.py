"""
What a set of processes used: CPU seconds and peak memory, read from outside.
"""

from collections.abc import Iterable
from typing import NamedTuple

import psutil


class Usage(NamedTuple):
    """
    CPU seconds used so far, and the peak of resident memory in bytes.

    For Postgres the peak counts shared buffers once for every process that touched
    them.
    """

    cpu_s: float
    peak_bytes: int


def tree(pid: int) -> list[psutil.Process]:
    """
    Give a process and all that descend from it.
    """
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


class Meter:
    """
    CPU of a process and its children, those included that came and went in between.

    Short-lived children are waited for by their parent, which then counts their time.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def read(self) -> Usage:
        """
        Read the sums now.
        """
        cpu = peak = 0.0
        for process in tree(self._pid):
            try:
                times = process.cpu_times()
                memory = process.memory_info()
            except psutil.NoSuchProcess:
                continue
            cpu += times.user + times.system
            cpu += times.children_user + times.children_system
            peak = max(peak, float(memory.rss))
        return Usage(cpu, int(peak))


def spent(meters: Iterable[Meter]) -> float:
    """
    Add up the CPU seconds of several process trees.
    """
    return sum(meter.read().cpu_s for meter in meters)
