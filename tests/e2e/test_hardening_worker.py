"""
A worker that cannot serve: it says why, and ends when it is told to.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import grpc

from gateway.runtime.data_folder import TEST_MARKER, DataFolder
from gateway.vault.pki import LocalAuthority
from tests.support.server import ROOT, Gateway
from tests.support.tills import card_maker, fault, new_id, open_tills

StartGateway = Callable[..., Gateway]


def test_a_worker_that_waits_for_its_books_can_be_stopped(
    start_gateway: StartGateway,
) -> None:
    """
    SIGTERM ends it at once, in order, and not when it gives the books up.
    """
    gateway = start_gateway(workers=0)
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.worker"],
        env={
            **gateway.environment,
            "SCRIP_POSTGRES__URL": "postgresql://scrip_gateway@127.0.0.1:1/scrip",
            "SCRIP_SUPERVISOR__READY_TIMEOUT_S": "60",
        },
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert "the books do not answer yet" in process.stderr.readline()
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        took_s = time.monotonic() - started
        rest = process.stderr.read()

    assert code == 0
    assert took_s < 5
    assert "stopped before it served" in rest


async def test_authorities_that_are_being_copied(start_gateway: StartGateway) -> None:
    """
    Half a file keeps nobody out that was let in before; whole, it is taken up.
    """
    gateway = start_gateway(workers=0)
    files = given_files(gateway)
    authorities = gateway.folder / "authorities.crt"
    gateway.environment = {**gateway.environment, **files}
    gateway.start()
    for content in (b"", b"no certificate", gateway.authority.certificate_pem[:300]):
        authorities.write_bytes(content)
        async with open_tills(gateway) as tills:
            asked = await fault((await tills()).transaction(new_id()))
        assert asked.code is grpc.StatusCode.NOT_FOUND
    other = LocalAuthority.open_or_create(gateway.folder / "other")
    authorities.write_bytes(other.certificate_pem)
    async with open_tills(gateway) as tills:
        refused = await fault((await tills()).transaction(new_id()))
    gateway.stop()

    assert refused.code is grpc.StatusCode.UNAVAILABLE


def test_authorities_that_are_none_stop_the_start(start_gateway: StartGateway) -> None:
    """
    A worker that would let nobody in refuses to start, and names the file.
    """
    gateway = start_gateway(workers=0)
    files = given_files(gateway)
    authorities = gateway.folder / "authorities.crt"
    authorities.write_bytes(b"no certificate")
    done = run_worker({**gateway.environment, **files})

    assert done.returncode == 78
    assert f"{authorities} is not certificates in PEM" in done.stderr


async def test_the_key_ring_of_other_books(start_gateway: StartGateway) -> None:
    """
    A ring that did not write these books is refused, also one that was just made.
    """
    gateway = start_gateway(workers=0)
    (gateway.folder / TEST_MARKER).unlink()
    gateway.environment = {**gateway.environment, "SCRIP_TEST__FAULT_POINTS": ""}
    gateway.start()
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
    gateway.stop()
    ring = DataFolder(gateway.folder).key_ring_path
    away = ring.with_name("away.json")
    ring.rename(away)
    done = run_worker(gateway.environment)
    moved = run_worker(
        {**gateway.environment, "SCRIP_KEY_RING_FILE": str(away)},
        stop_at='"event":"serving"',
    )
    away.replace(ring)
    gateway.start()
    async with open_tills(gateway) as tills:
        told = await (await tills()).balance(card)
    gateway.stop()

    assert done.returncode == 78
    assert f"{ring} is not the key ring that these books were written with" in (
        done.stderr
    )
    assert moved.returncode == 0
    assert told.response_code == "00"


def run_worker(
    environment: Mapping[str, str], stop_at: str | None = None
) -> subprocess.CompletedProcess[str]:
    """
    Run a worker until it ends, or until it has said something and is stopped.
    """
    command = [sys.executable, "-m", "gateway.worker"]
    said = ""
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said += line
            if stop_at is not None and stop_at in line:
                process.terminate()
        process.wait(30)
    return subprocess.CompletedProcess(command, process.returncode, stderr=said)


def given_files(gateway: Gateway) -> dict[str, str]:
    """
    Make the files that an operator names, and the settings that name them.
    """
    folder = gateway.folder
    pair = gateway.authority.issue_server(["localhost", "127.0.0.1"])
    pair.write(folder / "own.key", folder / "own.crt")
    (folder / "authorities.crt").write_bytes(gateway.authority.certificate_pem)
    return {
        "SCRIP_GRPC__CERTIFICATE_FILE": str(folder / "own.crt"),
        "SCRIP_GRPC__PRIVATE_KEY_FILE": str(folder / "own.key"),
        "SCRIP_GRPC__CLIENT_CA_FILE": str(folder / "authorities.crt"),
    }
