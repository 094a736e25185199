"""
`scrip serve` told to end at an odd moment leaves nothing behind, and starts again.
"""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.serve_process import STOP_TIMEOUT_S, begin, serving, wait_until

pytestmark = pytest.mark.timeout(180)


def processes_in(folder: Path) -> list[str]:
    """
    Name the processes that work in a data folder.
    """
    found = []
    for process in psutil.process_iter(["name", "cmdline", "status"]):
        try:
            words = " ".join(process.info["cmdline"] or ())
            place = process.cwd()
        except psutil.Error:
            continue
        is_there = str(folder) in words or place.startswith(str(folder))
        if is_there and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.info["name"])
    return found


def test_a_stop_during_the_first_start(data_folder: Path) -> None:
    """
    The database is being made: that ends too, and the next start makes it anew.
    """
    run = begin(data_folder, "--demo")
    wait_until(lambda: "initdb" in processes_in(data_folder))
    run.process.send_signal(signal.SIGTERM)
    code = run.process.wait(STOP_TIMEOUT_S)
    left = processes_in(data_folder)
    with serving(data_folder, "--demo") as again:
        assert again.serves()

    assert code == 128 + signal.SIGTERM
    assert "initdb" not in left


def test_a_stop_that_is_repeated(seeded_folder: Path) -> None:
    """
    Whoever asks three times gets the end sooner; no server and no worker stays.
    """
    with serving(seeded_folder, "--demo") as run:
        for _ in range(3):
            run.process.send_signal(signal.SIGTERM)
        run.process.wait(STOP_TIMEOUT_S)
    wait_until(lambda: not processes_in(seeded_folder), timeout_s=10)
    with serving(seeded_folder, "--demo") as again:
        assert again.serves()


def test_a_supervisor_that_is_killed(seeded_folder: Path) -> None:
    """
    No store or worker outlives it on Linux, and the next start recovers the books.
    """
    with serving(seeded_folder, "--demo", "--workers", "2") as run:
        (number,) = run.open_shop(cards=1)
        told = run.till(
            "activate", "--amount", "7.00", "--currency", "USD", number=number
        )
        assert told.exit_code == 0
        run.process.kill()
        run.process.wait(STOP_TIMEOUT_S)
        if sys.platform == "linux":
            wait_until(lambda: not processes_in(seeded_folder), timeout_s=10)
    with serving(seeded_folder, "--demo") as again:
        asked = again.till("balance", number=number)
        assert again.scrip("books", "check").exit_code == 0

    assert "7.00 USD" in asked.stdout
