"""
What a till asks about a card's life: to block it, to close it, to empty it to another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from uuid import UUID

from till.answer import Answer
from till.card_number import CardNumber
from till.codes import BlockReason
from till.pin import Pin
from till.requests import (
    NO_CONTEXT,
    Block,
    Deactivate,
    Request,
    TillContext,
    TransferBalance,
)


class LifeCalls(ABC):
    """
    Be the part of a client that speaks of a card's life.
    """

    terminal_id: str

    @abstractmethod
    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send a request as it is, and give its answer.
        """

    async def block(
        self,
        card_number: CardNumber,
        reason: BlockReason,
        *,
        request_id: UUID,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Block a card at once. Only the call centre can unblock it.
        """
        request = Block(
            request_id=request_id,
            card_number=card_number,
            reason=reason,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def transfer_balance(
        self,
        card_number: CardNumber,
        to_card_number: CardNumber,
        *,
        request_id: UUID,
        pin: Pin | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Move all that can be spent to another card; the answer says how much it was.
        """
        request = TransferBalance(
            request_id=request_id,
            card_number=card_number,
            to_card_number=to_card_number,
            pin=pin,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def deactivate(
        self,
        card_number: CardNumber,
        *,
        request_id: UUID,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Close an empty card for ever.
        """
        request = Deactivate(
            request_id=request_id,
            card_number=card_number,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)
