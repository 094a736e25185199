"""
Keep the worker processes of `scrip serve` running.

Each worker is a program of its own, never a fork: gRPC does not survive one.  A worker
that crashes is started again, with growing pauses; one that keeps crashing stops
everything, because a service manager sees that and a loop it does not.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Final

from gateway.runtime.companions import Companion, KeptCompanion
from gateway.runtime.crashes import Crashes
from gateway.runtime.leash import Program, start_leashed
from gateway.runtime.logging import get_logger
from gateway.runtime.settings_groups import SupervisorSettings

READY_OPTION: Final = "--ready-fd"

# What sysexits.h calls EX_CONFIG: another start would end the same way.
CONFIGURATION_EXIT_CODE: Final = 78

_READY: Final = b"ready\n"
_CHECK_INTERVAL_S: Final = 0.25
_KILL_TIMEOUT_S: Final = 5.0

_log = get_logger("supervisor")


class ExitCode(IntEnum):
    """
    How the supervisor ended.
    """

    STOPPED = 0
    GAVE_UP = 1
    KILLED_WORKERS = 2
    WRONG_CONFIGURATION = CONFIGURATION_EXIT_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProgram:
    """
    One worker: its name in logs, and what runs.

    `READY_OPTION` and a descriptor are added to the command; the worker hands that
    descriptor to `announce_ready` once it serves.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def announce_ready(descriptor: int) -> None:
    """
    Tell the supervisor that this worker serves now.
    """
    with suppress(BrokenPipeError):
        os.write(descriptor, _READY)
    os.close(descriptor)


