"""
The worker process: what it refuses, and how it ends.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from scrip.v1 import card_service_pb2 as pb
from tests.support.server import ROOT, Gateway
from tests.support.tills import (
    card_maker,
    fault,
    fault_of,
    money,
    open_tills,
    request_of,
)

StartGateway = Callable[..., Gateway]

RETRIES = """{"methodConfig":[{"name":[{"service":"scrip.v1.CardService"}],
"retryPolicy":{"maxAttempts":5,"initialBackoff":"0.02s","maxBackoff":"0.5s",
"backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE","CANCELLED"]}}]}"""


def run_worker(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """
    Run a worker that must end by itself.
    """
    return subprocess.run(
        [sys.executable, "-m", "gateway.worker"],
        env=environment,
        cwd=ROOT,
        timeout=30,
        check=False,
        capture_output=True,
        text=True,
    )


def handshake(gateway: Gateway, version: ssl.TLSVersion) -> str | None:
    """
    Shake hands as a till does, in one version of TLS; give the version, or None.
    """
    pair = gateway.register("till-1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    context.load_verify_locations(cadata=gateway.authority.certificate_pem.decode())
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder) / "key", Path(folder) / "certificate"
        pair.write(key, certificate)
        context.load_cert_chain(certificate, key)
    address = ("127.0.0.1", gateway.port)
    with socket.create_connection(address, timeout=5) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                return secure.version()
        except ssl.SSLError:
            return None


def test_only_tls_1_3_is_spoken(gateway_process: Gateway) -> None:
    """
    A handshake in TLS 1.2 fails, one in 1.3 succeeds.
    """
    assert handshake(gateway_process, ssl.TLSVersion.TLSv1_2) is None
    assert handshake(gateway_process, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


def test_wrong_settings_stop_the_start(start_gateway: StartGateway) -> None:
    """
    All faults are listed, with the exit code that a supervisor does not repeat.
    """
    gateway = start_gateway(workers=0)
    done = run_worker(
        {
            **gateway.environment,
            "SCRIP_GRPC__PORT": "99999",
            "SCRIP_LANE__QUEUE_LIMITS": "1",
        }
    )

    assert done.returncode == 78
    assert "SCRIP_GRPC__PORT" in done.stderr
    assert "SCRIP_LANE__QUEUE_LIMITS" in done.stderr


def test_a_shifted_clock_stops_the_start(start_gateway: StartGateway) -> None:
    """
    Books with a shifted clock are served from a folder for tests only.
    """
    gateway = start_gateway(workers=0)
    gateway.shift_clock(timedelta(days=30))
    gateway.start()
    gateway.stop()
    (gateway.folder / "TEST_OR_DEMO").unlink()
    environment = {**gateway.environment}
    del environment["SCRIP_TEST__FAULT_POINTS"]
    done = run_worker(environment)

    assert done.returncode == 78
    assert "the clock of these books is shifted by 30 days" in done.stderr


def test_books_that_never_come_stop_the_start(start_gateway: StartGateway) -> None:
    """
    A worker that cannot reach its books ends with 1, to be started again.
    """
    gateway = start_gateway(workers=0)
    done = run_worker(
        {
            **gateway.environment,
            "SCRIP_POSTGRES__URL": "postgresql://scrip_gateway@127.0.0.1:1/scrip",
            "SCRIP_SUPERVISOR__READY_TIMEOUT_S": "2",
        }
    )

    assert done.returncode == 1
    assert "the books do not answer" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_drain_under_load(
    start_gateway: StartGateway, number: signal.Signals
) -> None:
    """
    One of two workers is told to stop: tills with the guide's retries see no failure.
    """
    gateway = start_gateway(workers=2)
    options = (("grpc.service_config", RETRIES), ("grpc.enable_retries", 1))
    async with open_tills(gateway) as tills:
        cards = [await card_maker(tills)() for _ in range(4)]
        mine = [
            await tills("till-1", worker=1 + number_ % 2, options=options)
            for number_ in range(4)
        ]
        done = asyncio.Event()

        async def sell(turn: int) -> int:
            sold = 0
            while not done.is_set():
                request = request_of(
                    "Redeem",
                    card_number=cards[turn % 4].number,
                    amount=money(1),
                )
                await mine[turn % 4].send("Redeem", request, wait_for_ready=True)
                sold += 1
            return sold

        sellers = [asyncio.create_task(sell(turn)) for turn in range(16)]
        await asyncio.sleep(0.3)
        gateway.processes[1].send_signal(number)
        code = await asyncio.to_thread(gateway.wait_until_gone, 1)
        await asyncio.sleep(0.2)
        done.set()
        sold = sum(await asyncio.gather(*sellers))

    assert code == 0
    assert sum(400_00 // 4 - gateway.balance_of(card) for card in cards) == sold


async def test_a_stream_is_drained(start_gateway: StartGateway) -> None:
    """
    A stream on a worker that stops ends UNAVAILABLE, NOT_APPLIED; what it had is there.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        till = await tills("till-1")
        stream = till.stream()
        sale = request_of("Redeem", card_number=card.number, amount=money(1_00))
        await stream.write(pb.TransactRequest(sequence=1, redeem=sale))
        first = await stream.read()
        stopped = asyncio.create_task(asyncio.to_thread(gateway.stop))
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await stream.read()
        code = await stopped

    end = fault_of(ended.value)
    assert first.redeem.outcome.response_code == "00"
    assert (end.code, end.reason) == (grpc.StatusCode.UNAVAILABLE, "NOT_APPLIED")
    assert code == 0


async def test_a_deadline_that_was_over_in_the_queue(
    start_gateway: StartGateway,
) -> None:
    """
    What waits behind a held batch for too long is never decided.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        till = await tills("till-1")
        gateway.order_fault("before_commit", "hold")
        first = asyncio.ensure_future(till.redeem(card, 1_00))
        await asyncio.sleep(0.3)
        sale = request_of("Redeem", card_number=card.number, amount=money(2_00))
        late = await fault(till.send("Redeem", sale, timeout_s=0.2))
        (gateway.folder / "faults" / "worker-1.go").touch()
        told = await first
        asked = await fault(till.transaction(sale.request_id))

    assert late.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert told.available_balance.minor_units == 99_00
    assert asked.metadata == {"final": "false"}
    assert gateway.balance_of(card) == 99_00
