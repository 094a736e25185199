"""
A worker that cannot serve: it says why, and ends when it is told to.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.support.server import ROOT, Gateway

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
