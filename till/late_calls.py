"""
What a till says after the fact: that an approval stands, that a sale was made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from uuid import UUID

from currency import Money
from till.answer import Answer
from till.card_number import CardNumber
from till.requests import NO_CONTEXT, Advice, Confirm, Request, TillContext


class LateCalls(ABC):
    """
    Be the part of a client that speaks of what is done already.
    """

    terminal_id: str

    @abstractmethod
    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send a request as it is, and give its answer.
        """

    async def confirm(
        self,
        original_request_id: UUID,
        *,
        request_id: UUID,
        original_terminal_id: str = "",
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Confirm an approved request, at a terminal that sends two messages.
        """
        request = Confirm(
            request_id=request_id,
            original_request_id=original_request_id,
            original_terminal_id=original_terminal_id,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def advice(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        request_id: UUID,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Tell of a sale that was made already; an OfflineQueue keeps it until then.
        """
        request = Advice(
            request_id=request_id,
            card_number=card_number,
            amount=amount,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)
