"""
Behaviour 33 and what goes with it: Replace, and TransferBalance.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from gateway.domain.cards import BlockReason
from tests.support.call_desk import CallDesk
from tests.support.look import CardRow, Look
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, Tills, new_id
from tests.support.told import Told, told

LOST = BlockReason.LOST
_LINE = "SELECT replaced_by FROM card WHERE card_id = %s"
_MOVED = """
SELECT activity, card_id, channel, reason, actor, card_minor FROM transaction
WHERE activity IN (14, 15) AND card_id = ANY(%s)
ORDER BY activity
"""


@pytest.fixture
def desk(look: Look) -> CallDesk:
    """
    Give a clerk of the call centre.
    """
    return CallDesk.of(look.gateway)


async def test_33_a_lost_card_is_replaced(
    till: Till, card: MakeCard, look: Look, desk: CallDesk
) -> None:
    """
    33: the new card is ACTIVE with the full balance, the old one REPLACED.
    """
    old, new = await card(), await card(None)
    await till.block(old, LOST)
    answer = await desk.replace(old, new)

    assert answer.record.result.name == "APPROVED"
    assert look.card(old) == CardRow("REPLACED", balance=0, loads=0)
    assert look.card(new) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.gateway.sql(_LINE, old.card_id) == [(new.card_id,)]
    assert look.gateway.sql(_MOVED, [old.card_id, new.card_id]) == [
        (14, old.card_id, 3, 1, "clerk-7", 100_00),
        (15, new.card_id, 3, 1, "clerk-7", 100_00),
    ]
    assert told(await till.redeem(new, 30_00)).available == "70.00 USD"
    assert told(await till.redeem(old, 1_00)) == Told(
        result="CARD_CLOSED",
        code="78",
        requested="1.00 USD",
        approved="0.00 USD",
        due="1.00 USD",
        card="REPLACED",
        state="DECLINED",
    )


@pytest.mark.parametrize("reason", [None, BlockReason.FRAUD, BlockReason.CUSTOMER])
async def test_33_a_card_that_is_not_flagged(
    till: Till,
    card: MakeCard,
    look: Look,
    desk: CallDesk,
    reason: BlockReason | None,
) -> None:
    """
    33: 12 CARD_NOT_FLAGGED where it is not blocked as lost or stolen.
    """
    old, new = await card(), await card(None)
    if reason is not None:
        await till.block(old, reason)
    answer = await desk.replace(old, new)

    assert answer.record.result.name == "CARD_NOT_FLAGGED"
    assert look.card(old).balance == 100_00
    assert look.card(new) == CardRow("PENDING", balance=0, loads=0)


async def test_33_what_the_old_card_did_lands_on_the_new(
    till: Till, card: MakeCard, look: Look, desk: CallDesk
) -> None:
    """
    Three cards in a line: refund, reversal and void of old sales credit the last.
    """
    line = [await card(), await card(None), await card(None), await card(None)]
    sales = [await till.redeem(line[0], 10_00) for _ in range(3)]
    load = await till.load(line[0], 5_00)
    for old, new in itertools.pairwise(line):
        await till.block(old, LOST)
        assert (await desk.replace(old, new)).record.result.name == "APPROVED"
    answers = [
        await till.refund(sales[0], 4_00, card_number=line[0].number),
        await till.reverse(sales[1], card_number=line[1].number),
        await till.void(sales[2], card_number=line[3].number),
        await till.reverse(load),
    ]

    assert [told(answer).result for answer in answers] == ["APPROVED"] * 4
    assert {answer.card.last_four for answer in answers} == {line[3].number[-4:]}
    assert [look.card(one).balance for one in line] == [0, 0, 0, 94_00]
    assert told(await till.transaction(sales[1])).state == "REVERSED"
    other = await card()
    strange = await till.refund(sales[0], 1_00, card_number=other.number)
    assert told(strange).result == "ORIGINAL_NOT_FOUND"


async def test_an_activation_that_was_replaced_stands(
    till: Till, card: MakeCard, look: Look, desk: CallDesk
) -> None:
    """
    21 FURTHER_ACTIVITY_PREVENTS_REVERSAL: its money is on another card.
    """
    old, new = await card(None), await card(None)
    activated = await till.activate(old, 25_00)
    await till.block(old, LOST)
    await desk.replace(old, new)
    undone = await till.reverse(activated)

    assert told(undone).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert look.card(new).balance == 25_00


async def test_what_undoes_a_sale_races_the_replacement(
    tills: Tills, card: MakeCard, look: Look, desk: CallDesk
) -> None:
    """
    Both at once, from two lanes: both are approved, and the money is on the new card.
    """
    till = await tills("till-1")
    for _ in range(6):
        old, new = await card(), await card(None)
        sale = await till.redeem(old, 40_00)
        part = await till.redeem(old, 20_00)
        await till.block(old, LOST)
        replaced, undone, refunded = await asyncio.gather(
            desk.replace(old, new), till.reverse(sale), till.refund(part, 5_00)
        )

        assert replaced.record.result.name == "APPROVED"
        assert told(undone).result == told(refunded).result == "APPROVED"
        assert look.card(old) == CardRow("REPLACED", balance=0, loads=0)
        assert look.card(new) == CardRow("ACTIVE", balance=85_00, loads=1)


async def test_all_that_is_available_moves(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    TransferBalance: 00 with what moved, the first card empty, the second fuller.
    """
    first, second = await card(70_00), await card(5_00)
    request_id = new_id()
    moved = await till.transfer(first, second, request_id=request_id)
    replayed = await till.transfer(first, second, request_id=request_id)
    swapped = await till.transfer(second, first, request_id=request_id)

    assert told(moved) == Told(
        result="APPROVED",
        code="00",
        requested="70.00 USD",
        approved="70.00 USD",
        due="0.00 USD",
        previous="70.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.postings(moved) == [
        ("CARD_LIABILITY", "USD", 70_00),
        ("TRANSFERS", "USD", -70_00),
    ]
    assert look.card(second) == CardRow("ACTIVE", balance=75_00, loads=2)
    assert (told(replayed).replayed, replayed.transaction_id) == (
        True,
        moved.transaction_id,
    )
    assert told(swapped).result == "DUPLICATE"
    for answer in (await till.reverse(moved), await till.void(moved)):
        assert told(answer).result == "CANNOT_BE_REVERSED"
    assert told(await till.transfer(first, second)).result == "INSUFFICIENT_FUNDS"


