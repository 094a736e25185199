"""
Adjust and ApproveAdjustment: two people of the staff put a balance right.
"""

from __future__ import annotations

import asyncio

import grpc
import pytest

from gateway.domain.cards import BlockReason, CardState
from scrip.v1 import card_pb2, transaction_pb2
from tests.support.look import CardRow, Look
from tests.support.staff import Desks
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    fault,
    new_id,
)
from tests.support.told import told

PENDING = transaction_pb2.CURRENT_STATE_PENDING
POSTED = transaction_pb2.CURRENT_STATE_POSTED
DECLINED = transaction_pb2.CURRENT_STATE_DECLINED


@pytest.fixture
def desks(tills: Tills) -> Desks:
    """
    Open staff on the shared gateway.
    """
    return Desks(tills)


@pytest.mark.parametrize(
    ("minor", "activity"),
    [
        (25_00, transaction_pb2.ACTIVITY_TYPE_ADJUST_INCREMENT),
        (-25_00, transaction_pb2.ACTIVITY_TYPE_ADJUST_DECREMENT),
    ],
)
async def test_two_people_adjust(
    desks: Desks, card: MakeCard, look: Look, minor: int, activity: int
) -> None:
    """
    The request moves nothing; the approval moves all, on the programme's account.
    """
    amira, omar, own = await desks("amira"), await desks("omar"), await card()

    asked = await amira.adjust(own, minor)

    assert (asked.response_code, asked.current_state) == ("00", PENDING)
    assert asked.available_balance.minor_units == 100_00
    assert asked.approved_amount.minor_units == 0
    assert asked.approval_code == ""
    assert look.gateway.balance_of(own) == 100_00

    done = await omar.approve(asked, "amira")

    assert (done.response_code, done.current_state) == ("00", POSTED)
    assert done.activity_type == activity
    assert done.original_transaction_id == asked.transaction_id
    assert done.approved_amount.minor_units == abs(minor)
    assert done.previous_balance.minor_units == 100_00
    assert done.available_balance.minor_units == 100_00 + minor
    assert done.approval_code
    assert look.postings(done) == [
        ("CARD_LIABILITY", "USD", -minor),
        ("ADJUSTMENTS", "USD", minor),
    ]
    assert look.gateway.balance_of(own) == 100_00 + minor


async def test_nobody_approves_their_own(
    desks: Desks, card: MakeCard, look: Look
) -> None:
    """
    One's own request: 57, recorded, at another desk too; somebody else still may.
    """
    omar, there, own = await desks("omar"), await desks("omar-in-cairo"), await card()
    asked = await omar.adjust(own, 5_00)

    alone = await omar.approve(asked, "omar")
    elsewhere = await there.approve(asked, omar.desk)

    assert (alone.response_code, elsewhere.response_code) == ("57", "57")
    assert "somebody else" in alone.receipt_text
    assert look.gateway.balance_of(own) == 100_00
    hassan = await desks("hassan")
    assert (await hassan.approve(asked, omar.desk)).response_code == "00"


async def test_an_adjustment_is_approved_once(
    desks: Desks, card: MakeCard, look: Look
) -> None:
    """
    A second approval is 21, whoever gives it; of two at once one is.
    """
    amira, omar, zeina = [await desks(name) for name in ("amira", "omar", "zeina")]
    own = await card()
    asked = await amira.adjust(own, 5_00)

    told = await asyncio.gather(
        omar.approve(asked, "amira"), zeina.approve(asked, "amira")
    )
    again = await omar.approve(asked, "amira")

    assert sorted(one.response_code for one in told) == ["00", "21"]
    assert again.response_code == "21"
    assert look.gateway.balance_of(own) == 105_00


