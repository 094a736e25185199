"""
`scrip serve` as a program of its own, on stores that it starts, with tills on it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner, Result

from gateway.console.root import app
from tests.support.server import ROOT

START_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 30

_SHOP: Final = (
    "program create --code gift --name Gift --time-zone UTC",
    "merchant create --code nile --name Nile --program gift",
    "store create nile/one --country EG --time-zone Africa/Cairo --currency USD",
    "product create gift/standard --currency USD",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serve:
    """
    A run of `scrip serve`.
    """

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def aside(self) -> Path:
        """
        Name a folder for what is not its own: its log, the till's files.
        """
        return self.folder / "aside"

    @property
    def facts(self) -> dict[str, Any]:
        """
        Read where it serves.
        """
        text = (self.folder / "serving.json").read_text(encoding="utf-8")
        facts: dict[str, Any] = json.loads(text)
        return facts

    def serves(self) -> bool:
        """
        Tell whether it has said that it serves.
        """
        try:
            return bool(self.facts["pid"] == self.process.pid)
        except FileNotFoundError:
            return False

    def log(self) -> str:
        """
        Read what it has said.
        """
        log_path = self.aside / "serve.log"
        return log_path.read_text(encoding="utf-8", errors="replace")

    def scrip(self, *words: str | Path, stdin: str = "", **more: str) -> Result:
        """
        Run a command beside it; in this process, because a start takes a second.
        """
        return CliRunner().invoke(
            app,
            ["--data-folder", str(self.folder), *map(str, words)],
            input=stdin,
            env={"COLUMNS": "200", "TERM": "dumb", **more},
        )

    def open_shop(self, *, cards: int) -> list[str]:
        """
        Create a programme, a store with a till, and cards; give the cards' numbers.
        """
        out = self.aside / "cards.csv"
        more = (
            f"terminal create nile/one/till-1 --out {self.aside / 'till'}",
            f"card create --product gift/standard --count {cards} --out {out}",
        )
        for words in (*_SHOP, *more):
            done = self.scrip(*words.split())
            assert done.exit_code == 0, done.stderr
        return [line.split(",")[1] for line in out.read_text().splitlines()[1:]]

    def till(self, *words: str, number: str = "") -> Result:
        """
        Be the shop's till.
        """
        files = self.aside / "till" / "nile" / "one" / "till-1"
        return self.scrip(
            "till",
            *words,
            stdin=f"{number}\n",
            TILL_ADDRESS=self.facts["address"],
            TILL_CERT=str(files / "device.crt"),
            TILL_KEY=str(files / "device.key"),
            TILL_CA=str(files / "ca.crt"),
        )


@contextmanager
def serving(folder: Path, *words: str, **settings: str) -> Iterator[Serve]:
    """
    Run it until it serves; end it afterwards, however the test went.
    """
    run = begin(folder, *words, **settings)
    try:
        wait_until(lambda: run.serves() or run.process.poll() is not None)
        assert run.serves(), run.log()[-4000:]
        yield run
    finally:
        end(run)


def begin(folder: Path, *words: str, **settings: str) -> Serve:
    """
    Start it, and do not wait.
    """
    kept = {name: value for name, value in os.environ.items() if "SCRIP_" not in name}
    environment = {
        **kept,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
        "SCRIP_GRPC__DRAIN_NOTICE_MS": "0",
        **{f"SCRIP_{name}": value for name, value in settings.items()},
    }
    aside = folder / "aside"
    aside.mkdir(exist_ok=True)
    with (aside / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [*_scrip(folder), "serve", "--port", "0", *words],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    return Serve(folder=folder, process=process)


def end(run: Serve) -> int:
    """
    Stop it in order; give its exit code.
    """
    if run.process.poll() is None:
        run.process.terminate()
    return run.process.wait(STOP_TIMEOUT_S)


def wait_until(
    holds: Callable[[], bool], *, timeout_s: float = START_TIMEOUT_S
) -> None:
    """
    Wait until something holds.
    """
    limit = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.02)


def _scrip(folder: Path) -> list[str]:
    return [sys.executable, "-m", "gateway.cli", "--data-folder", str(folder)]
