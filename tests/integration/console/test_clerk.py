"""
The clerk as a program: `scrip serve` keeps one running, `scrip clerk` is another.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway.runtime.logging import close_logging
from tests.architecture.tree import ROOT
from tests.integration.console.test_serve import environment, serving

LIMIT_S = 30
STOP_S = 20


@pytest.fixture(autouse=True)
def _logs_of_this_process_end() -> Iterator[None]:
    """
    Close what ran in the test's own process.
    """
    yield
    close_logging()


def clerk_of(serve: subprocess.Popen[str], *, other_than: int = 0) -> int:
    """
    Wait for the clerk below a supervisor; give its process id.
    """
    limit = time.monotonic() + LIMIT_S
    while time.monotonic() < limit:
        for process in psutil.Process(serve.pid).children():
            if "gateway.clerk" in process.cmdline() and process.pid != other_than:
                return int(process.pid)
        time.sleep(0.05)
    raise AssertionError("no clerk runs")


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
