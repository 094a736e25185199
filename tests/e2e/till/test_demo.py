"""
`scrip demo`, from an empty folder to its summary.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_RUN_S = 110


@pytest.fixture
def folder() -> Iterator[Path]:
    """
    Give a folder whose sockets have short paths, and which any account may enter.
    """
    place = Path(tempfile.mkdtemp(prefix="demo"))
    place.chmod(0o755)
    yield place / "d"
    shutil.rmtree(place)


def test_two_days_of_trade(folder: Path) -> None:
    """
    Two days of real purchases end with clean books and equal sums, to the cent.
    """
    scrip = Path(sys.executable).with_name("scrip")

    run = subprocess.run(
        [scrip, "demo", "--days", "2", "--folder", folder],
        env={**os.environ, "DEMO_ONCE": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN_S,
        check=False,
    )

    assert 0 == run.returncode, run.stdout + run.stderr
    facts = json.loads((folder / "summary.json").read_text())
    assert facts["good"]
    assert facts["books_clean"]
    assert [] == facts["differences"]
    assert {"sales": 458, "cents": 15_541_30} == facts["source"] == facts["recorded"]
    assert 1 == facts["empty_purchases_refused"]
    assert {"INVALID_AMOUNT": 1} == {
        name: count
        for name, count in facts["answers"]["Redeem"].items()
        if name not in {"APPROVED", "ALREADY_REVERSED"}
    }
    assert facts["replays"] > 0
    assert facts["answers"]["Reverse"]["ORIGINAL_NOT_FOUND"] > 0
    assert not (folder / "data" / "serving.json").exists()