class _Worker:
    """
    One worker program and the process that runs it, if one does.
    """

    def __init__(self, program: WorkerProgram, restart_limit: int) -> None:
        self.program = program
        self.crashes = Crashes(restart_limit)
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_descriptor: int | None = None
        self.is_ready = False
        self.started_s = 0.0
        self.start_due_s: float | None = 0.0

    def start(self, now_s: float) -> int:
        """
        Start the process; give the descriptor on which it will say that it is ready.
        """
        reader, writer = os.pipe()
        try:
            self.process = start_leashed(
                Program(
                    command=[*self.program.command, READY_OPTION, str(writer)],
                    environment=self.program.environment,
                    folder=Path.cwd(),
                    kept_descriptors=(writer,),
                )
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self.ready_descriptor = reader
        self.is_ready = False
        self.started_s, self.start_due_s = now_s, None
        return reader

    def send(self, number: signal.Signals) -> None:
        """
        Send a signal, if there is somebody to send it to.
        """
        if self.process is not None:
            self.process.send_signal(number)

    def is_gone(self) -> bool:
        """
        Tell whether no process runs.
        """
        return self.process is None or self.process.poll() is not None


class Supervisor:
    """
    Runs workers until it is told to stop by SIGTERM or SIGINT.
    """

    def __init__(
        self,
        programs: Sequence[WorkerProgram],
        settings: SupervisorSettings,
        *,
        companions: Sequence[Companion] = (),
        when_ready: Callable[[], None] | None = None,
    ) -> None:
        """
        Name what to run; nothing starts before `run`.

        Args:
            programs: The workers.
            settings: Bounds of restarts and waits.
            companions: Servers that run already and are kept running; not stopped.
            when_ready: Called once, when all workers serve for the first time.

        """
        limit = settings.restart_limit_per_minute
        self._workers = [_Worker(program, limit) for program in programs]
        self._companions = [KeptCompanion(server, limit) for server in companions]
        self._settings = settings
        self._when_ready = when_ready
        self._stop_signals = 0
        self._exit_code: ExitCode | None = None
        self._selector = selectors.DefaultSelector()

    def run(self) -> ExitCode:
        """
        Run until stopped or given up; from the main thread, which signals reach.
        """
        with self._signals():
            try:
                while not self._stop_signals and self._exit_code is None:
                    self._turn(time.monotonic())
            finally:
                all_ended = self._stop_workers()
        if self._exit_code is not None:
            return self._exit_code
        return ExitCode.STOPPED if all_ended else ExitCode.KILLED_WORKERS

    def _turn(self, now_s: float) -> None:
        for worker in self._workers:
            if worker.start_due_s is not None and worker.start_due_s <= now_s:
                self._selector.register(
                    worker.start(now_s), selectors.EVENT_READ, worker
                )
        self._wait(_CHECK_INTERVAL_S)
        for worker in self._workers:
            self._check(worker, time.monotonic())
        for companion in self._companions:
            if not self._stop_signals and not companion.keep(time.monotonic()):
                self._exit_code = ExitCode.GAVE_UP

    def _wait(self, timeout_s: float) -> None:
        """
        Sleep until a signal or a worker's word comes, or the time is over.
        """
        for key, _ in self._selector.select(timeout_s):
            if isinstance(key.data, _Worker):
                said = os.read(key.fd, len(_READY))
                self._forget_descriptor(key.data)
                if said == _READY:
                    self._note_ready(key.data)
            elif isinstance(key.fileobj, socket.socket):
                key.fileobj.recv(4096)

    def _note_ready(self, worker: _Worker) -> None:
        worker.is_ready = True
        took_ms = round((time.monotonic() - worker.started_s) * 1000)
        _log.info("worker ready", process=worker.program.name, took_ms=took_ms)
        if self._when_ready is not None and all(w.is_ready for w in self._workers):
            when_ready, self._when_ready = self._when_ready, None
            when_ready()

    def _check(self, worker: _Worker, now_s: float) -> None:
        if worker.process is None or worker.start_due_s is not None:
            return
        name = worker.program.name
        code = worker.process.poll()
        if code is None:
            late_s = now_s - worker.started_s - self._settings.ready_timeout_s
            if not worker.is_ready and late_s > 0:
                _log.error("worker not ready in time", process=name)
                worker.process.kill()
                # Counted as a crash in a later turn, when it has ended.
                worker.started_s = now_s
            return
        self._forget_descriptor(worker)
        worker.is_ready = False
        if self._stop_signals:
            return
        if code == CONFIGURATION_EXIT_CODE:
            _log.error("worker refuses its configuration", process=name)
            self._exit_code = ExitCode.WRONG_CONFIGURATION
            return
        pause_s = self._crashed(name, worker.crashes, how=_how_it_ended(code))
        if pause_s is not None:
            worker.start_due_s = now_s + pause_s

    def _crashed(self, name: str, crashes: Crashes, *, how: str) -> float | None:
        pause_s = crashes.add(time.monotonic())
        if pause_s is None:
            _log.error(
                "giving up: crashed too often within a minute",
                process=name,
                how=how,
                limit=self._settings.restart_limit_per_minute,
            )
            self._exit_code = ExitCode.GAVE_UP
        else:
            _log.warning(
                "crashed; starting it again", process=name, how=how, pause_s=pause_s
            )
        return pause_s

    def _stop_workers(self) -> bool:
        """
        Ask all to end, wait, and kill who is left; tell whether none had to be.
        """
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        seen_signals = self._stop_signals
        deadline_s = time.monotonic() + self._settings.stop_grace_s
        while not all(worker.is_gone() for worker in self._workers):
            rest_s = deadline_s - time.monotonic()
            # Who asks twice does not want to wait.
            if rest_s <= 0 or self._stop_signals > seen_signals:
                break
            self._wait(min(rest_s, _CHECK_INTERVAL_S))
        late = [worker for worker in self._workers if not worker.is_gone()]
        for worker in late:
            _log.error("worker killed: it did not end", process=worker.program.name)
            worker.send(signal.SIGKILL)
        for worker in self._workers:
            self._forget_descriptor(worker)
            if worker.process is not None:
                worker.process.wait(_KILL_TIMEOUT_S)
        return not late

    def _forget_descriptor(self, worker: _Worker) -> None:
        if worker.ready_descriptor is not None:
            self._selector.unregister(worker.ready_descriptor)
            os.close(worker.ready_descriptor)
            worker.ready_descriptor = None

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """
        Wake up for signals while running; leave all as it was.
        """
        waker, sleeper = socket.socketpair()
        waker.settimeout(0)
        self._selector.register(sleeper, selectors.EVENT_READ)
        handlers = {
            number: signal.signal(number, self._note_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        }
        old_waker = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(old_waker)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            self._selector.close()
            waker.close()
            sleeper.close()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number != signal.SIGCHLD:
            self._stop_signals += 1


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
