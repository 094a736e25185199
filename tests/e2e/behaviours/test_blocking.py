"""
Behaviour 32 and what goes with it: Block, and Deactivate.
"""

from __future__ import annotations

import pytest

from gateway.domain.cards import BlockReason
from tests.support.holding import authorize, cancel, capture
from tests.support.look import CardRow, Look
from tests.support.staff import Desks
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, Tills, new_id
from tests.support.told import Told, told

LOST, STOLEN = BlockReason.LOST, BlockReason.STOLEN
FRAUD, CUSTOMER = BlockReason.FRAUD, BlockReason.CUSTOMER
_BLOCKED = Told(result="APPROVED", code="00", card="BLOCKED")
_MOVES = """
SELECT activity, channel, reason, actor FROM transaction
WHERE card_id = %s AND card_seq IS NOT NULL AND activity IN (12, 13, 16)
ORDER BY card_seq
"""


async def test_32_a_lost_card(till: Till, card: MakeCard, look: Look) -> None:
    """
    32: Block LOST, then Redeem 41, Load 41, GetBalance 41; a refund posts.

    The card stays blocked, and the till that blocked it is not told its balance.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    blocked = await till.block(plastic, LOST)
    answers = [
        await till.redeem(plastic, 10_00, partial=True),
        await till.load(plastic, 10_00),
        await till.cash_out(plastic),
        await till.balance(plastic),
    ]
    refund = await till.refund(sale, 12_00)

    assert told(blocked) == _BLOCKED
    assert [told(answer).result for answer in answers] == [
        "LOST_CARD",
        "LOST_CARD",
        "NOT_PERMITTED",
        "LOST_CARD",
    ]
    assert {told(answer).available for answer in answers} == {""}
    assert told(refund).result == "APPROVED"
    assert told(refund).card == "BLOCKED"
    assert look.card(plastic) == CardRow("BLOCKED", balance=82_00, loads=1)
    assert not look.postings(blocked)


@pytest.mark.parametrize(
    ("reason", "result"),
    [
        (LOST, "LOST_CARD"),
        (STOLEN, "STOLEN_CARD"),
        (FRAUD, "RESTRICTED_CARD"),
        (CUSTOMER, "RESTRICTED_CARD"),
    ],
)
async def test_32_each_reason_refuses_in_its_own_words(
    till: Till,
    tills: Tills,
    card: MakeCard,
    look: Look,
    reason: BlockReason,
    result: str,
) -> None:
    """
    32: 41, 43 or 62 by the reason, until the call centre unblocks the card.
    """
    plastic = await card()
    await till.block(plastic, reason)
    refused = await till.redeem(plastic, 10_00)
    amira = await Desks(tills)("amira")
    seen = await amira.get_card(plastic)
    unblocked = await amira.unblock(plastic)
    paid = await till.redeem(plastic, 10_00)

    assert told(refused).result == result
    assert told(seen.outcome).available == "100.00 USD"
    assert (told(unblocked).result, told(unblocked).card) == ("APPROVED", "ACTIVE")
    assert told(paid).available == "90.00 USD"
    assert look.gateway.sql(_MOVES, plastic.card_id) == [
        (12, 1, int(reason), None),
        (13, 3, int(reason), "amira"),
    ]


@pytest.mark.parametrize("reason", [LOST, STOLEN, CUSTOMER])
async def test_33_a_card_that_staff_suspect_is_not_replaced(
    till: Till, tills: Tills, card: MakeCard, look: Look, reason: BlockReason
) -> None:
    """
    FRAUD told by staff takes the place of any reason: 12, and the money stays.
    """
    old, new = await card(), await card(None)
    amira = await Desks(tills)("amira")
    await till.block(old, reason)
    blocked = await amira.block(old, FRAUD)
    answer = await amira.replace(old, new)

    assert told(blocked).result == "APPROVED"
    assert told(answer).result == "CARD_NOT_FLAGGED"
    assert look.card(old) == CardRow("BLOCKED", balance=100_00, loads=1)
    assert look.card(new) == CardRow("PENDING", balance=0, loads=0)


async def test_32_holds_outlive_a_block(till: Till, card: MakeCard, look: Look) -> None:
    """
    32: An open hold can still be captured or given up; a new one is refused.
    """
    plastic = await card()
    kept, given_up = [await authorize(till, plastic, 30_00) for _ in range(2)]
    await till.block(plastic, STOLEN)
    refused = await authorize(till, plastic, 1_00)
    captured = await capture(till, kept, 20_00)
    cancelled = await cancel(till, given_up)

    assert told(refused).result == "STOLEN_CARD"
    assert (told(captured).result, told(captured).card) == ("APPROVED", "BLOCKED")
    assert told(cancelled).result == "APPROVED"
    assert look.card(plastic) == CardRow("BLOCKED", balance=80_00, loads=1)


async def test_a_block_is_sent_again(till: Till, card: MakeCard, look: Look) -> None:
    """
    The same request is replayed; a new one finds the card blocked: 00, no change.
    """
    plastic = await card()
    request_id = new_id()
    first = await till.block(plastic, CUSTOMER, request_id=request_id)
    replayed = await till.block(plastic, CUSTOMER, request_id=request_id)
    other = await till.block(plastic, LOST, request_id=request_id)
    again = await till.block(plastic, CUSTOMER)
    graver = await till.block(plastic, STOLEN)
    lighter = await till.block(plastic, LOST)

    assert told(first) == told(again) == told(graver) == told(lighter) == _BLOCKED
    assert replayed.transaction_id == first.transaction_id
    assert told(replayed).replayed
    assert told(other).result == "DUPLICATE"
    assert told(await till.redeem(plastic, 1_00)).result == "STOLEN_CARD"
    assert [row[2] for row in look.gateway.sql(_MOVES, plastic.card_id)] == [4, 2]


async def test_a_block_is_not_undone(till: Till, card: MakeCard, look: Look) -> None:
    """
    Reverse, Void and Refund of it: 21, and the card stays blocked, its balance hidden.
    """
    plastic = await card()
    blocked = await till.block(plastic, LOST)
    answers = [
        await till.reverse(blocked),
        await till.void(blocked),
        await till.refund(blocked, 1_00),
    ]

    assert {told(answer).result for answer in answers} == {"CANNOT_BE_REVERSED"}
    assert {told(answer).available for answer in answers} == {""}
    assert look.card(plastic) == CardRow("BLOCKED", balance=100_00, loads=1)


async def test_24_an_activation_stands_while_its_card_is_blocked(
    till: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    21 as long as the block stands: Unblock never gives a card that was not sold.
    """
    amira, plastic = await Desks(tills)("amira"), await card(None)
    active = await till.activate(plastic, 25_00)
    await till.block(plastic, LOST)
    refused = [await till.reverse(active), await till.void(active)]
    blocked = look.card(plastic)
    await amira.unblock(plastic)
    undone = await till.reverse(active)

    assert {told(one).result for one in refused} == {
        "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    }
    assert blocked == CardRow("BLOCKED", balance=25_00, loads=1)
    assert told(undone).result == "APPROVED"
    assert look.card(plastic) == CardRow("PENDING", balance=0, loads=0)
    assert told(await till.redeem(plastic, 1_00)).result == "CARD_NOT_ACTIVE"


async def test_what_cannot_be_blocked(till: Till, card: MakeCard, look: Look) -> None:
    """
    14 for an unknown number, 57 where the product says so, 78 for a card not active.
    """
    pending = await card(None)
    answers = [
        await till.block(UNKNOWN_NUMBER, LOST),
        await till.block(await card(product="load-only"), LOST),
        await till.block(pending, LOST),
    ]

    assert [told(answer).result for answer in answers] == [
        "INVALID_CARD",
        "NOT_PERMITTED",
        "CARD_NOT_ACTIVE",
    ]
    assert look.card(pending).state == "PENDING"


async def test_a_reversal_keeps_a_late_block_away(till: Till, card: MakeCard) -> None:
    """
    The tombstone stands: 21, and the card can be used.
    """
    plastic, request_id = await card(), new_id()
    await till.reverse(request_id)
    late = await till.block(plastic, LOST, request_id=request_id)

    assert told(late).result == "ALREADY_REVERSED"
    assert told(await till.redeem(plastic, 10_00)).result == "APPROVED"


async def test_an_empty_card_is_closed(till: Till, card: MakeCard, look: Look) -> None:
    """
    57 while there is money on it; emptied, DEACTIVATED for ever: everything is 78.
    """
    plastic = await card()
    refused = await till.deactivate(plastic)
    sale = await till.redeem(plastic, 100_00)
    closed = await till.deactivate(plastic)
    answers = [
        await till.redeem(plastic, 1_00),
        await till.load(plastic, 1_00),
        await till.activate(plastic, 1_00),
        await till.block(plastic, LOST),
        await till.deactivate(plastic),
        await till.refund(sale, 1_00),
    ]

    assert told(refused) == Told(
        result="NOT_PERMITTED",
        code="57",
        previous="100.00 USD",
        available="100.00 USD",
        ledger="100.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert (told(closed).result, told(closed).card) == ("APPROVED", "DEACTIVATED")
    assert {told(answer).result for answer in answers} == {"CARD_CLOSED"}
    assert told(await till.reverse(closed)).result == "CANNOT_BE_REVERSED"
    # What was taken from a card goes back to it, whatever became of it.
    assert told(await till.reverse(sale)).result == "APPROVED"
    assert look.card(plastic) == CardRow("DEACTIVATED", balance=100_00, loads=1)


async def test_a_blocked_card_is_closed(till: Till, card: MakeCard, look: Look) -> None:
    """
    Empty it is closed; what is on it is not told, but that there is something.
    """
    full, empty = await card(), await card(0)
    await till.block(full, LOST)
    await till.block(empty, LOST)
    refused = await till.deactivate(full)
    closed = await till.deactivate(empty)

    assert told(refused) == Told(
        result="NOT_PERMITTED", code="57", card="BLOCKED", state="DECLINED"
    )
    assert told(closed) == Told(result="APPROVED", code="00", card="DEACTIVATED")
    assert look.card(full).state == "BLOCKED"


async def test_what_a_closing_meets(till: Till, card: MakeCard) -> None:
    """
    14 for an unknown number, 57 by the product, 78 for a card not active.
    """
    answers = [
        await till.deactivate(UNKNOWN_NUMBER),
        await till.deactivate(await card(0, product="load-only")),
        await till.deactivate(await card(None)),
    ]

    assert [told(answer).result for answer in answers] == [
        "INVALID_CARD",
        "NOT_PERMITTED",
        "CARD_NOT_ACTIVE",
    ]
