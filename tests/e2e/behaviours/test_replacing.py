"""
Behaviour 33 and what goes with it: Replace, and TransferBalance.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from gateway.domain.cards import BlockReason
from tests.support.holding import authorize, cancel, capture, increment, open_holds
from tests.support.look import CardRow, Look
from tests.support.staff import Colleague, Desks
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
async def amira(tills: Tills) -> Colleague:
    """
    Give somebody of the call centre.
    """
    return await Desks(tills)("amira")


async def test_33_a_lost_card_is_replaced(
    till: Till, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    33: the new card is ACTIVE with the full balance, the old one REPLACED.
    """
    old, new = await card(), await card(None)
    await till.block(old, LOST)
    answer = await amira.replace(old, new)

    assert told(answer).result == "APPROVED"
    assert look.card(old) == CardRow("REPLACED", balance=0, loads=0)
    assert look.card(new) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.gateway.sql(_LINE, old.card_id) == [(new.card_id,)]
    assert look.gateway.sql(_MOVED, [old.card_id, new.card_id]) == [
        (14, old.card_id, 3, 1, "amira", 100_00),
        (15, new.card_id, 3, 1, "amira", 100_00),
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
    amira: Colleague,
    reason: BlockReason | None,
) -> None:
    """
    33: 12 CARD_NOT_FLAGGED where it is not blocked as lost or stolen.
    """
    old, new = await card(), await card(None)
    if reason is not None:
        await till.block(old, reason)
    answer = await amira.replace(old, new)

    assert told(answer).result == "CARD_NOT_FLAGGED"
    assert look.card(old).balance == 100_00
    assert look.card(new) == CardRow("PENDING", balance=0, loads=0)


async def test_33_what_the_old_card_did_lands_on_the_new(
    till: Till, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    Three cards in a line: refund, reversal and void of old sales credit the last.
    """
    line = [await card(), await card(None), await card(None), await card(None)]
    sales = [await till.redeem(line[0], 10_00) for _ in range(3)]
    load = await till.load(line[0], 5_00)
    for old, new in itertools.pairwise(line):
        await till.block(old, LOST)
        assert told(await amira.replace(old, new)).result == "APPROVED"
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


async def test_33_holds_move_with_the_balance(
    till: Till, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    33: Holds of the old card are captured, enlarged and given up on the new one.
    """
    old, new = await card(), await card(None)
    first, second, third = [await authorize(till, old, 20_00) for _ in range(3)]
    await till.block(old, LOST)
    replaced = await amira.replace(old, new)
    moved = look.card(new)
    captured = await capture(till, first, 15_00)
    larger = await increment(till, second, 5_00)
    cancelled = await cancel(till, third)
    undone = await till.reverse(captured)

    assert (told(replaced).result, told(replaced).held) == ("APPROVED", "0.00 USD")
    assert moved == CardRow("ACTIVE", balance=100_00, loads=1, held=60_00)
    answers = (captured, larger, cancelled, undone)
    assert [told(answer).result for answer in answers] == ["APPROVED"] * 4
    assert {answer.card.last_four for answer in answers} == {new.number[-4:]}
    assert open_holds(look.gateway, old) == (0, 0)
    assert open_holds(look.gateway, new) == (1, 25_00)
    assert look.card(new) == CardRow("ACTIVE", balance=100_00, loads=1, held=25_00)


async def test_33_a_capture_races_the_replacement(
    tills: Tills, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    33: Both at once: both are approved, and the capture debits the new card.
    """
    till = await tills("till-1")
    for _ in range(6):
        old, new = await card(), await card(None)
        hold = await authorize(till, old, 60_00)
        await till.block(old, LOST)
        captured, replaced = await asyncio.gather(
            capture(till, hold, 48_00), amira.replace(old, new)
        )

        assert told(captured).result == told(replaced).result == "APPROVED"
        assert look.card(old) == CardRow("REPLACED", balance=0, loads=0)
        assert look.card(new) == CardRow("ACTIVE", balance=52_00, loads=1)
        assert open_holds(look.gateway, new) == (0, 0)


async def test_33_a_replacement_is_sent_again(
    till: Till, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    33: The same request is replayed; a new one is 78; other content is 94.
    """
    old, new, other = await card(), await card(None), await card(None)
    await till.block(old, LOST)
    request_id = new_id()
    first = await amira.replace(old, new, request_id=request_id)
    again = await amira.replace(old, new, request_id=request_id)
    different = await amira.replace(old, other, request_id=request_id)
    anew = await amira.replace(old, other)

    assert (told(again).replayed, again.transaction_id) == (True, first.transaction_id)
    assert told(different).result == "DUPLICATE"
    assert told(anew).result == "CARD_CLOSED"
    assert look.card(other) == CardRow("PENDING", balance=0, loads=0)


async def test_33_cards_that_cannot_take_the_place(
    till: Till, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    33: Unknown, active, of another currency, or the same one: nothing changes.
    """
    old = await card()
    await till.block(old, LOST)
    answers = [
        await amira.replace(old, UNKNOWN_NUMBER),
        await amira.replace(old, await card()),
        await amira.replace(old, await card(None, product="eur")),
        await amira.replace(old, old),
    ]

    assert [told(answer).result for answer in answers] == [
        "INVALID_CARD",
        "CARD_ALREADY_ACTIVATED",
        "CURRENCY_NOT_SUPPORTED",
        "NOT_PERMITTED",
    ]
    assert look.card(old) == CardRow("BLOCKED", balance=100_00, loads=1)


async def test_a_hold_keeps_the_balance_in_place(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    TransferBalance while a hold stands: 57, saying so; once it is given up, 00.
    """
    first, second = await card(), await card(0)
    hold = await authorize(till, first, 10_00)
    refused = await till.transfer(first, second)
    await cancel(till, hold)
    moved = await till.transfer(first, second)

    assert told(refused).result == "NOT_PERMITTED"
    assert refused.receipt_text.startswith(
        "Declined: a part of the balance is held for a payment."
    )
    assert told(moved).approved == "100.00 USD"
    assert look.card(second).balance == 100_00


async def test_an_activation_that_was_replaced_stands(
    till: Till, card: MakeCard, look: Look, amira: Colleague
) -> None:
    """
    21 FURTHER_ACTIVITY_PREVENTS_REVERSAL: its money is on another card.
    """
    old, new = await card(None), await card(None)
    activated = await till.activate(old, 25_00)
    await till.block(old, LOST)
    await amira.replace(old, new)
    undone = await till.reverse(activated)

    assert told(undone).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert look.card(new).balance == 25_00


async def test_what_undoes_a_sale_races_the_replacement(
    tills: Tills, card: MakeCard, look: Look, amira: Colleague
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
            amira.replace(old, new), till.reverse(sale), till.refund(part, 5_00)
        )

        assert told(replaced).result == "APPROVED"
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
