"""
Keep lines of JSON on the disk: each is there for good before a till goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

Line = dict[str, object]

COMPACT_AT_BYTES: Final = 4 * 1024 * 1024
_PRIVATE_MODE: Final = 0o600


class JournalError(Exception):
    """
    The journal cannot be read or written: nothing may be sent until it can.
    """


class DurableLines:
    """
    Keep a file of JSON lines, each written and fsynced before `append` returns.

    One process at a time: a second one that opens the same file is refused. A last line
    without its end was never acknowledged. The file is for its owner's eyes only.
    """

    def __init__(
        self,
        path: Path,
        *,
        apply: Callable[[Line], None],
        remains: Callable[[], Iterable[Line]],
        compact_at_bytes: int = COMPACT_AT_BYTES,
    ) -> None:
        """
        Open or make the file, and compact it. Raises JournalError.

        Args:
            path: where it is.
            apply: takes each line in, those that are there and those that come.
            remains: gives the lines that are still needed.
            compact_at_bytes: how long the file may grow.

        """
        self._path = path
        self._apply = apply
        self._remains = remains
        self._compact_at_bytes = compact_at_bytes
        self._broken = False
        self.writing = threading.Lock()
        self._lock_file = _lock(path)
        try:
            _read(path, apply)
            self._file = self._rewrite()
        except OSError as error:
            self._lock_file.close()
            raise JournalError(f"{path} cannot be opened: {error}") from error
        except JournalError:
            self._lock_file.close()
            raise

    def append(self, line: Line) -> None:
        """
        Write a line, then take it in. Raises JournalError.
        """
        with self.writing:
            if self._broken:
                raise JournalError(f"{self._path} failed before: restart the till")
            try:
                _write_line(self._file, line)
                _sync(self._file)
            except OSError as error:
                # After a failed fsync nobody knows what is on the disk.
                self._broken = True
                raise JournalError(
                    f"{self._path} cannot be written: {error}"
                ) from error
            self._apply(line)
            if self._file.tell() > self._compact_at_bytes:
                self._compact()

    def compact(self) -> None:
        """
        Keep only what is still needed. Raises JournalError.
        """
        with self.writing:
            if not self._broken:
                self._compact()

    def close(self) -> None:
        """
        Let go of the file, so that another process may open it.
        """
        with self.writing:
            self._file.close()
            self._lock_file.close()

    def _compact(self) -> None:
        try:
            compacted = self._rewrite()
        except OSError as error:
            self._broken = True
            raise JournalError(f"{self._path} cannot be compacted: {error}") from error
        self._file.close()
        self._file = compacted

    def _rewrite(self) -> BinaryIO:
        """
        Write what is needed to a new file, put it in place, and give it to append to.
        """
        new = self._path.with_name(self._path.name + ".new")
        file = _open_private(new)
        try:
            for line in self._remains():
                _write_line(file, line)
            _sync(file)
            new.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError:
            file.close()
            raise
        return file


def _open_private(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_MODE)
    return os.fdopen(descriptor, "wb")


def _lock(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _open_private(path.with_name(path.name + ".lock"))
    except OSError as error:
        raise JournalError(f"{path} cannot be opened: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise JournalError(
            f"{path} is in use by another process: one journal, one till"
        ) from error
    return file


def _read(path: Path, apply: Callable[[Line], None]) -> None:
    if not path.exists():
        return
    *lines, unfinished = path.read_bytes().split(b"\n")
    del unfinished  # empty, or torn by a loss of power before it was acknowledged
    for number, line in enumerate(lines, start=1):
        try:
            apply(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(
                f"{path}, line {number}, cannot be read: move the file aside, and ask "
                "the gateway about the requests in it"
            ) from error


def _write_line(file: BinaryIO, line: Line) -> None:
    file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
