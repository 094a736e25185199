"""
Sell while the gateway cannot be asked, and tell it afterwards.

What was sold is on the disk before the goods leave, and stays there until the gateway
has answered, days later if need be. It may be told in any order and more than once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from currency import Currency, Money
from till.answer import Answer
from till.card_number import CardNumber
from till.client import Sender
from till.codes import EntryMode, ReversalReason
from till.durable_lines import DurableLines, Line
from till.errors import TillError
from till.requests import (
    NO_CONTEXT,
    Advice,
    Confirm,
    Reverse,
    TillContext,
    new_request_id,
)
from till.shop import ResolvePolicy, send_again

# What is told rather than asked: it happened, whatever the gateway says of it.
Told = Advice | Confirm | Reverse

SENDING_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    Be what became of one thing that was told: an answer, or why there is none yet.

    With an answer it has left the queue. An Advice whose answer has an `exception` was
    not paid in full; one that is declined was not paid at all.
    """

    request: Told
    answer: Answer | None = None
    error: TillError | None = None


class OfflineQueue:
    """
    Keep what has still to be told, in a file for its owner's eyes only.

    It holds card numbers, which the journal of a Shop does not: without them a sale
    could not be told. They are gone from the file as soon as all is told.
    """

    def __init__(
        self,
        path: Path,
        *,
        terminal_id: str = "",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """
        Open or make the file. Raises JournalError.
        """
        self._terminal_id = terminal_id
        self._clock = clock or _now
        self._open: dict[UUID, Told] = {}
        self._in_hand: set[UUID] = set()
        self._lines = DurableLines(path, apply=self._apply, remains=self._remains)

    async def sell(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        context: TillContext = NO_CONTEXT,
    ) -> Advice:
        """
        Sell without asking: once it returns, the goods may leave.

        The till's local time is added where the context has none. Stay within the floor
        limit that the program's operator has set for this terminal: what lies above it
        is the merchant's own risk, and so is what the card does not have.
        """
        if not context.local_time:
            context = context._replace(local_time=self._clock().isoformat())
        advice = Advice(
            request_id=new_request_id(),
            card_number=card_number,
            amount=amount,
            terminal_id=self._terminal_id,
            context=context,
        )
        await self.keep(advice)
        return advice

    async def take_back(
        self,
        sale: UUID,
        *,
        reason: ReversalReason = ReversalReason.CUSTOMER_CANCELLATION,
    ) -> Reverse:
        """
        Undo a sale that was made offline, told or not. Both are told, in any order.
        """
        reversal = Reverse(
            request_id=new_request_id(),
            original_request_id=sale,
            reason=reason,
            terminal_id=self._terminal_id,
        )
        await self.keep(reversal)
        return reversal

    async def keep(self, request: Told) -> None:
        """
        Keep anything that must be told, such as a Confirm that got no answer.
        """
        await asyncio.to_thread(self._lines.append, {"kept": _fields_of(request)})

    async def drop(self, request_id: UUID) -> None:
        """
        Give up what the gateway cannot read, once somebody has written it down.
        """
        await self._end(request_id)

    def waiting(self) -> list[Told]:
        """
        List what is not answered yet, oldest first.
        """
        with self._lines.writing:
            return list(self._open.values())

    async def send_all(
        self,
        sender: Sender,
        *,
        policy: ResolvePolicy | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> list[Delivery]:
        """
        Tell all that waits, many at once, and say of each what became of it.

        The sender is a TillClient or, for many, a TransactStream. What gets no answer
        stays, for the next time; nothing is ever reversed here, for it happened.
        """
        mine = [each for each in self.waiting() if each.request_id not in self._in_hand]
        ids = {each.request_id for each in mine}
        self._in_hand |= ids
        room = asyncio.Semaphore(SENDING_AT_ONCE)

        async def tell(request: Told) -> Delivery:
            async with room:
                try:
                    answer = await send_again(
                        sender,
                        request,
                        (policy or ResolvePolicy()).resends + 1,
                        policy=policy or ResolvePolicy(),
                        pause=pause,
                    )
                except TillError as error:
                    return Delivery(request=request, error=error)
                await self._end(request.request_id)
                return Delivery(request=request, answer=answer)

        try:
            told = await asyncio.gather(*map(tell, mine))
        finally:
            self._in_hand -= ids
        if told:
            await asyncio.to_thread(self._lines.compact)
        return told

    def close(self) -> None:
        """
        Let go of the file, so that another process may open it.
        """
        self._lines.close()

    async def _end(self, request_id: UUID) -> None:
        await asyncio.to_thread(self._lines.append, {"told": str(request_id)})

    def _apply(self, line: Line) -> None:
        if "kept" in line:
            request = _request_of(line["kept"])
            self._open[request.request_id] = request
            return
        self._open.pop(UUID(str(line["told"])), None)

    def _remains(self) -> list[Line]:
        return [{"kept": _fields_of(request)} for request in self._open.values()]


def _now() -> datetime:
    return datetime.now().astimezone()


def _fields_of(request: Told) -> dict[str, object]:
    """
    Write a request as what JSON knows.
    """
    fields: dict[str, object] = {
        "operation": type(request).__name__,
        "request_id": str(request.request_id),
        "terminal_id": request.terminal_id,
        "context": {
            name: value.name if isinstance(value, EntryMode) else value
            for name, value in request.context._asdict().items()
            if value
        },
    }
    if request.card_number is not None:
        fields["card"] = request.card_number.digits
    if isinstance(request, Advice):
        fields["amount"] = request.amount.to_decimal_text()
        fields["currency"] = request.amount.currency.code
    else:
        fields["original"] = str(request.original_request_id)
        fields["original_terminal_id"] = request.original_terminal_id
    if isinstance(request, Reverse):
        fields["reason"] = request.reason.name
    return fields


def _request_of(fields: Any) -> Told:  # noqa: ANN401 -- whatever JSON holds
    """
    Read a request back; what cannot be read raises ValueError, KeyError or TypeError.
    """
    common = {
        "request_id": UUID(fields["request_id"]),
        "terminal_id": fields["terminal_id"],
        "context": _context_of(fields["context"]),
    }
    card = CardNumber(fields["card"]) if "card" in fields else None
    if fields["operation"] == Advice.__name__:
        if card is None:
            raise KeyError("card")
        amount = Money.parse(fields["amount"], Currency.of(fields["currency"]))
        return Advice(card_number=card, amount=amount, **common)
    named = {
        "original_request_id": UUID(fields["original"]),
        "original_terminal_id": fields["original_terminal_id"],
        "card_number": card,
    }
    if fields["operation"] == Confirm.__name__:
        return Confirm(**named, **common)
    return Reverse(reason=ReversalReason[fields["reason"]], **named, **common)


def _context_of(fields: dict[str, Any]) -> TillContext:
    if "entry_mode" in fields:
        fields = {**fields, "entry_mode": EntryMode[fields["entry_mode"]]}
    return TillContext(**fields)
