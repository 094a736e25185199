"""
The folder in which a Scrip without databases of its own keeps everything.

    postgres/, valkey/            the servers' data
    postgres.run, valkey.run      folders of their sockets, or links to them
    postgres.lock, valkey.lock    held by the process that runs the server
    valkey.pid                    which process that server is
    log/                          what the servers say
    programs/                     copies of the servers, when root needs them
    keys/keyring.json             the local key ring
    authority/                    the local certificate authority
    server/                       the certificate that workers show, if none is set
    TEST_OR_DEMO                  here play money is kept: the clock may be shifted
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.runtime.service_account import Account, can_enter

TEST_MARKER: Final = "TEST_OR_DEMO"

# The kernel's limit for a socket's path, its closing zero taken off.
SOCKET_PATH_LIMIT_BYTES: Final = 103 if sys.platform == "darwin" else 107
LONGEST_SOCKET_NAME: Final = ".s.PGSQL.5432.lock"
LOG_LIMIT_BYTES: Final = 16 * 1024 * 1024

_RUN_PREFIX: Final = "scrip-run-"
_TEST_MARKER_TEXT: Final = (
    "This data folder is for tests or a demo: its clock may be shifted.\n"
    "Never put real money in it.\n"
)


class FolderInUseError(Exception):
    """
    Another process works with this part of the data folder.
    """


class FolderLock:
    """
    The right to run one server of a data folder; ends with the process.
    """

    def __init__(self, path: Path) -> None:
        """
        Take the lock or fail at once.

        Raises:
            FolderInUseError: When another process has it.

        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            message = (
                f"{path.parent} is in use by process {owner or '(unknown)'}: stop "
                "that one, or choose another folder with SCRIP_DATA_FOLDER"
            )
            raise FolderInUseError(message) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """
        Give the lock back.
        """
        os.close(self._descriptor)


class DataFolder:
    """
    The paths in a data folder, and the care for its permissions.
    """

    def __init__(self, path: Path) -> None:
        """
        Name the folder; `ensure` makes it.
        """
        self.path = path.expanduser().absolute()

    @property
    def key_ring_path(self) -> Path:
        """
        Name the file of the local key ring.
        """
        return self.path / "keys" / "keyring.json"

    @property
    def authority_folder(self) -> Path:
        """
        Name the folder of the local certificate authority.
        """
        return self.path / "authority"

    @property
    def server_folder(self) -> Path:
        """
        Name the folder of the certificate that workers show when none is set.
        """
        return self.path / "server"

    def ensure(self) -> None:
        """
        Make the folder; for root one that its servers' account may pass through.
        """
        if not self.path.is_dir():
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def lock(self, server: str) -> FolderLock:
        """
        Take the lock of one server.

        Raises:
            FolderInUseError: When another process has it.

        """
        return FolderLock(self.path / f"{server}.lock")

    def own_folder(self, name: str, account: Account | None) -> Path:
        """
        Make a folder that only the account may open.
        """
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        return folder

    def log_path(self, server: str) -> Path:
        """
        Give the log file of a server; an overlong one is put aside, one is kept.
        """
        folder = self.path / "log"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{server}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def make_run_folder(self, server: str, account: Account | None) -> Path:
        """
        Make the folder of a server's socket, where only its account gets in.

        In the data folder when a socket's path may be that long and the account can
        reach it; else a short one among the temporary files, and a link to it here.
        """
        link = self.path / f"{server}.run"
        if link.is_symlink():
            if _is_private(link.readlink(), account):
                # A server that crashed comes back under the same address.
                return link.readlink()
            link.unlink()
        size_bytes = len(os.fsencode(link / LONGEST_SOCKET_NAME))
        if size_bytes <= SOCKET_PATH_LIMIT_BYTES and can_enter(account, self.path):
            return self.own_folder(link.name, account)
        place = _temporary_place(account)
        folder = Path(tempfile.mkdtemp(prefix=_RUN_PREFIX, dir=place))
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        link.symlink_to(folder)
        return folder

    def run_folder(self, server: str) -> Path:
        """
        Find the folder that holds the server's socket, by its short path.
        """
        link = self.path / f"{server}.run"
        return link.readlink() if link.is_symlink() else link

    def remove_run_folder(self, server: str) -> None:
        """
        Remove the folder of a server that does not run.
        """
        link = self.path / f"{server}.run"
        folder = self.run_folder(server)
        if folder == link or folder.name.startswith(_RUN_PREFIX):
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
        if link.is_symlink():
            link.unlink()

    def mark_for_tests(self) -> None:
        """
        Allow a shifted clock here, for good.
        """
        self.ensure()
        (self.path / TEST_MARKER).write_text(_TEST_MARKER_TEXT, encoding="utf-8")

    def is_marked_for_tests(self) -> bool:
        """
        Tell whether a shifted clock is allowed here.
        """
        return (self.path / TEST_MARKER).is_file()


def _is_private(folder: Path, account: Account | None) -> bool:
    """
    Tell whether a folder is still there and nobody but the account gets in.
    """
    try:
        state = folder.lstat()
    except FileNotFoundError:
        return False
    uid = os.geteuid() if account is None else account.uid
    return stat.S_ISDIR(state.st_mode) and (
        (state.st_uid, stat.S_IMODE(state.st_mode)) == (uid, 0o700)
    )


def _temporary_place(account: Account | None) -> Path:
    """
    Choose among the temporary folders one with a short path that can be entered.
    """
    usual = Path(tempfile.gettempdir())
    # mkdtemp adds eight characters to the prefix.
    size_bytes = len(os.fsencode(usual / f"{_RUN_PREFIX}12345678")) + 1
    fits = size_bytes + len(LONGEST_SOCKET_NAME) <= SOCKET_PATH_LIMIT_BYTES
    return usual if fits and can_enter(account, usual) else Path("/tmp")  # noqa: S108
