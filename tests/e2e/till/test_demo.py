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
from typing import Any

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


def test_four_days_of_trade(folder: Path) -> None:
    """
    Real purchases end with clean books and equal sums, to the cent; stories as told.

    Four days have room for all stories: a restaurant, a kiosk that was offline, a lost
    card, a canteen, a bookshop, and a till of two messages.
    """
    scrip = Path(sys.executable).with_name("scrip")

    run = subprocess.run(
        [scrip, "demo", "--days", "4", "--folder", folder],
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
    assert {"sales": 869, "cents": 29_739_27} == facts["source"] == facts["recorded"]
    assert 4 == facts["empty_purchases_refused"]
    assert {"INVALID_AMOUNT": 4} == {
        name: count
        for name, count in facts["answers"]["Redeem"].items()
        if name not in {"APPROVED", "ALREADY_REVERSED"}
    }
    assert facts["replays"] > 0
    assert facts["answers"]["Reverse"]["ORIGINAL_NOT_FOUND"] > 0
    assert not (folder / "data" / "serving.json").exists()
    _check_stories(facts["stories"])


def _check_stories(stories: dict[str, Any]) -> None:
    """
    Compare what the summary tells of the stories with what was counted by hand.
    """
    restaurant, lost = stories["restaurant"], stories["lost card"]
    assert {
        "APPROVED": 6,
        "AUTHORIZATION_EXPIRED": 1,
        "EXCEEDS_AUTHORIZED": 1,
        "INSUFFICIENT_FUNDS": 1,
    } == restaurant["answers"]["Capture"]
    # KWD 27.500 at 3.2520, of USD 200.00.
    assert 110_57 == restaurant["cards"]["guest 1"]
    assert {"APPROVED": 2, "CARD_CLOSED": 1, "LOST_CARD": 1} == lost["answers"][
        "Redeem"
    ]
    assert 0 == lost["cards"]["owner"]
    assert 112_39 == lost["cards"]["owner's new card"]
    assert {"APPROVED": 4, "RESTRICTED_CARD": 4} == stories["canteen"]["answers"][
        "Redeem"
    ]
    assert {
        "APPROVED": 3,
        "CURRENCY_NOT_SUPPORTED": 1,
        "INVALID_AMOUNT": 1,
    } == stories["bookshop"]["answers"]["Refund"]
    assert [
        ("ADVICE_NOT_PAID", "INSUFFICIENT_FUNDS", 5_492),
        ("ADVICE_NOT_PAID", "LIMIT_EXCEEDED", 7_500),
        ("ADVICE_NOT_PAID", "CARD_NOT_ACTIVE", 6_000),
    ] == [
        (each["kind"], each["reason"], each["minor_units"])
        for each in stories["kiosk"]["exceptions"]
    ]
    (forgotten,) = stories["two messages"]["exceptions"]
    assert "UNCONFIRMED" == forgotten["kind"]
