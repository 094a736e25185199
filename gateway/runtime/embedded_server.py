"""
The life of an embedded server, whichever it is.

Start: take the data folder's lock, end what an earlier, killed gateway left running,
start the program on a leash, wait until it answers.  Stop: ask, insist, kill.  A
server that does not come up is an error with the end of what it said.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from gateway.runtime.data_folder import DataFolder, FolderInUseError, FolderLock
from gateway.runtime.leash import Program, start_leashed
from gateway.runtime.programs import ProgramsMissingError
from gateway.runtime.service_account import Account, service_account

IS_LINUX: Final = sys.platform == "linux"
PS: Final = "/bin/ps"
POLL_INTERVAL_S: Final = 0.005
STOP_TIMEOUT_S: Final = 30.0
KILL_TIMEOUT_S: Final = 5.0

_TAIL_BYTES: Final = 4_096
_PS_TIMEOUT_S: Final = 10


class EmbeddedServerError(Exception):
    """
    An embedded server cannot do what was asked; the message says why.
    """


class EmbeddedServer(ABC):
    """
    One server program with its data below a data folder.
    """

    name: ClassVar[str]
    is_needed: ClassVar[bool]
    stop_signals: ClassVar[tuple[signal.Signals, ...]]

    def __init__(self, data_folder: Path, *, start_timeout_s: float) -> None:
        """
        Name where it lives; `start` starts it.
        """
        self.folder = DataFolder(data_folder)
        self._start_timeout_s = start_timeout_s
        self._lock: FolderLock | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._account: Account | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """
        Give the process id of the running server, whoever started it.

        Raises:
            EmbeddedServerError: When it does not run.

        """
        if self._process is not None and self._process.poll() is None:
            return self._process.pid
        pid = self._recorded_pid()
        if pid is None or not self._is_ours(pid):
            message = (
                f"no embedded {self.name} runs for {self.folder.path}; start it with "
                "`scrip serve`"
            )
            raise EmbeddedServerError(message)
        return pid

    @property
    def data(self) -> Path:
        """
        Give the folder of its data, which is also where the program runs.
        """
        return self.folder.path / self.name

    @property
    def log_path(self) -> Path:
        """
        Give the file with what it says.
        """
        return self.folder.path / "log" / f"{self.name}.log"

    def is_running(self) -> bool:
        """
        Tell whether the server that this object started still runs.
        """
        return self._process is not None and self._process.poll() is None

    def check_runs(self) -> None:
        """
        Make sure that a server runs here, whoever started it.

        Raises:
            EmbeddedServerError: When none does.

        """
        _ = self.pid

    def start(self) -> None:
        """
        Start the server and wait until it answers.

        From the main thread: the server ends with the thread that started it.

        Raises:
            EmbeddedServerError: When it does not come up, with the end of its log;
                or the folder is another process's, or its account's no more.

        """
        if self.is_running():
            return
        try:
            self.folder.ensure()
            if self._lock is None:
                self._lock = self.folder.lock(self.name)
            self._account = service_account(self.data)
            self._check_owner()
            self._end_orphan()
            self._prepare()
            self._run()
        except (OSError, LookupError, ProgramsMissingError, FolderInUseError) as error:
            self._abandon()
            message = f"cannot start the embedded {self.name}: {error}"
            raise EmbeddedServerError(message) from error
        except BaseException:
            self._abandon()
            raise

    def stop(self) -> None:
        """
        Stop the server in order and give the data folder back.
        """
        if self._process is not None:
            self._end(self._process)
        self._forget()

    def kill(self) -> None:
        """
        End the server as a crash would; `start` brings it back.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait(KILL_TIMEOUT_S)

    @abstractmethod
    def _prepare(self) -> None:
        """
        Make the data folder and what else must be there before the start.
        """

    @abstractmethod
    def _command(self) -> list[str]:
        """
        Give the program and its arguments.
        """

    @abstractmethod
    def _answers(self, pid: int) -> bool:
        """
        Tell whether the server takes requests.
        """

    @abstractmethod
    def _recorded_pid(self) -> int | None:
        """
        Read which process runs or ran, from what the server's folder says.
        """

    @abstractmethod
    def _after_start(self, pid: int) -> None:
        """
        Do what is left to do once the server answers.
        """

    def _may_try_again(self, output: str) -> bool:
        """
        Tell from its output whether a server that ended could start a moment later.
        """
        del output
        return False

    def _run(self) -> None:
        deadline_s = time.monotonic() + self._start_timeout_s
        while True:
            process = self._process = self._spawn(self._command())
            while process.poll() is None:
                if self._answers(process.pid):
                    self._after_start(process.pid)
                    return
                if time.monotonic() > deadline_s:
                    self._end(process)
                    raise self._error(f"is silent for {self._start_timeout_s:g} s")
                time.sleep(POLL_INTERVAL_S)
            again = self._may_try_again(self._log_tail())
            if not again or time.monotonic() > deadline_s:
                raise self._error(f"ended with exit code {process.returncode}")
            time.sleep(POLL_INTERVAL_S * 10)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        log_path = self.folder.log_path(self.name)
        with log_path.open("ab") as log:
            log_path.chmod(0o600)
            self._log_start = log.tell()
            return start_leashed(
                Program(
                    command=command,
                    environment={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                    folder=self.data,
                    output=log.fileno(),
                    account=self._account,
                    death_signal=self.stop_signals[0],
                )
            )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        timeout_s = STOP_TIMEOUT_S
        for number in (*self.stop_signals, signal.SIGKILL):
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout_s)
                return
            timeout_s = KILL_TIMEOUT_S

    def _end_orphan(self) -> None:
        """
        End a server that outlived a killed gateway; we hold the lock, so it is alone.
        """
        pid = self._recorded_pid()
        if pid is None or not self._is_ours(pid):
            return
        timeout_s = STOP_TIMEOUT_S
        for number in (*self.stop_signals, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline_s = time.monotonic() + timeout_s
            while time.monotonic() < deadline_s:
                if not self._is_ours(pid):
                    return
                time.sleep(POLL_INTERVAL_S)
            timeout_s = KILL_TIMEOUT_S
        message = f"process {pid} of an earlier start does not end; end it yourself"
        raise EmbeddedServerError(message)

    def _is_ours(self, pid: int) -> bool:
        return _works_in(pid, self.data, self.folder.run_folder(self.name))

    def _check_owner(self) -> None:
        if not self.data.exists():
            return
        uid = self._account.uid if self._account is not None else os.geteuid()
        owner = self.data.stat().st_uid
        # What root made before it gave the folder away, it may still give away.
        if owner not in {uid, os.geteuid()}:
            message = (
                f"{self.data} belongs to user id {owner}: start as that user or as "
                "root, or choose another folder with SCRIP_DATA_FOLDER"
            )
            raise EmbeddedServerError(message)

    def _abandon(self) -> None:
        if self.is_running() and self._process is not None:
            self._end(self._process)
        self._forget()

    def _forget(self) -> None:
        if self._process is not None:
            self.folder.remove_run_folder(self.name)
        self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _error(self, why: str) -> EmbeddedServerError:
        message = (
            f"the embedded {self.name} {why}; the end of {self.log_path}:\n"
            f"{self._log_tail()}"
        )
        return EmbeddedServerError(message)

    def _log_tail(self) -> str:
        with self.log_path.open("rb") as log:
            size_bytes = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size_bytes - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace").rstrip()


def _works_in(pid: int, *folders: Path) -> bool:
    """
    Tell whether a process is a live server of ours: ids are used again.

    Linux tells where it runs, elsewhere its arguments name one of its folders.
    """
    if IS_LINUX:
        try:
            # A process that only waits to be buried has no such link any more.
            return Path(f"/proc/{pid}/cwd").readlink() == folders[0].resolve()
        except OSError:
            return False
    result = subprocess.run(
        # Twice w: as wide as it takes.
        [PS, "-ww", "-o", "command=", "-p", str(pid)],
        env={},
        capture_output=True,
        timeout=_PS_TIMEOUT_S,
        check=False,
    )
    return any(os.fsencode(folder) in result.stdout for folder in folders)
