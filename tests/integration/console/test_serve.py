"""
`scrip serve` as a program: it starts everything, is found, and stops in order.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typer.testing import CliRunner, Result

from gateway.books.migrate import read_migrations
from gateway.console.root import app
from gateway.console.serve import SERVING_FILE
from gateway.runtime.data_folder import DataFolder
from tests.architecture.tree import ROOT
from tests.support.kept_logging import kept_logging
from tests.support.scrip_command import Scrip

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


@pytest.fixture(autouse=True)
def _logs_of_this_process_end() -> Iterator[None]:
    """
    Undo what `serve` did to logging where it ran in the test's own process.
    """
    with kept_logging():
        yield


def environment() -> dict[str, str]:
    """
    Give an environment in which nothing of ours is set.
    """
    kept = {name: value for name, value in os.environ.items() if "SCRIP_" not in name}
    return {**kept, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}"}


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """
    Run `scrip serve` until it serves; end it afterwards, however the test went.
    """
    program = [sys.executable, "-m", "gateway.cli", "--data-folder", str(folder)]
    process = subprocess.Popen(
        [*program, "serve", "--port", "0", *words],
        env={**environment(), "SCRIP_GRPC__DRAIN_NOTICE_MS": "0"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        limit = time.monotonic() + START_TIMEOUT_S
        while not (folder / SERVING_FILE).exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < limit, "it did not serve in time"
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=STOP_TIMEOUT_S)


def facts_in(folder: Path) -> dict[str, Any]:
    """
    Read where it serves.
    """
    facts: dict[str, Any] = json.loads((folder / SERVING_FILE).read_text("utf-8"))
    return facts


def scrip(folder: Path, *words: str | Path) -> Result:
    """
    Run a command beside it, on the stores that it runs.
    """
    return CliRunner().invoke(
        app,
        ["--data-folder", str(folder), *map(str, words)],
        env={"COLUMNS": "200"},
    )


def health_of(facts: dict[str, Any], credentials: Path) -> int:
    """
    Ask for its health over mutual TLS, as a device of its own.
    """
    key, certificate, authority = (
        (credentials / name).read_bytes()
        for name in ("device.key", "device.crt", "ca.crt")
    )
    channel_credentials = grpc.ssl_channel_credentials(authority, key, certificate)
    with grpc.secure_channel(facts["address"], channel_credentials) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="scrip.v1.CardService")
        answer = stub.Check(request, timeout=10, wait_for_ready=True)
        return int(answer.status)


@pytest.mark.timeout(180)
def test_it_starts_everything_and_stops_in_order(data_folder: Path) -> None:
    """
    Commands find its books, a terminal made beside it gets in, and SIGTERM ends it all.
    """
    folder = data_folder / "books"
    with serving(folder, "--demo", "--workers", "2") as process:
        facts = facts_in(folder)
        for words in (
            "program create --code gift --name Gift --time-zone UTC",
            "merchant create --code nile --name Nile --program gift",
            "store create nile/one --country EG --time-zone Africa/Cairo",
            f"terminal create nile/one/till-1 --out {folder / 'till'}",
            "product create gift/standard --currency USD",
            "clock shift --to 2025-01-01T00:00:00Z",
            f"card create --product gift/standard --count 9 --out {folder / 'cards'}",
            "books check",
        ):
            result = scrip(folder, *words.split())
            assert 0 == result.exit_code, result.output
        place = folder / "till" / "nile" / "one" / "till-1"
        assert health_pb2.HealthCheckResponse.SERVING == health_of(facts, place)
        second = scrip(folder, "serve", "--port", "0")
        assert 1 == second.exit_code
        assert f"is in use by process {process.pid}" in second.stderr
        host, _, port = facts["address"].rpartition(":")
        other = data_folder / "other"
        taken = scrip(other, "serve", "--host", host, "--port", port)
        assert 2 == taken.exit_code
        assert "--host, --port:" in taken.stderr
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=STOP_TIMEOUT_S)

    assert 0 == process.returncode
    assert (process.pid, 2) == (facts["pid"], facts["workers"])
    assert f"Scrip serves  {facts['address']}, 2 workers" in said
    assert facts["authority_file"] in said
    assert not (folder / SERVING_FILE).exists()
    assert "no embedded postgres runs" in scrip(folder, "store", "list").stderr


def test_books_with_real_money_are_not_marked(data_folder: Path) -> None:
    """
    --demo marks a new folder only; one that is marked already stays so.
    """
    folder = DataFolder(data_folder / "books")
    folder.ensure()
    folder.key_ring_path.parent.mkdir()
    folder.key_ring_path.touch()
    result = scrip(folder.path, "serve", "--demo", "--port", "0")

    assert 1 == result.exit_code
    assert "holds books that are not marked for a demo" in result.stderr
    assert not folder.is_marked_for_tests()


def test_books_that_are_not_migrated_are_told(scrip_on_others: Scrip) -> None:
    """
    Books of one's own are not migrated behind one's back.
    """
    last = read_migrations()[-1].name
    scrip_on_others.execute(
        "delete from schema_migration where name = %(name)s", name=last
    )
    result = scrip_on_others.run("serve", "--port", "0")

    assert 1 == result.exit_code
    assert "run `scrip migrate`" in result.stderr
    assert last in result.stderr


@pytest.fixture
def scrip_on_others(scrip: Scrip, valkey_url: str) -> Scrip:
    """
    Give the command with books and Redis that somebody else runs.
    """
    return Scrip(
        environment={**scrip.environment, "SCRIP_REDIS__URL": valkey_url},
        folder=scrip.folder,
        dsn=scrip.dsn,
    )
