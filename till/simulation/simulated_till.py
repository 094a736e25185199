"""
Be one till of the chain: serve shoppers one after another, whatever goes wrong.

It sells with the same Shop that vendors get; the trouble comes from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Final, assert_never

from currency import Money
from till.answer import Answer
from till.card_number import CardNumber
from till.client import Sender
from till.codes import EntryMode, Result, ReversalReason
from till.errors import TillError
from till.journal import MemoryJournal
from till.requests import (
    Activate,
    Load,
    Redeem,
    Sale,
    TillContext,
    new_request_id,
)
from till.shop import Ending, ResolvePolicy, Settled, Shop, StillOpenError
from till.simulation.plan import TopUp, Visit
from till.simulation.senders import LossySender, MeasuringSender
from till.simulation.tally import Tally
from till.simulation.trouble import Trouble

POLICY: Final = ResolvePolicy(
    resends=2, reversal_attempts=10, first_pause_s=0.01, longest_pause_s=1.0
)


class SimulatedTill:
    """
    Serve visits over a client or a controller's stream.
    """

    def __init__(
        self,
        sender: Sender,
        terminal_id: str,
        tally: Tally,
        *,
        chance: Random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._terminal_id = terminal_id
        self._tally = tally
        self._line = MeasuringSender(sender, tally)
        self._lossy = LossySender(self._line, chance)
        self._shop = Shop(
            self._lossy,
            MemoryJournal(),
            terminal_id=terminal_id,
            policy=POLICY,
            pause=pause,
        )
        self._at_the_desk = asyncio.Lock()

    async def serve(self, visit: Visit, card: CardNumber) -> None:
        """
        Put money on the card where planned, then sell; note what is not as planned.
        """
        async with self._at_the_desk:
            try:
                for top_up in visit.top_ups:
                    await self._put_money_on(visit, top_up, card)
                await self._sell(visit, card)
            except (StillOpenError, TillError) as error:
                self._tally.differs(f"purchase {visit.number}: {error}")
            self._tally.visits += 1

    async def _put_money_on(
        self, visit: Visit, top_up: TopUp, card: CardNumber
    ) -> None:
        request = self._top_up_request(visit, top_up, card)
        settled = await self._bring_about(request, top_up.trouble)
        if not settled.paid:
            self._tally.differs(
                f"purchase {visit.number}: {type(request).__name__} of {top_up.amount} "
                f"ended {settled.ending.value}, {settled.answer.result.name}"
            )

    async def _sell(self, visit: Visit, card: CardNumber) -> None:
        request = Redeem(
            request_id=new_request_id(),
            card_number=card,
            amount=visit.amount,
            terminal_id=self._terminal_id,
            context=self._context(visit),
        )
        settled = await self._bring_about(request, visit.trouble)
        if settled.paid:
            self._tally.sold(visit, settled.request_id, settled.answer)
        elif visit.cents == 0 and settled.answer.result is Result.INVALID_AMOUNT:
            self._tally.refused_empty += 1
        else:
            self._tally.differs(
                f"purchase {visit.number}: {visit.amount} ended "
                f"{settled.ending.value}, {settled.answer.result.name}"
            )

    async def _bring_about(self, request: Sale, trouble: Trouble) -> Settled:
        """
        Perform a request with its trouble, and end with one that is paid.
        """
        self._tally.troubles[trouble.value] += 1
        match trouble:
            case Trouble.NONE:
                pass
            case Trouble.SENT_TWICE:
                return await self._send_twice(request)
            case Trouble.ANSWER_LOST:
                self._lossy.lose(request.request_id, 1)
            case Trouble.NO_ANSWER:
                self._lossy.lose(request.request_id, 1 + POLICY.resends)
                undone = await self._shop.perform(request)
                self._expect_undone(undone)
                request = replace(request, request_id=new_request_id())
            case Trouble.CHANGED_MIND:
                await self._shop.perform(request)
                undone = await self._shop.undo(request.request_id)
                self._expect_undone(undone)
                request = replace(request, request_id=new_request_id())
            case Trouble.OVERTAKEN:
                await self._overtake(request)
                request = replace(request, request_id=new_request_id())
            case _:
                assert_never(trouble)
        return await self._shop.perform(request)

    async def _send_twice(self, request: Sale) -> Settled:
        """
        Send two copies at once: one debit, and the same answer to both.
        """
        settled, copy = await asyncio.gather(
            self._shop.perform(request), self._copy_of(request)
        )
        if copy is not None and settled.ending is Ending.ANSWERED:
            first, second = (
                replace(answer, replayed=False) for answer in (settled.answer, copy)
            )
            if first != second or not (settled.answer.replayed or copy.replayed):
                self._tally.differs(
                    f"request {request.request_id}: two answers to one request id"
                )
        return settled

    async def _copy_of(self, request: Sale) -> Answer | None:
        try:
            return await self._line.send(request)
        except TillError:
            return None  # counted as a failure; the shop goes on with the other copy

    async def _overtake(self, request: Sale) -> None:
        """
        Let the reversal arrive first: it is final, and shuts the request out.
        """
        undone = await self._shop.undo(
            request.request_id, reason=ReversalReason.TIMEOUT
        )
        if undone.answer.result is not Result.ORIGINAL_NOT_FOUND:
            self._tally.differs(
                f"request {request.request_id}: reversed before it was sent, and "
                f"answered {undone.answer.result.name}"
            )
        late = await self._copy_of(request)
        if late is not None and late.result is not Result.ALREADY_REVERSED:
            self._tally.differs(
                f"request {request.request_id}: late after its reversal, and answered "
                f"{late.result.name}"
            )

    def _expect_undone(self, settled: Settled) -> None:
        if settled.ending is not Ending.UNDONE:
            self._tally.differs(
                f"request {settled.request_id}: should be undone, and ended "
                f"{settled.ending.value}, {settled.answer.result.name}"
            )

    def _top_up_request(
        self, visit: Visit, top_up: TopUp, card: CardNumber
    ) -> Activate | Load:
        amount: Money = top_up.amount
        if top_up.activates:
            return Activate(
                request_id=new_request_id(),
                card_number=card,
                initial_amount=amount,
                terminal_id=self._terminal_id,
                context=self._context(visit),
            )
        return Load(
            request_id=new_request_id(),
            card_number=card,
            amount=amount,
            terminal_id=self._terminal_id,
            context=self._context(visit),
        )

    def _context(self, visit: Visit) -> TillContext:
        return TillContext(
            merchant_reference=f"purchase {visit.number}",
            entry_mode=EntryMode.SCANNED,
            local_time=visit.local_time,
        )
