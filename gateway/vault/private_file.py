"""
Keep secrets in files that only their owner can read, and never half of one.
"""

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.vault.errors import PrivateFileError

PRIVATE_MODE: Final = 0o600
PUBLIC_MODE: Final = 0o644
PRIVATE_FOLDER_MODE: Final = 0o700

_OTHERS_BITS: Final = 0o077
_FILE_MAX_BYTES: Final = 1 << 20
_LOCK_WAIT_S: Final = 5.0
_LOCK_POLL_S: Final = 0.02


def read_private(path: Path) -> bytes:
    """
    Read a file, but only if nobody else may.

    The mode is that of the opened file, so it cannot change between the check and
    the reading. A missing file is the caller's case: FileNotFoundError.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PrivateFileError(path, "is not a regular file")
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS_BITS:
            problem = f"may be read or written by others (mode {mode:04o}, not 0600)"
            raise PrivateFileError(path, problem)
        if status.st_size > _FILE_MAX_BYTES:
            raise PrivateFileError(path, f"is larger than {_FILE_MAX_BYTES} bytes")
        return file.read(_FILE_MAX_BYTES)


def write_atomically(
    path: Path, content: Callable[[], bytes], *, mode: int = PRIVATE_MODE
) -> None:
    """
    Put a file in place whole or not at all, and durably.

    The content goes to a neighbour, is synced, and takes the name by rename; then
    the folder is synced. A neighbour that a crash left behind is replaced by the
    next write. The content comes as a function, so that no variable holds it when a
    full disk raises and a traceback prints variables. The caller holds
    `exclusive(path)`.
    """
    neighbour = path.with_name(f".{path.name}.new")
    neighbour.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(neighbour, flags, PRIVATE_MODE), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content())
        file.flush()
        os.fsync(file.fileno())
    neighbour.replace(path)
    _sync_folder(path.parent)


def make_private_folder(folder: Path) -> None:
    """
    Make a folder that only its owner can enter; leave one that exists as it is.
    """
    folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """
    Let one process at a time create or change a file.

    The lock lives in a file beside it, because the file itself is replaced. The
    wait is bounded: a holder does milliseconds of work, so a longer wait is a fault.
    """
    lock = path.with_name(f".{path.name}.lock")
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(lock, flags, PRIVATE_MODE)
    try:
        _acquire(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                problem = f"is held by another process for more than {_LOCK_WAIT_S} s"
                raise PrivateFileError(path, problem) from error
            time.sleep(_LOCK_POLL_S)
        else:
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
