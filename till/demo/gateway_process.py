"""
Start the gateway, wait until tills can reach it, and stop it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from asyncio.subprocess import Process
from pathlib import Path
from typing import Final

from till.demo.folder import SERVING_FILE, DemoError
from till.demo.scrip_command import ScripCommand, stop

HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 7443
START_TIMEOUT_S: Final = 90.0
LINES_OF_LOG: Final = 20
_POLL_S: Final = 0.1


def free_port() -> int:
    """
    Give the usual port, or another where that is taken.
    """
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise DemoError(f"there is no free port on {HOST}")


class GatewayProcess:
    """
    Be the `scrip serve` that a demo started.
    """

    def __init__(self, process: Process, *, log: Path) -> None:
        self._process = process
        self._log = log
        self.address = ""

    @classmethod
    async def start(
        cls, scrip: ScripCommand, *, workers: int, log: Path
    ) -> GatewayProcess:
        """
        Start it on embedded stores, and wait until all workers serve.
        """
        process = await scrip.serve(
            *("serve", "--demo", "--workers", str(workers)),
            *("--host", HOST, "--port", str(free_port())),
            log=log,
        )
        gateway = cls(process, log=log)
        try:
            gateway.address = await gateway._wait_until_serving(scrip.data_folder)
        except BaseException:
            await stop(process)
            raise
        return gateway

    async def wait(self) -> int:
        """
        Wait until it ends by itself.
        """
        return await self._process.wait()

    async def stop(self) -> None:
        """
        Let it drain and end.
        """
        await stop(self._process)

    def require_alive(self) -> None:
        """
        Say what its log says when it has ended.
        """
        if self._process.returncode is None:
            return
        text = self._log.read_text(encoding="utf-8", errors="replace")
        end = "\n".join(text.splitlines()[-LINES_OF_LOG:])
        raise DemoError(
            f"the gateway ended with {self._process.returncode}; "
            f"the end of {self._log}:\n{end}"
        )

    async def _wait_until_serving(self, data_folder: Path) -> str:
        """
        Wait for the file that `scrip serve` writes when it serves; give its address.
        """
        file = data_folder / SERVING_FILE
        give_up = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < give_up:
            self.require_alive()
            if await asyncio.to_thread(file.exists):
                facts = json.loads(await asyncio.to_thread(file.read_text, "utf-8"))
                return str(facts["address"])
            await asyncio.sleep(_POLL_S)
        raise DemoError(
            f"the gateway did not serve within {START_TIMEOUT_S:g} s; see {self._log}"
        )
