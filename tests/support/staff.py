"""
Staff for tests: desks of the operator's own merchant, and the generated stub.

Merchant `ops` accepts programme `gift`; desk ops/beirut has amira (call centre), omar
and zeina (operators) and a till, ops/cairo has omar again, and hassan, who is both.
Merchant `rival` accepts the programme too and has an operator; `stranger` does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from gateway.domain.cards import BlockReason
from gateway.domain.staff import StaffRole
from scrip.v1 import card_pb2
from scrip.v1 import staff_service_pb2 as pb
from scrip.v1 import staff_service_pb2_grpc as pb_grpc
from tests.support.seed import DeviceSeed, seed_device
from tests.support.tills import DEADLINE_S, Till, Tills, money, new_id

if TYPE_CHECKING:
    from tests.support.server import Card, Gateway
    from tests.support.told import Outcome

_CALLS: Final = (int(StaffRole.CALL_CENTRE),)
_OPERATES: Final = (int(StaffRole.OPERATOR),)

STAFF: Final[Mapping[str, DeviceSeed]] = {
    "amira": DeviceSeed("ops", "beirut", "amira", "amira", _CALLS),
    "omar": DeviceSeed("ops", "beirut", "omar", "omar", _OPERATES),
    "zeina": DeviceSeed("ops", "beirut", "zeina", "zeina", _OPERATES),
    "omar-in-cairo": DeviceSeed("ops", "cairo", "omar", "omar", _OPERATES),
    "hassan": DeviceSeed("ops", "cairo", "hassan", "hassan", (*_CALLS, *_OPERATES)),
    "rival": DeviceSeed("rival", "desk", "rima", "rima", _OPERATES),
    "stranger": DeviceSeed("m-2", "s-1", "sami", "sami", _OPERATES),
    "desk-till": DeviceSeed("ops", "beirut", "till-9", "t-9"),
    "desk-controller": DeviceSeed("ops", "beirut", "controller", None),
}

_PARTIES: Final = """
INSERT INTO merchant (code, name) VALUES ('ops', 'Operator'), ('rival', 'Rival')
ON CONFLICT (code) DO NOTHING;
INSERT INTO program_merchant (program_id, merchant_id)
SELECT program_id, merchant_id FROM program, merchant
WHERE merchant.code IN ('ops', 'rival')
ON CONFLICT DO NOTHING;
INSERT INTO store (merchant_id, code, country, currencies, time_zone)
SELECT merchant_id, s.code, 'LB', '{USD}', 'Asia/Beirut'
FROM merchant, (VALUES ('ops', 'beirut'), ('ops', 'cairo'), ('rival', 'desk'))
    AS s (merchant, code)
WHERE merchant.code = s.merchant
ON CONFLICT DO NOTHING;
"""


@dataclass(slots=True, kw_only=True)
class Colleague:
    """
    One staff member over one connection. Each method sends one request.
    """

    name: str
    till: Till
    stub: pb_grpc.StaffServiceAsyncStub

    @property
    def desk(self) -> str:
        """
        Name the desk as somebody of another store does.
        """
        seed = STAFF[self.name]
        return f"{seed.store}/{seed.terminal}"

    async def get_card(self, card: Card | str, **more: Any) -> pb.GetCardResponse:
        """
        Look a card up.
        """
        number = card if isinstance(card, str) else card.number
        request = pb.GetCardRequest(card_number=number, **more)
        response: pb.GetCardResponse = await self._send("GetCard", request)
        return response

    async def reset_pin(self, card: Card | str, **more: Any) -> Outcome:
        """
        Let a card's PIN be tried again.
        """
        more.setdefault("request_id", new_id())
        number = card if isinstance(card, str) else card.number
        request = pb.ResetPinRequest(card_number=number, **more)
        outcome: Outcome = (await self._send("ResetPin", request)).outcome
        return outcome

    async def block(self, card: Card, reason: BlockReason, **more: Any) -> Outcome:
        """
        Block a card.
        """
        more.setdefault("request_id", new_id())
        request = pb.StaffServiceBlockRequest(
            card_number=card.number,
            block_reason=card_pb2.BlockReason.ValueType(reason),
            **more,
        )
        outcome: Outcome = (await self._send("Block", request)).outcome
        return outcome

    async def unblock(self, card: Card, **more: Any) -> Outcome:
        """
        Let a card be used again.
        """
        more.setdefault("request_id", new_id())
        request = pb.UnblockRequest(card_number=card.number, **more)
        outcome: Outcome = (await self._send("Unblock", request)).outcome
        return outcome

    async def replace(self, card: Card, by: Card | str, **more: Any) -> Outcome:
        """
        Put a card in the place of another.
        """
        more.setdefault("request_id", new_id())
        request = pb.ReplaceRequest(
            card_number=card.number,
            to_card_number=by if isinstance(by, str) else by.number,
            **more,
        )
        outcome: Outcome = (await self._send("Replace", request)).outcome
        return outcome

    async def adjust(
        self,
        card: Card | str,
        minor: int,
        currency: str = "USD",
        *,
        reason: str = "paid twice",
        **more: Any,
    ) -> Outcome:
        """
        Ask for an adjustment, down where the amount is negative.
        """
        exponent = more.pop("exponent", None)
        more.setdefault("request_id", new_id())
        more.setdefault(
            "type",
            pb.ADJUSTMENT_TYPE_INCREMENT
            if minor >= 0
            else pb.ADJUSTMENT_TYPE_DECREMENT,
        )
        request = pb.AdjustRequest(
            card_number=card if isinstance(card, str) else card.number,
            amount=money(abs(minor), currency, exponent),
            reason=reason,
            **more,
        )
        outcome: Outcome = (await self._send("Adjust", request)).outcome
        return outcome

    async def approve(self, original: Outcome | str, desk: str, **more: Any) -> Outcome:
        """
        Let an adjustment happen, by its answer or its id.
        """
        more.setdefault("request_id", new_id())
        request = pb.ApproveAdjustmentRequest(
            original_request_id=(
                original if isinstance(original, str) else original.request_id
            ),
            original_terminal_id=desk,
            **more,
        )
        outcome: Outcome = (await self._send("ApproveAdjustment", request)).outcome
        return outcome

    async def _send(self, method: str, request: Any) -> Any:
        return await getattr(self.stub, method)(request, timeout=DEADLINE_S)


class Desks:
    """
    Opens staff members on a gateway; the tills' opener closes them.
    """

    def __init__(self, tills: Tills) -> None:
        self._tills = tills
        with psycopg.connect(tills.gateway.database.owner_dsn) as connection:
            connection.execute(_PARTIES)

    async def __call__(self, name: str) -> Colleague:
        """
        Open a staff member by their name in STAFF.
        """
        till = self.till(name)
        return Colleague(
            name=name, till=till, stub=pb_grpc.StaffServiceStub(till.channel)
        )

    def till(self, name: str) -> Till:
        """
        Open a device at a desk as a till.
        """
        gateway = self._tills.gateway
        register(gateway, name)
        return self._tills.connect(name, gateway.devices[name])

    async def as_staff(self, till: Till) -> Colleague:
        """
        Let a till speak as if it were of the staff.
        """
        return Colleague(
            name=till.name, till=till, stub=pb_grpc.StaffServiceStub(till.channel)
        )


def register(gateway: Gateway, name: str) -> None:
    """
    Register a device at a desk, the first time.
    """
    if name not in gateway.devices:
        dsn = gateway.database.owner_dsn
        gateway.devices[name] = seed_device(dsn, gateway.authority, STAFF[name])
