"""
What a till asks about holds: to place one, to enlarge it, to capture it, to give it up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from uuid import UUID

from currency import Money
from till.answer import Answer
from till.card_number import CardNumber
from till.pin import Pin
from till.requests import (
    NO_CONTEXT,
    Authorize,
    CancelAuthorization,
    Capture,
    IncrementAuthorization,
    Request,
    TillContext,
)


class HoldCalls(ABC):
    """
    Be the part of a client that speaks of holds.
    """

    terminal_id: str

    @abstractmethod
    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Send a request as it is, and give its answer.
        """

    async def authorize(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        request_id: UUID,
        allow_partial: bool = False,
        time_to_live_s: int | None = None,
        pin: Pin | None = None,
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Hold an amount; the answer's `hold` says how much of it, and until when.
        """
        request = Authorize(
            request_id=request_id,
            card_number=card_number,
            amount=amount,
            allow_partial=allow_partial,
            time_to_live_s=time_to_live_s,
            pin=pin,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def increment_authorization(
        self,
        original_request_id: UUID,
        amount: Money,
        *,
        request_id: UUID,
        original_terminal_id: str = "",
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Hold more under the hold that an Authorize placed, in its currency.
        """
        request = IncrementAuthorization(
            request_id=request_id,
            original_request_id=original_request_id,
            amount=amount,
            original_terminal_id=original_terminal_id,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def capture(
        self,
        original_request_id: UUID,
        amount: Money | None = None,
        *,
        request_id: UUID,
        keep_open: bool = False,
        original_terminal_id: str = "",
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Spend from a hold, all that is left without an amount; the rest is released.

        With `keep_open` the rest stays held for further captures.
        """
        request = Capture(
            request_id=request_id,
            original_request_id=original_request_id,
            amount=amount,
            keep_open=keep_open,
            original_terminal_id=original_terminal_id,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)

    async def cancel_authorization(
        self,
        original_request_id: UUID,
        *,
        request_id: UUID,
        original_terminal_id: str = "",
        context: TillContext = NO_CONTEXT,
        timeout_s: float | None = None,
    ) -> Answer:
        """
        Give up what is left of a hold.
        """
        request = CancelAuthorization(
            request_id=request_id,
            original_request_id=original_request_id,
            original_terminal_id=original_terminal_id,
            terminal_id=self.terminal_id,
            context=context,
        )
        return await self.send(request, timeout_s=timeout_s)