async def test_answers_are_kept(desks: Desks, card: MakeCard, look: Look) -> None:
    """
    Replays answer alike and say what became of it; other content is 94.
    """
    amira, omar, own = await desks("amira"), await desks("omar"), await card()
    asking, letting = new_id(), new_id()
    asked = await amira.adjust(own, 5_00, request_id=asking)
    waits = await amira.adjust(own, 5_00, request_id=asking)
    done = await omar.approve(asked, "amira", request_id=letting)

    again = await amira.adjust(own, 5_00, request_id=asking)
    done_again = await omar.approve(asked, "amira", request_id=letting)
    others = [
        await amira.adjust(own, 6_00, request_id=asking),
        await amira.adjust(own, -5_00, request_id=asking),
        await amira.adjust(own, 5_00, reason="another", request_id=asking),
        await omar.approve(new_id(), "amira", request_id=letting),
    ]

    assert (waits.replayed, waits.current_state) == (True, PENDING)
    assert (again.replayed, again.current_state) == (True, POSTED)
    assert again.transaction_id == asked.transaction_id
    assert done_again.replayed
    done_again.replayed = False
    assert done_again == done
    assert [one.response_code for one in others] == ["94"] * 4
    assert others[1].activity_type == transaction_pb2.ACTIVITY_TYPE_ADJUST_DECREMENT
    assert look.gateway.balance_of(own) == 105_00


async def test_what_cannot_be_adjusted(desks: Desks, card: MakeCard) -> None:
    """
    Bad amounts, unknown and closed cards, another currency, a limit, no funds.
    """
    amira, own = await desks("amira"), await card()
    pending, limited = await card(None), await card(100_00, product="limited")
    closed = await card(100_00, state=CardState.DEACTIVATED)

    told = {
        "zero": await amira.adjust(own, 0),
        "exponent": await amira.adjust(own, 1_00, exponent=3),
        "unknown": await amira.adjust(UNKNOWN_NUMBER, 1_00),
        "pending": await amira.adjust(pending, 1_00),
        "closed": await amira.adjust(closed, 1_00),
        "currency": await amira.adjust(own, 1_00, "EUR"),
        "limit": await amira.adjust(limited, 400_01),
        "funds": await amira.adjust(own, -100_01),
        "bounds": await amira.adjust(own, 10**15),
    }

    assert {name: one.response_code for name, one in told.items()} == {
        "zero": "13",
        "exponent": "13",
        "unknown": "14",
        "pending": "78",
        "closed": "78",
        "currency": "57",
        "limit": "61",
        "funds": "51",
        "bounds": "13",
    }
    for one in told.values():
        assert one.current_state == DECLINED


async def test_what_was_declined_is_never_approved(
    desks: Desks, card: MakeCard
) -> None:
    """
    A declined request and an approval are nothing to approve (21); a sale is none (25).
    """
    amira, omar, zeina = [await desks(name) for name in ("amira", "omar", "zeina")]
    own = await card()
    declined = await amira.adjust(own, -200_00)
    done = await omar.approve(await amira.adjust(own, 1_00), "amira")

    assert (await omar.approve(declined, "amira")).response_code == "21"
    assert (await zeina.approve(done, "omar")).response_code == "21"
    assert (await zeina.approve(new_id(), "omar")).response_code == "25"


async def test_it_is_decided_on_the_card_as_it_is_then(
    desks: Desks, card: MakeCard, tills: Tills
) -> None:
    """
    A decrement that could be paid when it was asked for is 51 when it cannot be later.
    """
    amira, omar, till = await desks("amira"), await desks("omar"), await tills("till-1")
    own = await card()
    asked = await amira.adjust(own, -80_00)
    sale = await till.redeem(own, 30_00)

    short = await omar.approve(asked, "amira")
    await till.reverse(sale)
    paid = await omar.approve(asked, "amira")

    assert (short.response_code, paid.response_code) == ("51", "00")
    assert paid.available_balance.minor_units == 20_00


async def test_a_blocked_card_is_adjusted_and_stays_blocked(
    desks: Desks, card: MakeCard
) -> None:
    """
    Staff put a blocked card right; its state is another matter.
    """
    amira, omar = await desks("amira"), await desks("omar")
    own = await card(10_00)
    await amira.block(own, BlockReason.STOLEN)

    done = await omar.approve(await amira.adjust(own, 5_00), "amira")

    assert done.response_code == "00"
    assert done.card.state == card_pb2.Card.STATE_BLOCKED


