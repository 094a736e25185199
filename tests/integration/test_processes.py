"""
Workers are kept running, within bounds, and none is left behind.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.runtime import companions, crashes, processes
from gateway.runtime.crashes import Crashes
from gateway.runtime.embedded_server import EmbeddedServerError
from gateway.runtime.leash import Program, start_leashed
from gateway.runtime.processes import (
    ExitCode,
    Supervisor,
    WorkerProgram,
    announce_ready,
)
from gateway.runtime.settings_groups import SupervisorSettings
from tests.support import supervised
from tests.support.alive import are_gone, is_alive

ROOT = Path(__file__).parents[2]
SETTINGS = SupervisorSettings(restart_limit_per_minute=2, stop_grace_s=5)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Do not wait between the starts of a worker.
    """
    monkeypatch.setattr(crashes, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(processes, "_CHECK_INTERVAL_S", 0.02)


def worker(what: str, notes: Path, name: str = "worker-0") -> WorkerProgram:
    """
    Describe a worker that behaves in some way.
    """
    command = [sys.executable, "-I", "-S", str(supervised.WORKER), what, str(notes)]
    return WorkerProgram(name=name, command=command, environment={})


def pids_of(what: str, notes: Path) -> list[int]:
    """
    Read which processes were started.
    """
    return [int(line) for line in (notes / f"starts-{what}").read_text().split()]


def stop_ourselves() -> None:
    """
    Send the signal that a service manager would.
    """
    os.kill(os.getpid(), signal.SIGTERM)


class Server:
    """
    A companion that is gone until it is started, as often as said.
    """

    name = "store"

    def __init__(
        self,
        ends: int,
        when_started: Callable[[], None],
        *,
        is_needed: bool = True,
        fails: int = 0,
    ) -> None:
        self.starts = 0
        self.is_needed = is_needed
        self._ends = ends
        self._when_started = when_started
        self._fails = fails

    def is_running(self) -> bool:
        """
        Tell whether it was started more often than it ended.
        """
        return self.starts >= self._ends

    def start(self) -> None:
        """
        Start, or fail as often as said.
        """
        if self._fails:
            self._fails -= 1
            message = "no room"
            raise EmbeddedServerError(message)
        self.starts += 1
        self._when_started()


def test_workers_run_until_the_stop(tmp_path: Path) -> None:
    """
    All start, all are ready once, SIGTERM ends all in order, handlers are as before.
    """
    handler = signal.getsignal(signal.SIGTERM)
    programs = [worker("serve", tmp_path, f"worker-{number}") for number in range(2)]
    code = Supervisor(programs, SETTINGS, when_ready=stop_ourselves).run()
    pids = pids_of("serve", tmp_path)

    assert code is ExitCode.STOPPED
    assert len(set(pids)) == 2
    assert not any(map(is_alive, pids))
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_crashed_worker_is_started_again(tmp_path: Path) -> None:
    """
    A worker killed by a signal comes back, and only it.
    """
    programs = [worker("crash-once", tmp_path), worker("serve", tmp_path, "worker-1")]
    code = Supervisor(programs, SETTINGS, when_ready=stop_ourselves).run()

    assert code is ExitCode.STOPPED
    assert len(pids_of("crash-once", tmp_path)) == 2
    assert len(pids_of("serve", tmp_path)) == 1


def test_a_crash_loop_stops_everything(tmp_path: Path) -> None:
    """
    More crashes in a minute than allowed: the others are ended, the exit code says so.
    """
    programs = [worker("crash", tmp_path), worker("serve", tmp_path, "worker-1")]
    code = Supervisor(programs, SETTINGS).run()

    assert code is ExitCode.GAVE_UP
    assert len(pids_of("crash", tmp_path)) == 3
    assert not any(map(is_alive, pids_of("serve", tmp_path)))


def test_a_wrong_configuration_is_not_tried_again(tmp_path: Path) -> None:
    """
    The exit code for a wrong configuration ends the supervisor with the same one.
    """
    code = Supervisor([worker("misconfigured", tmp_path)], SETTINGS).run()

    assert code == 78
    assert len(pids_of("misconfigured", tmp_path)) == 1


def test_a_worker_that_is_never_ready_counts_as_crashed(tmp_path: Path) -> None:
    """
    It is killed after its time and started again, until that was too often.
    """
    settings = SETTINGS.model_copy(update={"ready_timeout_s": 0.25})
    code = Supervisor([worker("silent", tmp_path)], settings).run()

    assert code is ExitCode.GAVE_UP
    assert len(pids_of("silent", tmp_path)) == 3


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """
    After the grace SIGKILL ends it; the exit code says that it was needed.
    """
    settings = SETTINGS.model_copy(update={"stop_grace_s": 0.2})
    code = Supervisor(
        [worker("stubborn", tmp_path)], settings, when_ready=stop_ourselves
    ).run()

    assert code is ExitCode.KILLED_WORKERS
    assert not any(map(is_alive, pids_of("stubborn", tmp_path)))


def test_asking_twice_ends_the_wait(tmp_path: Path) -> None:
    """
    A second SIGINT does not wait for the grace.
    """
    with subprocess.Popen(
        [sys.executable, supervised.__file__, "stubborn", str(tmp_path)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        started_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        code = process.wait(10)

    assert ExitCode.KILLED_WORKERS == code
    assert time.monotonic() - started_s < 0.9
    assert not any(map(is_alive, pids_of("stubborn", tmp_path)))


def test_no_worker_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """
    Where the kernel can, it ends the workers when the supervisor was killed.
    """
    with subprocess.Popen(
        [sys.executable, supervised.__file__, "serve", str(tmp_path)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
    (pid,) = pids_of("serve", tmp_path)
    if sys.platform != "linux":
        os.kill(pid, signal.SIGTERM)

    assert are_gone([pid])


def test_a_companion_that_ended_is_started_again(tmp_path: Path) -> None:
    """
    A store that died comes back without the workers being touched.
    """
    server = Server(1, stop_ourselves)
    code = Supervisor([worker("serve", tmp_path)], SETTINGS, companions=[server]).run()

    assert code is ExitCode.STOPPED
    assert server.starts == 1


def test_a_companion_that_keeps_ending_stops_everything(tmp_path: Path) -> None:
    """
    It has the same bound as a worker.
    """
    server = Server(100, lambda: None)
    code = Supervisor([worker("serve", tmp_path)], SETTINGS, companions=[server]).run()

    assert code is ExitCode.GAVE_UP
    assert server.starts == 2


def test_a_companion_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    """
    A start that fails counts as a crash; it does not take the workers with it.
    """
    server = Server(1, stop_ourselves, fails=1)
    code = Supervisor([worker("serve", tmp_path)], SETTINGS, companions=[server]).run()

    assert code is ExitCode.STOPPED
    assert server.starts == 1


def test_a_companion_that_is_never_started_ends_everything(tmp_path: Path) -> None:
    """
    It has the same bound as a worker.
    """
    server = Server(1, stop_ourselves, fails=100)
    code = Supervisor([worker("serve", tmp_path)], SETTINGS, companions=[server]).run()

    assert code is ExitCode.GAVE_UP
    assert server.starts == 0


def test_a_companion_that_is_not_needed_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The workers serve on without it, and it comes back when it can.
    """
    monkeypatch.setattr(companions, "LONGEST_PAUSE_S", 0.01)
    server = Server(1, stop_ourselves, fails=20, is_needed=False)
    code = Supervisor([worker("serve", tmp_path)], SETTINGS, companions=[server]).run()

    assert code is ExitCode.STOPPED
    assert server.starts == 1


def test_pauses_grow_and_old_crashes_are_forgotten() -> None:
    """
    Each crash within a minute doubles the pause up to a bound; a minute later none.
    """
    counted = Crashes(limit=20)
    pauses = [counted.add(float(second)) for second in range(12)]

    assert pauses[:4] == [0.01, 0.02, 0.04, 0.08]
    assert pauses[-1] == 5.0
    assert counted.add(1000.0) == 0.01


def test_ready_without_a_supervisor_is_no_error() -> None:
    """
    A worker whose supervisor has just died serves on until it is told to end.
    """
    reader, writer = os.pipe()
    os.close(reader)
    announce_ready(writer)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(writer)


def test_a_program_that_does_not_exist_ends_at_once(tmp_path: Path) -> None:
    """
    The launcher says in the program's output what could not be run.
    """
    path = tmp_path / "output"
    with path.open("wb") as output:
        process = start_leashed(
            Program(
                command=["/no/such/program"],
                environment={},
                folder=tmp_path,
                output=output.fileno(),
            )
        )
        code = process.wait(10)

    assert code == 1
    assert "cannot run /no/such/program: No such file" in path.read_text()
