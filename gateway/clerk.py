"""
The clerk's process: `python -m gateway.clerk`.

It releases the holds that nobody touches when their time is over. Settings come from
the environment. It says that it is ready through `--ready-fd`, and ends on SIGTERM when
what it had begun is committed.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

import uvloop

from gateway.bootstrap.assembly import RefusedStartError, connect_stores
from gateway.bootstrap.clerk_assembly import ClerkWork, assemble_clerk
from gateway.engine.ports import BooksUnavailableError
from gateway.runtime.core_dumps import forbid_core_dumps
from gateway.runtime.endings import ended_before, why_ended
from gateway.runtime.logging import configure_logging, get_logger
from gateway.runtime.metrics import Metrics, serve_metrics
from gateway.runtime.processes import (
    CONFIGURATION_EXIT_CODE,
    READY_OPTION,
    announce_ready,
)
from gateway.runtime.settings import Settings, SettingsError, load_settings
from gateway.vault.errors import VaultError

_SECOND_S: Final = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run a clerk with the settings of the environment; give its exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m gateway.clerk")
    parser.add_argument(READY_OPTION, type=int, dest="ready_descriptor")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIGURATION_EXIT_CODE
    return run_clerk(settings, options.ready_descriptor)


def run_clerk(settings: Settings, ready_descriptor: int | None = None) -> int:
    """
    Run a clerk until SIGTERM or SIGINT; give its exit code.
    """
    forbid_core_dumps()
    configure_logging(settings.logging, worker="clerk")
    return uvloop.run(_Process(settings, ready_descriptor).run())


class _Process:
    """
    The life of a clerk: connect, work, drain.
    """

    def __init__(self, settings: Settings, ready_descriptor: int | None) -> None:
        self._settings = settings
        self._ready_descriptor = ready_descriptor
        self._log = get_logger("clerk")
        self._metrics = Metrics()

    async def run(self) -> int:
        """
        Run to the end; give the exit code.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        connecting = asyncio.create_task(connect_stores(self._settings, self._metrics))
        if not await ended_before(connecting, stop):
            self._log.info("stopped before it worked")
            return 0
        try:
            stores = await connecting
            work = await assemble_clerk(self._settings, self._metrics, stores)
        except (RefusedStartError, VaultError) as error:
            self._log.critical("start refused", why=str(error))
            return CONFIGURATION_EXIT_CODE
        except BooksUnavailableError as error:
            self._log.critical("the books do not answer", why=str(error))
            return 1
        return await self._work(work, stop)

    async def _work(self, work: ClerkWork, stop: asyncio.Event) -> int:
        lane = asyncio.create_task(work.lane.run(), name="lane")
        clerk = asyncio.create_task(work.clerk.run(), name="clerk")
        stop_metrics = self._start_metrics()
        gc.collect()
        gc.freeze()
        self._log.info("working", pid=os.getpid())
        if self._ready_descriptor is not None:
            announce_ready(self._ready_descriptor)
        stopped = asyncio.create_task(stop.wait())
        tasks = (lane, clerk)
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        crashed = [task for task in tasks if task.done()]
        for task in crashed:
            self._log.critical(
                "a task ended; stopping", task=task.get_name(), exc_info=why_ended(task)
            )
        self._log.info("draining")
        late = await self._drain(work, lane, clerk)
        await work.close()
        if stop_metrics is not None:
            stop_metrics()
        self._log.info("stopped", unfinished=late)
        return 1 if crashed or late else 0

    async def _drain(
        self, work: ClerkWork, lane: asyncio.Task[None], clerk: asyncio.Task[None]
    ) -> int:
        """
        Let what had begun be committed; give how many tasks did not end in time.
        """
        limit_s = self._settings.lane.resolve_timeout_ms / 1_000 + _SECOND_S
        work.clerk.stop()
        _, late = await asyncio.wait([clerk], timeout=limit_s)
        work.lane.drain()
        _, later = await asyncio.wait([lane], timeout=limit_s)
        return len(late) + len(later)

    def _start_metrics(self) -> Callable[[], None] | None:
        """
        Serve the figures on the port after those of the workers.
        """
        first_port = self._settings.metrics.port
        if first_port is None:
            return None
        return serve_metrics(self._metrics, first_port + self._settings.workers)


if __name__ == "__main__":
    sys.exit(main())