async def test_which_of_two_cards_refuses(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    The first card's fault comes first in each check; the text says which one it is.
    """
    good, pending, lost = await card(), await card(None), await card()
    await till.block(lost, LOST)
    once, euro = await card(product="one-time"), await card(product="eur")
    limited, narrow = await card(200_00, product="limited"), await card(301_00)
    before = [look.card(one) for one in (good, pending, lost, once, euro, limited)]

    async def ask(*cards: Any) -> tuple[str, str]:
        answer = await till.transfer(*cards)
        return told(answer).result, answer.receipt_text

    assert await ask(UNKNOWN_NUMBER, good) == (
        "INVALID_CARD",
        "Declined: the card is not known here.",
    )
    assert await ask(good, UNKNOWN_NUMBER) == (
        "INVALID_CARD",
        "Declined: the other card is not known here.",
    )
    assert await ask(lost, pending) == (
        "LOST_CARD",
        "Declined: the card is reported lost.",
    )
    assert await ask(good, pending) == (
        "CARD_NOT_ACTIVE",
        "Declined: the other card is not active yet.",
    )
    assert await ask(good, lost) == (
        "LOST_CARD",
        "Declined: the other card is reported lost.",
    )
    assert (await ask(good, once))[0] == "CARD_NOT_RELOADABLE"
    assert (await ask(good, good))[0] == "NOT_PERMITTED"
    assert (await ask(good, euro))[0] == "CURRENCY_NOT_SUPPORTED"
    assert (await ask(narrow, limited))[0] == "LIMIT_EXCEEDED"
    assert [
        look.card(one) for one in (good, pending, lost, once, euro, limited)
    ] == before


async def test_a_move_forbids_to_undo_what_brought_the_money(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Reverse of the activation of either card: 21, because money moved since.
    """
    first, second = await card(None), await card(None)
    activations = [await till.activate(first, 25_00), await till.activate(second)]
    await till.transfer(first, second)
    answers = [await till.reverse(activation) for activation in activations]

    assert {told(answer).result for answer in answers} == {
        "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    }
    assert look.card(second).balance == 25_00


async def test_a_reversal_keeps_a_late_transfer_away(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    The tombstone stands: 21, and both cards are as they were.
    """
    first, second, request_id = await card(), await card(0), new_id()
    await till.reverse(request_id)
    late = await till.transfer(first, second, request_id=request_id)

    assert told(late).result == "ALREADY_REVERSED"
    assert (look.card(first).balance, look.card(second).balance) == (100_00, 0)


async def test_twenty_transfers_to_and_fro(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    All at once, both ways: nothing is lost, nothing is made.
    """
    till = await tills("till-1")
    first, second = await card(60_00), await card(40_00)
    answers = await asyncio.gather(
        *(
            till.transfer(*((first, second) if turn % 2 else (second, first)))
            for turn in range(20)
        )
    )

    results = {told(answer).result for answer in answers}
    assert results <= {"APPROVED", "INSUFFICIENT_FUNDS"}
    assert look.card(first).balance + look.card(second).balance == 100_00
