"""
The clerk as a program: `scrip serve` keeps one running, `scrip clerk` is another.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.architecture.tree import ROOT
from tests.integration.console.test_serve import environment, serving

LIMIT_S = 30
STOP_S = 20


def clerk_of(serve: subprocess.Popen[str], *, other_than: int = 0) -> int:
    """
    Wait for the clerk below a supervisor; give its process id.
    """
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        for process in psutil.Process(serve.pid).children():
            if process.pid != other_than and "gateway.clerk" in words_of(process):
                return int(process.pid)
        time.sleep(0.05)
    raise AssertionError("no clerk runs")


def words_of(process: psutil.Process) -> list[str]:
    """
    Give the words a process was started with; one that ended by now has none.
    """
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


@pytest.mark.timeout(120)
def test_a_clerk_runs_is_restarted_and_ends(data_folder: Path) -> None:
    """
    Killed, the supervisor starts it again; another beside it ends in order by itself.
    """
    folder = data_folder / "books"
    with serving(folder, "--demo") as serve:
        first = clerk_of(serve)
        psutil.Process(first).kill()
        clerk_of(serve, other_than=first)
        other = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gateway.cli",
                "--data-folder",
                str(folder),
                "clerk",
            ],
            env=environment(),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert other.stderr is not None
        lines: list[str] = []
        for line in other.stderr:
            lines.append(line)
            if '"event":"working"' in line:
                break
        other.send_signal(signal.SIGTERM)
        _, rest = other.communicate(timeout=STOP_S)
        serve.send_signal(signal.SIGTERM)
        serve.communicate(timeout=STOP_S)

    assert 0 == other.returncode, (lines, rest)
    assert '"event":"stopped"' in rest
    assert 0 == serve.returncode
