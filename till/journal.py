"""
Keep what a till must not forget: the requests it sent and has no final answer to.

A request is on the disk before it is sent, and its end is on the disk before goods or
a receipt leave the till. After a loss of power whatever is still open is reversed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from uuid import UUID

from currency import Money
from till.codes import ReversalReason
from till.requests import Activate, Recorded, Reverse, Sale

COMPACT_AT_BYTES: Final = 4 * 1024 * 1024
_PRIVATE_MODE: Final = 0o600


class JournalError(Exception):
    """
    The journal cannot be read or written: nothing may be sent until it can.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """
    Be one open request. It holds no card number: to reverse takes none.

    `original` and `reason` are set where it is a reversal itself.
    """

    request_id: str
    operation: str
    terminal_id: str = ""
    amount: str = ""
    currency: str = ""
    last_four: str = ""
    original: str = ""
    original_terminal_id: str = ""
    reason: str = ""

    @classmethod
    def of(cls, request: Recorded) -> JournalEntry:
        """
        Note what is needed to make the request final.
        """
        operation = type(request).__name__.lower()
        request_id = str(request.request_id)
        if isinstance(request, Reverse):
            return cls(
                request_id=request_id,
                operation=operation,
                terminal_id=request.terminal_id,
                original=str(request.original_request_id),
                original_terminal_id=request.original_terminal_id,
                reason=request.reason.name,
            )
        money = _amount_of(request)
        card = request.card_number
        return cls(
            request_id=request_id,
            operation=operation,
            terminal_id=request.terminal_id,
            amount="" if money is None else money.to_decimal_text(),
            currency="" if money is None else money.currency.code,
            last_four="" if card is None else card.last_four,
        )

    def reversal(self) -> Reverse | None:
        """
        Give the reversal to be sent again, or None where the entry is no reversal.
        """
        if not self.original:
            return None
        return Reverse(
            request_id=UUID(self.request_id),
            original_request_id=UUID(self.original),
            reason=ReversalReason[self.reason],
            original_terminal_id=self.original_terminal_id,
            terminal_id=self.terminal_id,
        )


class Journal(Protocol):
    """
    Remember open requests. What a method did is durable when it returns.
    """

    async def begin(self, request: Recorded) -> None:
        """
        Keep a request, before it is sent.
        """

    async def end(self, request_ids: Sequence[UUID], note: str) -> None:
        """
        Mark requests as final, all of them or none.
        """

    def open_entries(self) -> list[JournalEntry]:
        """
        List what is not final, oldest first.
        """


class MemoryJournal:
    """
    Forget everything with the process: for simulated tills and tests.
    """

    def __init__(self) -> None:
        self._open: dict[str, JournalEntry] = {}

    async def begin(self, request: Recorded) -> None:
        """
        Keep a request, before it is sent.
        """
        entry = JournalEntry.of(request)
        self._open[entry.request_id] = entry

    async def end(self, request_ids: Sequence[UUID], note: str) -> None:
        """
        Mark requests as final.
        """
        del note
        for request_id in request_ids:
            self._open.pop(str(request_id), None)

    def open_entries(self) -> list[JournalEntry]:
        """
        List what is not final, oldest first.
        """
        return list(self._open.values())


class FileJournal:
    """
    Keep a file of JSON lines, each written and fsynced before the method returns.

    One process at a time: a second one that opens the same journal is refused. A last
    line without its end was never acknowledged, so its request was never sent.
    """

    def __init__(self, path: Path, *, compact_at_bytes: int = COMPACT_AT_BYTES) -> None:
        """
        Open or make the journal, and compact it. Raises JournalError.
        """
        self._path = path
        self._compact_at_bytes = compact_at_bytes
        self._writing = threading.Lock()
        self._broken = False
        self._lock_file = _lock(path)
        try:
            self._open = _read(path)
            self._file = self._rewrite()
        except OSError as error:
            self._lock_file.close()
            raise JournalError(f"{path} cannot be opened: {error}") from error
        except JournalError:
            self._lock_file.close()
            raise

    async def begin(self, request: Recorded) -> None:
        """
        Keep a request, before it is sent.
        """
        entry = JournalEntry.of(request)
        await asyncio.to_thread(self._append, _begun(entry), entry)

    async def end(self, request_ids: Sequence[UUID], note: str) -> None:
        """
        Mark requests as final, in one line: all of them or none.
        """
        ended = [str(request_id) for request_id in request_ids]
        await asyncio.to_thread(self._append, {"ended": ended, "note": note}, None)

    def open_entries(self) -> list[JournalEntry]:
        """
        List what is not final, oldest first.
        """
        with self._writing:
            return list(self._open.values())

    def close(self) -> None:
        """
        Let go of the file, so that another process may open it.
        """
        with self._writing:
            self._file.close()
            self._lock_file.close()

    def _append(self, line: dict[str, object], begun: JournalEntry | None) -> None:
        with self._writing:
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
            _apply(self._open, line, begun)
            if self._file.tell() > self._compact_at_bytes:
                self._compact()

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
        Write what is open to a new file, put it in place, and give it to append to.
        """
        new = self._path.with_name(self._path.name + ".new")
        file = _open_private(new)
        try:
            for entry in self._open.values():
                _write_line(file, _begun(entry))
            _sync(file)
            new.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError:
            file.close()
            raise
        return file


def _amount_of(request: Sale) -> Money | None:
    """
    Give the amount a request names; some kinds name none.
    """
    if isinstance(request, Activate):
        return request.initial_amount
    amount: Money | None = getattr(request, "amount", None)
    return amount


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


def _read(path: Path) -> dict[str, JournalEntry]:
    found: dict[str, JournalEntry] = {}
    if not path.exists():
        return found
    *lines, unfinished = path.read_bytes().split(b"\n")
    del unfinished  # empty, or torn by a loss of power before it was acknowledged
    for number, line in enumerate(lines, start=1):
        try:
            _apply(found, json.loads(line), None)
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(
                f"{path}, line {number}, cannot be read: move the file aside, and ask "
                "the gateway about the requests in it"
            ) from error
    return found


def _apply(
    found: dict[str, JournalEntry],
    line: dict[str, object],
    begun: JournalEntry | None,
) -> None:
    if "begun" in line:
        if begun is None:
            fields = line["begun"]
            if not isinstance(fields, dict):
                raise TypeError("an entry is an object")
            begun = JournalEntry(**fields)
        found[begun.request_id] = begun
        return
    ended = line["ended"]
    if not isinstance(ended, list):
        raise TypeError("the ended requests are a list")
    for request_id in ended:
        found.pop(request_id, None)


def _begun(entry: JournalEntry) -> dict[str, object]:
    return {"begun": {name: text for name, text in asdict(entry).items() if text}}


def _write_line(file: BinaryIO, line: dict[str, object]) -> None:
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
