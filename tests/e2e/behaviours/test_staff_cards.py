"""
Block, Unblock and Replace by staff: behaviours 32 and 33 from a desk.
"""

from __future__ import annotations

import pytest

from scrip.v1 import card_pb2
from scrip.v1 import staff_service_pb2 as pb
from tests.support.server import Gateway
from tests.support.staff import Desks
from tests.support.tills import MakeCard, Tills, new_id
from tests.support.told import Told, told

LOST = card_pb2.BLOCK_REASON_LOST


@pytest.fixture
def desks(tills: Tills) -> Desks:
    """
    Open staff on the shared gateway.
    """
    return Desks(tills)


async def test_a_lost_card_is_blocked_and_unblocked(
    desks: Desks, tills: Tills, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    By the call centre; a till sees 41 between the two, and each call has its row.
    """
    amira, till, own = await desks("amira"), await tills("till-1"), await card()
    blocking = pb.StaffServiceBlockRequest(
        request_id=new_id(), card_number=own.number, block_reason=LOST
    )
    freeing = pb.UnblockRequest(request_id=new_id(), card_number=own.number)

    blocked = (await amira.stub.Block(blocking)).outcome
    refused = await till.redeem(own, 1_00)
    again = (await amira.stub.Block(blocking)).outcome
    freed = (await amira.stub.Unblock(freeing)).outcome
    paid = await till.redeem(own, 1_00)

    assert [one.response_code for one in (blocked, refused, again, freed, paid)] == [
        "00",
        "41",
        "00",
        "00",
        "00",
    ]
    assert again.replayed
    rows = gateway_process.sql(
        "SELECT staff, operation, replayed FROM audit WHERE card_id = %s "
        "ORDER BY audit_id",
        own.card_id,
    )
    assert rows == [("amira", 2, False), ("amira", 2, True), ("amira", 3, False)]


async def test_a_lost_card_is_replaced(
    desks: Desks, tills: Tills, card: MakeCard
) -> None:
    """
    The pending card has the whole balance; what waits for approval acts on it.
    """
    amira, omar, till = await desks("amira"), await desks("omar"), await tills("till-1")
    own, new = await card(), await card(None)
    asked = await amira.adjust(own, 5_00)
    await amira.stub.Block(
        pb.StaffServiceBlockRequest(
            request_id=new_id(), card_number=own.number, block_reason=LOST
        )
    )

    replacing = pb.ReplaceRequest(
        request_id=new_id(), card_number=own.number, to_card_number=new.number
    )
    replaced = (await omar.stub.Replace(replacing)).outcome
    done = await omar.approve(asked, "amira")

    assert (replaced.response_code, done.response_code) == ("00", "00")
    assert (await till.balance(new)).available_balance.minor_units == 105_00
    old = await omar.get_card(own)
    assert old.outcome.card.state == card_pb2.Card.STATE_REPLACED


async def test_a_card_that_nobody_reported_is_not_replaced(
    desks: Desks, card: MakeCard
) -> None:
    """
    12 CARD_NOT_FLAGGED, and the card is ACTIVE as before.
    """
    amira, own, new = await desks("amira"), await card(), await card(None)
    replacing = pb.ReplaceRequest(
        request_id=new_id(), card_number=own.number, to_card_number=new.number
    )
    refused = (await amira.stub.Replace(replacing)).outcome

    assert told(refused) == Told(
        result="CARD_NOT_FLAGGED", code="12", card="ACTIVE", state="DECLINED"
    )
