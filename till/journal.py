"""
Keep what a till must not forget: the requests it sent and has no final answer to.

A request is on the disk before it is sent, and its end is on the disk before goods or
a receipt leave the till. After a loss of power whatever is still open is reversed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from currency import Money
from till.codes import ReversalReason
from till.durable_lines import COMPACT_AT_BYTES, DurableLines, Line
from till.requests import Activate, Recorded, Reverse, Sale


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
        self._open: dict[str, JournalEntry] = {}
        self._lines = DurableLines(
            path,
            apply=self._apply,
            remains=self._remains,
            compact_at_bytes=compact_at_bytes,
        )

    async def begin(self, request: Recorded) -> None:
        """
        Keep a request, before it is sent.
        """
        begun = _begun(JournalEntry.of(request))
        await asyncio.to_thread(self._lines.append, begun)

    async def end(self, request_ids: Sequence[UUID], note: str) -> None:
        """
        Mark requests as final, in one line: all of them or none.
        """
        ended = [str(request_id) for request_id in request_ids]
        await asyncio.to_thread(self._lines.append, {"ended": ended, "note": note})

    def open_entries(self) -> list[JournalEntry]:
        """
        List what is not final, oldest first.
        """
        with self._lines.writing:
            return list(self._open.values())

    def close(self) -> None:
        """
        Let go of the file, so that another process may open it.
        """
        self._lines.close()

    def _apply(self, line: Line) -> None:
        if "begun" in line:
            fields = line["begun"]
            if not isinstance(fields, dict):
                raise TypeError("an entry is an object")
            begun = JournalEntry(**fields)
            self._open[begun.request_id] = begun
            return
        ended = line["ended"]
        if not isinstance(ended, list):
            raise TypeError("the ended requests are a list")
        for request_id in ended:
            self._open.pop(request_id, None)

    def _remains(self) -> list[Line]:
        return [_begun(entry) for entry in self._open.values()]


def _amount_of(request: Sale) -> Money | None:
    """
    Give the amount a request names; some kinds name none.
    """
    if isinstance(request, Activate):
        return request.initial_amount
    amount: Money | None = getattr(request, "amount", None)
    return amount


def _begun(entry: JournalEntry) -> Line:
    return {"begun": {name: text for name, text in asdict(entry).items() if text}}
