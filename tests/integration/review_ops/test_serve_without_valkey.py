"""
Losing the embedded Valkey for good does not stop a sale, nor the gateway.
"""

import os
import signal
from pathlib import Path

import pytest

from tests.support.serve_process import serving, wait_until

pytestmark = pytest.mark.timeout(120)


def test_a_valkey_that_cannot_come_back(seeded_folder: Path) -> None:
    """
    Its folder is unusable when it dies: tills sell on, and it is back once it can be.
    """
    with serving(seeded_folder, "--demo") as run:
        (number,) = run.open_shop(cards=1)
        assert run.till("activate", number=number).exit_code == 0
        place, away = seeded_folder / "valkey", seeded_folder / "valkey.away"
        place.rename(away)
        place.write_text("no folder", encoding="utf-8")
        pid_file = seeded_folder / "valkey.pid"
        first_pid = int(pid_file.read_text())
        os.kill(first_pid, signal.SIGKILL)
        wait_until(lambda: "cannot start the embedded valkey" in run.log())
        load = "load --amount 5.00 --currency USD"
        told = run.till(*load.split(), number=number)
        assert told.exit_code == 0, told.stderr
        place.unlink()
        away.rename(place)
        wait_until(lambda: int(pid_file.read_text()) != first_pid)
        again = run.till(*load.split(), number=number)

        assert again.exit_code == 0, again.stderr
        assert "10.00 USD" in again.stdout
        assert run.scrip("books", "check").exit_code == 0
