"""
Whether a process still runs, whoever its parent is.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """
    Tell whether a process runs; one that only waits to be buried does not.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        # No such files on this system, or gone since.
        return not Path("/proc/self/stat").exists()


def are_gone(pids: Iterable[int], timeout_s: float = 10) -> bool:
    """
    Wait until none of the processes runs; tell whether that came.
    """
    rest = list(pids)
    deadline_s = time.monotonic() + timeout_s
    while (rest := [pid for pid in rest if is_alive(pid)]) and (
        time.monotonic() < deadline_s
    ):
        time.sleep(0.005)
    return not rest
