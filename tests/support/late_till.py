"""
What a till for tests says after the fact: GetTransaction, Confirm and Advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from currency import Currency
from scrip.v1 import money_pb2

if TYPE_CHECKING:
    from tests.support.server import Card
    from tests.support.told import Outcome


class LateTill:
    """
    Be the part of a Till that speaks of what is done already.
    """

    async def ask(self, method: str, **fields: Any) -> Outcome:
        """
        Send any request by its fields.
        """
        raise NotImplementedError

    async def transaction(self, original: Outcome | str, **more: Any) -> Outcome:
        """
        Ask what is recorded for a request, by its answer or its id.
        """
        request_id = original if isinstance(original, str) else original.request_id
        return await self.ask("GetTransaction", request_id=request_id, **more)

    async def confirm(self, original: Outcome | str, **more: Any) -> Outcome:
        """
        Confirm what was approved, by its answer or its id.
        """
        original_id = original if isinstance(original, str) else original.request_id
        return await self.ask("Confirm", original_request_id=original_id, **more)

    async def advice(
        self, card: Card | str, minor: int, currency: str = "USD", **more: Any
    ) -> Outcome:
        """
        Tell of a sale that was made offline.
        """
        amount = money_pb2.Money(
            minor_units=minor,
            currency_code=currency,
            exponent=Currency.of(currency).exponent,
        )
        number = card if isinstance(card, str) else card.number
        return await self.ask("Advice", card_number=number, amount=amount, **more)
