"""
The call centre beside a gateway: a lane of its own on the same books.

It asks for what only staff may, with a name, through the engine that the workers run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from gateway.domain.cards import BlockReason
from gateway.domain.commands import (
    NO_CONTEXT,
    Block,
    CardRef,
    Fingerprint,
    MoneyCommand,
    Replace,
    Unblock,
)
from gateway.domain.ids import RequestId, TerminalId
from gateway.domain.policy import Caller, DeviceName
from gateway.domain.results import Channel
from tests.support.real_lanes import real_lane

if TYPE_CHECKING:
    from gateway.engine.answers import Answer
    from tests.support.server import Card, Gateway

CLERK: Final = "clerk-7"
_DESK: Final = """
SELECT t.terminal_id, d.code, c.sha256
FROM device AS d
JOIN device_certificate AS c USING (device_id)
JOIN terminal AS t USING (terminal_id)
JOIN store AS s ON s.store_id = d.store_id
JOIN merchant AS m USING (merchant_id)
WHERE m.code = 'm-1' AND s.code = 's-1' AND NOT d.revoked AND NOT c.revoked
ORDER BY d.device_id LIMIT 1
"""
_REF: Final = "SELECT number_index, last_four FROM card WHERE card_id = %s"


@dataclass(frozen=True, slots=True)
class CallDesk:
    """
    A clerk of the call centre, at one gateway's books.
    """

    gateway: Gateway
    terminal_id: TerminalId
    caller: Caller

    @classmethod
    def of(cls, gateway: Gateway) -> Self:
        """
        Sit down where a till of the first store is.
        """
        ((terminal_id, device, sha256),) = gateway.sql(_DESK)
        caller = Caller(DeviceName("m-1", "s-1", device), bytes(sha256))
        return cls(gateway, TerminalId(terminal_id), caller)

    async def block(self, card: Card, reason: BlockReason) -> Answer:
        """
        Block a card.
        """
        return await self.ask(Block(**self._common(card), reason=reason))

    async def unblock(self, card: Card) -> Answer:
        """
        Let a card be used again.
        """
        return await self.ask(Unblock(**self._common(card)))

    async def replace(self, card: Card, by: Card) -> Answer:
        """
        Put a card in the place of another.
        """
        return await self.ask(Replace(**self._common(card), other=self._ref(by)))

    async def ask(self, command: MoneyCommand) -> Answer:
        """
        Ask for one thing, on a lane that is closed afterwards.
        """
        async with real_lane(self.gateway.database.gateway_dsn) as lane:
            return await lane.submit(command, self.caller)

    def _common(self, card: Card) -> dict[str, Any]:
        return {
            "request_id": RequestId(os.urandom(16)),
            "terminal_id": self.terminal_id,
            "card": self._ref(card),
            "till": NO_CONTEXT,
            "fingerprint": Fingerprint(1, os.urandom(32)),
            "content": b"",
            "channel": Channel.IVR,
            "actor": CLERK,
        }

    def _ref(self, card: Card) -> CardRef:
        ((index, last_four),) = self.gateway.sql(_REF, card.card_id)
        return CardRef(bytes(index), last_four)
