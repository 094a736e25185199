"""
One gateway process: `python -m gateway.worker`.

Settings come from the environment. It says that it is ready through `--ready-fd`, and
ends on SIGTERM when all that had begun is answered.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import uvloop

from gateway.runtime.core_dumps import forbid_core_dumps
from gateway.runtime.endings import ended_before, why_ended
from gateway.runtime.logging import configure_logging, get_logger
from gateway.runtime.metrics import Metrics, serve_metrics
from gateway.runtime.open_files import allow_open_files
from gateway.runtime.processes import (
    CONFIGURATION_EXIT_CODE,
    READY_OPTION,
    announce_ready,
)
from gateway.runtime.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from gateway.bootstrap.assembly import Worker

# Read by gRPC as it is loaded. The one suite of TLS 1.2 that is left wants an RSA key
# and ours are ECDSA, so 1.2 fails; the suites of 1.3 are not in this list (parts A).
CIPHER_SUITES_VARIABLE: Final = "GRPC_SSL_CIPHER_SUITES"
CIPHER_SUITES: Final = "ECDHE-RSA-AES256-GCM-SHA384"

# Young objects die with their call; what lives long was frozen at the start (parts H).
_GC_THRESHOLDS: Final = (50_000, 20, 100)
_SECOND_S: Final = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one worker; give its exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m gateway.worker")
    parser.add_argument("--number", type=int, default=1, help="from 1, for logs")
    parser.add_argument(READY_OPTION, type=int, dest="ready_descriptor")
    options = parser.parse_args(arguments)
    forbid_core_dumps()
    allow_open_files()
    os.environ[CIPHER_SUITES_VARIABLE] = CIPHER_SUITES  # noqa: TID251 - gRPC reads it
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIGURATION_EXIT_CODE
    configure_logging(settings.logging, worker=f"worker-{options.number}")
    return uvloop.run(
        _Process(settings, options.number, options.ready_descriptor).run()
    )


class _Process:
    """
    The life of a worker: connect, serve, drain.
    """

    def __init__(
        self, settings: Settings, number: int, ready_descriptor: int | None
    ) -> None:
        self._settings = settings
        self._number = number
        self._ready_descriptor = ready_descriptor
        self._log = get_logger("worker")
        self._metrics = Metrics()

    async def run(self) -> int:
        """
        Run to the end; give the exit code.
        """
        # Only now, so that gRPC finds its variable.
        from gateway.bootstrap import assembly, server_files  # noqa: PLC0415
        from gateway.engine.ports import BooksUnavailableError  # noqa: PLC0415
        from gateway.vault.errors import VaultError  # noqa: PLC0415

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        connecting = asyncio.create_task(
            assembly.connect_stores(self._settings, self._metrics)
        )
        if not await ended_before(connecting, stop):
            self._log.info("stopped before it served")
            return 0
        try:
            stores = await connecting
            worker = await assembly.assemble(
                self._settings, self._metrics, stores, self._number
            )
        except (assembly.RefusedStartError, VaultError) as error:
            self._log.critical("start refused", why=str(error))
            return CONFIGURATION_EXIT_CODE
        except BooksUnavailableError as error:
            self._log.critical("the books do not answer", why=str(error))
            return 1
        keeping = asyncio.create_task(server_files.keep_server_files(self._settings))
        try:
            return await self._serve(worker, stop)
        finally:
            keeping.cancel()

    async def _serve(self, worker: "Worker", stop: asyncio.Event) -> int:
        lanes = [
            asyncio.create_task(worker.lane.run(), name="lane"),
            asyncio.create_task(worker.questions.run(), name="questions"),
        ]
        port = await worker.server.start()
        stop_metrics = self._start_metrics()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        self._log.info("serving", port=port, pid=os.getpid())
        if self._ready_descriptor is not None:
            announce_ready(self._ready_descriptor)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, *lanes], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        crashed = self._crashed(lanes)
        self._log.info("draining")
        await worker.server.drain()
        worker.lane.drain()
        worker.questions.drain()
        limit_s = self._settings.lane.resolve_timeout_ms / 1_000 + _SECOND_S
        _, late = await asyncio.wait(lanes, timeout=limit_s)
        await worker.stores.close()
        if stop_metrics is not None:
            stop_metrics()
        self._log.info("stopped", unfinished_lanes=len(late))
        return 1 if crashed or late else 0

    def _start_metrics(self) -> Callable[[], None] | None:
        first_port = self._settings.metrics.port
        if first_port is None:
            return None
        return serve_metrics(self._metrics, first_port + self._number - 1)

    def _crashed(self, lanes: Sequence[asyncio.Task[None]]) -> bool:
        """
        Tell whether a lane ended by itself, which it never should.
        """
        crashed = [lane for lane in lanes if lane.done()]
        for lane in crashed:
            self._log.critical(
                "a lane ended; stopping", lane=lane.get_name(), exc_info=why_ended(lane)
            )
        return bool(crashed)


if __name__ == "__main__":
    sys.exit(main())
