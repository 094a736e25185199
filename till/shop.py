"""
Sell so that every request ends: answered, or undone.

Send; when no answer comes, send the same request id again, a few times; then reverse
it until the reversal is answered. Only then may the till sell again under a new id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from currency import Money
from till.answer import Answer
from till.card_number import CardNumber
from till.client import Sender
from till.codes import Result, ReversalReason
from till.errors import (
    AnswerUnreadableError,
    NotRecordedError,
    RefusedError,
    TillError,
)
from till.journal import Journal, JournalEntry
from till.requests import (
    NO_CONTEXT,
    GetTransaction,
    Recorded,
    Redeem,
    Request,
    Reverse,
    Sale,
    TillContext,
    new_request_id,
)

_UNREADABLE_FORM: Final = "INVALID_ARGUMENT"


class Ending(Enum):
    """
    How a request ended.

    ANSWERED: its own answer came. UNDONE: it was reversed, or will never be done.
    REVERSAL_DECLINED: the gateway does not reverse for this till (it was suspended,
    say); whether the original was done the program's operator must find out.
    """

    ANSWERED = "answered"
    UNDONE = "undone"
    REVERSAL_DECLINED = "reversal declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """
    Be the end of a request: its own answer, or the answer to its reversal.
    """

    request_id: UUID
    ending: Ending
    answer: Answer

    @property
    def paid(self) -> bool:
        """
        Tell whether goods may leave: the original was approved and stands.
        """
        return self.ending is Ending.ANSWERED and self.answer.stands


class StillOpenError(Exception):
    """
    Not even the reversal was answered. Both stay in the journal; try `settle_open`.

    To the customer the sale did not happen: the reversal will see to that.
    """

    def __init__(self, request_id: UUID, cause: TillError) -> None:
        self.request_id = request_id
        self.cause = cause
        super().__init__(
            f"request {request_id} is still open, and stays in the journal to be "
            f"reversed; the last attempt: {cause}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePolicy:
    """
    Bound how often a request is sent again, and how long the till waits in between.
    """

    resends: int = 3
    reversal_attempts: int = 8
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0

    def pause_s(self, attempt: int, error: TillError) -> float:
        """
        Give the pause after an attempt, counted from 0: the host's wish, or doubling.
        """
        own = self.first_pause_s * float(2**attempt)
        return min(max(own, error.retry_after_s or 0.0), self.longest_pause_s)


class Shop:
    """
    Be a till that keeps its journal.

    The sender is a TillClient or a TransactStream. Several sales may run at once, as
    on a store's controller.
    """

    def __init__(
        self,
        sender: Sender,
        journal: Journal,
        *,
        terminal_id: str = "",
        policy: ResolvePolicy | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sender = sender
        self._journal = journal
        self._terminal_id = terminal_id
        self._policy = policy or ResolvePolicy()
        self._pause = pause
        self._in_hand: set[str] = set()

    async def sell(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        allow_partial: bool = False,
        context: TillContext = NO_CONTEXT,
    ) -> Settled:
        """
        Spend from a card, and come back with an end of it.
        """
        return await self.perform(
            Redeem(
                request_id=new_request_id(),
                card_number=card_number,
                amount=amount,
                allow_partial=allow_partial,
                terminal_id=self._terminal_id,
                context=context,
            )
        )

    async def perform(self, request: Sale) -> Settled:
        """
        Send a sale of any kind, a Refund or a Void, and come back with an end of it.

        A void that was done cannot be reversed: given up, it ends as ANSWERED.

        Raises:
            RefusedError: the gateway does not take it. Where it could not be read it
                is final; where the device was denied it stays in the journal.
            StillOpenError: not even a reversal was answered in time.
            JournalError: it could not be kept, and was not sent.

        """
        await self._journal.begin(request)
        self._in_hand.add(str(request.request_id))
        try:
            answer = await self._attempt(request, attempts=1 + self._policy.resends)
        except RefusedError as error:
            if error.status == _UNREADABLE_FORM:
                await self._journal.end([request.request_id], "REFUSED")
            raise
        except TillError as error:
            reason = (
                ReversalReason.INVALID_RESPONSE
                if isinstance(error, AnswerUnreadableError)
                else ReversalReason.TIMEOUT
            )
            return await self.undo(request.request_id, reason=reason)
        finally:
            self._in_hand.discard(str(request.request_id))
        await self._journal.end([request.request_id], answer.result.name)
        return Settled(
            request_id=request.request_id, ending=Ending.ANSWERED, answer=answer
        )

    async def undo(
        self,
        request_id: UUID,
        *,
        reason: ReversalReason = ReversalReason.CUSTOMER_CANCELLATION,
        terminal_id: str | None = None,
    ) -> Settled:
        """
        Reverse a request until the reversal is answered, whatever became of it.

        Raises RefusedError, StillOpenError and JournalError like `perform`.
        """
        reversal = Reverse(
            request_id=new_request_id(),
            original_request_id=request_id,
            reason=reason,
            terminal_id=self._terminal_id if terminal_id is None else terminal_id,
        )
        await self._journal.begin(reversal)
        return await self._finish(reversal)

    async def settle_open(self) -> list[Settled]:
        """
        Make final what an earlier life of this till left open, as at every start.

        Reversals are sent again, and everything else is reversed: no receipt was
        printed for it. What still gets no answer stays in the journal.
        """
        settled: list[Settled] = []
        entries = [
            entry
            for entry in self._journal.open_entries()
            if entry.request_id not in self._in_hand
        ]
        being_reversed = {entry.original for entry in entries if entry.original}
        for entry in entries:
            if entry.request_id in being_reversed:
                continue  # its reversal stands further down in the list
            try:
                settled.append(await self._settle_entry(entry))
            except StillOpenError:
                continue  # in the journal, for the next time
        return settled

    async def _settle_entry(self, entry: JournalEntry) -> Settled:
        reversal = entry.reversal()
        if reversal is not None:
            return await self._finish(reversal)
        return await self.undo(
            UUID(entry.request_id),
            reason=ReversalReason.TIMEOUT,
            terminal_id=entry.terminal_id,
        )

    async def _finish(self, reversal: Reverse) -> Settled:
        original = reversal.original_request_id
        both = {str(reversal.request_id), str(original)}
        self._in_hand |= both
        try:
            answer = await self._attempt(
                reversal, attempts=self._policy.reversal_attempts
            )
            settled = await self._conclude(reversal, answer)
        except RefusedError:
            raise
        except TillError as error:
            raise StillOpenError(original, error) from error
        finally:
            self._in_hand -= both
        await self._journal.end(
            [reversal.request_id, original], f"REVERSAL {answer.result.name}"
        )
        return settled

    async def _conclude(self, reversal: Reverse, answer: Answer) -> Settled:
        original = reversal.original_request_id
        if answer.approved or answer.result is Result.ORIGINAL_NOT_FOUND:
            return Settled(request_id=original, ending=Ending.UNDONE, answer=answer)
        # Declined, so the original stands if it was done: its money was spent since,
        # or this till may not reverse any more. What is recorded tells.
        enquiry = GetTransaction(
            request_id=original,
            terminal_id=reversal.original_terminal_id or reversal.terminal_id,
        )
        try:
            recorded = await self._attempt(
                enquiry, attempts=self._policy.reversal_attempts
            )
        except NotRecordedError:
            return Settled(
                request_id=original, ending=Ending.REVERSAL_DECLINED, answer=answer
            )
        return Settled(request_id=original, ending=Ending.ANSWERED, answer=recorded)

    async def _attempt(
        self, request: Recorded | GetTransaction, *, attempts: int
    ) -> Answer:
        """
        Send until an answer comes, and raise what ended the last attempt.
        """
        return await send_again(
            self._sender, request, attempts, policy=self._policy, pause=self._pause
        )


async def send_again(
    sender: Sender,
    request: Request,
    attempts: int,
    *,
    policy: ResolvePolicy,
    pause: Callable[[float], Awaitable[None]],
) -> Answer:
    """
    Send the same request up to `attempts` times, until an answer comes.

    An answer that cannot be read, a refusal and "not recorded" come back the same
    each time, so they end it at once.
    """
    for attempt in range(attempts - 1):
        try:
            return await sender.send(request)
        except (AnswerUnreadableError, NotRecordedError, RefusedError):
            raise
        except TillError as error:
            await pause(policy.pause_s(attempt, error))
    return await sender.send(request)
