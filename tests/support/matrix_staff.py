"""
What staff do, in the table. Their service has neither Reverse nor Transact.

What they need first stands in the notes: a staff member's connection. A Reverse of
what staff did comes from a till of the desk's store that names the desk
(`original_terminal_id`) and is refused, TERMINAL_DENIED, before it came too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scrip.v1 import card_pb2
from scrip.v1 import staff_service_pb2 as staff_pb
from tests.support.look import CardRow
from tests.support.matrix import CANNOT, Case, Entry
from tests.support.matrix_desk import open_desk
from tests.support.matrix_ways import active, approved
from tests.support.tills import money, new_id
from tests.support.told import result_of

if TYPE_CHECKING:
    from tests.support.matrix import Bench
    from tests.support.server import Card

CALL_CENTRE: Final = "amira"
OPERATOR: Final = "omar"
RIGHT, WRONG, TRIES = "493827", "000000", 3


async def _lost(bench: Bench) -> Card:
    card = await bench.card()
    await approved(
        bench.till.ask(
            "Block", card_number=card.number, reason=card_pb2.BLOCK_REASON_LOST
        )
    )
    return card


async def _block(bench: Bench) -> Case:
    card = await bench.card()
    request = staff_pb.StaffServiceBlockRequest(
        request_id=new_id(),
        card_number=card.number,
        block_reason=card_pb2.BLOCK_REASON_LOST,
    )
    return Case(request=request, cards=(card,))


async def _reset_pin(bench: Bench) -> Case:
    card = await bench.card(product="pin", pin=RIGHT)
    for _ in range(TRIES):
        refused = await bench.till.redeem(card, 1_00, pin=WRONG)
        assert result_of(refused) == "INCORRECT_PIN"
    request = staff_pb.ResetPinRequest(request_id=new_id(), card_number=card.number)
    return Case(request=request, cards=(card,))


async def _unblock(bench: Bench) -> Case:
    card = await _lost(bench)
    request = staff_pb.UnblockRequest(request_id=new_id(), card_number=card.number)
    return Case(request=request, cards=(card,))


async def _replace(bench: Bench) -> Case:
    card, other = await _lost(bench), await bench.card(None)
    request = staff_pb.ReplaceRequest(
        request_id=new_id(), card_number=card.number, to_card_number=other.number
    )
    return Case(request=request, cards=(card, other))


def _adjustment(card: Card) -> staff_pb.AdjustRequest:
    return staff_pb.AdjustRequest(
        request_id=new_id(),
        card_number=card.number,
        type=staff_pb.ADJUSTMENT_TYPE_INCREMENT,
        amount=money(15_00),
        reason="goodwill",
    )


async def _adjust(bench: Bench) -> Case:
    card = await bench.card()
    return Case(request=_adjustment(card), cards=(card,))


async def _approve(bench: Bench) -> Case:
    card = await bench.card()
    asked = _adjustment(card)
    desk = await open_desk(bench.tills, CALL_CENTRE, 1)
    assert (await desk.send("Adjust", asked)).outcome.response_code == "00"
    request = staff_pb.ApproveAdjustmentRequest(
        request_id=new_id(),
        original_request_id=asked.request_id,
        original_terminal_id=CALL_CENTRE,
    )
    return Case(request=request, cards=(card,))


STAFF: Final = (
    Entry(
        name="Block, by staff",
        by=CALL_CENTRE,
        staff=True,
        prepare=_block,
        after=(CardRow("BLOCKED", 100_00, 1),),
        reversal=CANNOT,
    ),
    Entry(
        name="ResetPin",
        by=CALL_CENTRE,
        staff=True,
        prepare=_reset_pin,
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Unblock",
        by=CALL_CENTRE,
        staff=True,
        prepare=_unblock,
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Replace",
        by=CALL_CENTRE,
        staff=True,
        prepare=_replace,
        # The loads move with the money.
        after=(CardRow("REPLACED", 0, 0), *active(100_00)),
        reversal=CANNOT,
    ),
    Entry(
        name="Adjust",
        by=CALL_CENTRE,
        staff=True,
        prepare=_adjust,
        state="PENDING",
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="ApproveAdjustment",
        by=OPERATOR,
        staff=True,
        prepare=_approve,
        after=active(115_00),
        reversal=CANNOT,
    ),
)