async def test_a_card_of_one_load_is_emptied_and_filled(
    desks: Desks, card: MakeCard
) -> None:
    """
    DEPLETED at zero, ACTIVE again with money.
    """
    amira, omar = await desks("amira"), await desks("omar")
    own = await card(10_00, product="one-time")

    down = await omar.approve(await amira.adjust(own, -10_00), "amira")
    up = await omar.approve(await amira.adjust(own, 3_00), "amira")

    assert down.card.state == card_pb2.Card.STATE_DEPLETED
    assert up.card.state == card_pb2.Card.STATE_ACTIVE


async def test_a_card_that_staff_filled_lives_by_its_load(
    desks: Desks, till: Till, card: MakeCard, look: Look
) -> None:
    """
    What was adjusted is spent before the one load: with that the card is ACTIVE again.
    """
    amira, omar = await desks("amira"), await desks("omar")
    own = await card(0, product="one-time")
    await omar.approve(await amira.adjust(own, 10_00), "amira")

    spent = await till.redeem(own, 10_00)
    emptied = look.card(own).state
    loaded = await till.load(own, 50_00)
    again = await till.load(own, 1_00)

    assert (told(spent).result, emptied) == ("APPROVED", "DEPLETED")
    assert (told(loaded).result, told(loaded).card) == ("APPROVED", "ACTIVE")
    assert look.card(own) == CardRow("ACTIVE", balance=50_00, loads=1)
    assert told(again).result == "CARD_NOT_RELOADABLE"


async def test_desks_of_one_merchant_work_together(
    desks: Desks, card: MakeCard
) -> None:
    """
    An approval may come from another store of the merchant, and from no other merchant.
    """
    amira, hassan, rival = [await desks(one) for one in ("amira", "hassan", "rival")]
    own = await card()
    asked = await amira.adjust(own, 5_00)

    for wrong in ("amira", "cairo/amira", "beirut/nobody", "/amira", "beirut/t-9"):
        refused = await fault(hassan.approve(asked, wrong))
        assert refused.code is grpc.StatusCode.PERMISSION_DENIED
        assert refused.reason == "TERMINAL_DENIED"
    foreign = await fault(rival.approve(asked, amira.desk))
    assert foreign.reason == "TERMINAL_DENIED"

    assert (await hassan.approve(asked, amira.desk)).response_code == "00"


async def test_an_approval_of_another_card_finds_nothing(
    desks: Desks, card: MakeCard
) -> None:
    """
    Sent and different: 25, and it tells nothing of the card.
    """
    amira, omar = await desks("amira"), await desks("omar")
    asked = await amira.adjust(await card(), 5_00)
    other = await card()

    told = await omar.approve(asked, "amira", card_number=other.number)

    assert told.response_code == "25"
    assert not told.HasField("available_balance")


async def test_an_adjustment_is_not_undone(
    desks: Desks, card: MakeCard, look: Look
) -> None:
    """
    A till at the desk's store names neither request nor approval: TERMINAL_DENIED.

    No key of the desk is claimed either: what it asks later under it is done.
    """
    amira, omar, own = await desks("amira"), await desks("omar"), await card()
    till = desks.till("desk-till")
    asked = await amira.adjust(own, 5_00)
    done = await omar.approve(asked, "amira")
    late = new_id()

    for original, desk in ((asked, "amira"), (done, "omar"), (late, "amira")):
        for asking in (
            till.reverse(original, original_terminal_id=desk),
            till.void(original, original_terminal_id=desk),
            till.refund(original, 1_00, original_terminal_id=desk),
            till.transaction(original, terminal_id=desk),
        ):
            assert (await fault(asking)).reason == "TERMINAL_DENIED"
    assert look.gateway.balance_of(own) == 105_00
    assert (await amira.adjust(own, 1_00, request_id=late)).response_code == "00"


async def test_an_activation_with_an_adjustment_stays(
    desks: Desks, card: MakeCard, tills: Tills
) -> None:
    """
    A request that nobody approved is no use of the card, an approval is.
    """
    amira, omar, till = await desks("amira"), await desks("omar"), await tills("till-1")
    first, second = await card(None), await card(None)
    started = [await till.activate(one, 10_00) for one in (first, second)]
    await amira.adjust(first, 5_00)
    await omar.approve(await amira.adjust(second, 5_00), "amira")

    told = [await till.reverse(one) for one in started]

    assert [one.response_code for one in told] == ["00", "21"]
