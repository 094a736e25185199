"""
Behaviours 8 to 13 and 18: sales, in full, in part, and many at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.support.look import CardRow, Look
from tests.support.server import Card
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Till, Tills
from tests.support.told import Told, told


async def test_8_redeem(till: Till, card: MakeCard, look: Look) -> None:
    """
    8: Redeem 30.00: 00, approved 30.00, available 70.00.
    """
    plastic = await card()
    answer = await till.redeem(plastic, 30_00)

    assert told(answer) == Told(
        result="APPROVED",
        code="00",
        requested="30.00 USD",
        approved="30.00 USD",
        due="0.00 USD",
        previous="100.00 USD",
        available="70.00 USD",
        ledger="70.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=70_00, loads=1)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", 30_00),
        ("MERCHANT_PAYABLE", "USD", -30_00),
    ]


async def test_9_redeem_in_part(till: Till, card: MakeCard, look: Look) -> None:
    """
    9: Redeem 130.00, partial allowed: 10, approved 100.00, due 30.00, available 0.00.
    """
    plastic = await card()
    answer = await till.redeem(plastic, 130_00, partial=True)

    assert told(answer) == Told(
        result="APPROVED_PARTIAL",
        code="10",
        requested="130.00 USD",
        approved="100.00 USD",
        due="30.00 USD",
        previous="100.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=0, loads=1)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", 100_00),
        ("MERCHANT_PAYABLE", "USD", -100_00),
    ]


async def test_10_redeem_not_in_part(till: Till, card: MakeCard, look: Look) -> None:
    """
    10: Redeem 130.00, partial not allowed: 51, approved 0, available 100.00.
    """
    plastic = await card()
    answer = await till.redeem(plastic, 130_00)

    assert told(answer) == Told(
        result="INSUFFICIENT_FUNDS",
        code="51",
        requested="130.00 USD",
        approved="0.00 USD",
        due="130.00 USD",
        previous="100.00 USD",
        available="100.00 USD",
        ledger="100.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.rows(plastic)[1:] == [("REDEEM", "INSUFFICIENT_FUNDS")]
    assert look.postings(answer) == []


@pytest.mark.parametrize("product", ["usd", "one-time"])
async def test_11_nothing_is_left(
    till: Till, card: MakeCard, look: Look, product: str
) -> None:
    """
    11: Redeem 5.00 on zero balance, partial allowed: 51, not "10 with 0.00".

    Also where the card is a one-time one, which is DEPLETED by then.
    """
    plastic = await card(20_00, product=product)
    await till.redeem(plastic, 20_00)
    answer = await till.redeem(plastic, 5_00, partial=True)

    state = "ACTIVE" if product == "usd" else "DEPLETED"
    assert told(answer) == Told(
        result="INSUFFICIENT_FUNDS",
        code="51",
        requested="5.00 USD",
        approved="0.00 USD",
        due="5.00 USD",
        previous="0.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
        held="0.00 USD",
        card=state,
        state="DECLINED",
    )
    assert look.card(plastic) == CardRow(state, balance=0, loads=1)
    assert look.debits(plastic) == (1, 20_00)


async def test_12_fifty_at_once(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    12: 50 parallel Redeem 10.00: exactly 10 approvals, 40 x 51, ledger 0.00, 10 debits.

    From two tills over two workers, half of them over streams. No answer shows a
    balance below zero, and no two approvals the same balance.
    """
    plastic = await pair_card()
    singles = [
        await pair(name, worker=worker)
        for name in ("till-1", "till-2")
        for worker in (1, 2)
    ]
    async with streaming(singles[0]) as one, streaming(singles[3]) as other:
        answers = await asyncio.gather(
            *(
                till.redeem(plastic, 10_00)
                for _ in range(10)
                for till in (one, other, *singles[1:])
            )
        )

    results = Counter(told(answer).result for answer in answers)
    left = [
        answer.available_balance.minor_units
        for answer in answers
        if answer.response_code == "00"
    ]
    assert results == {"APPROVED": 10, "INSUFFICIENT_FUNDS": 40}
    assert sorted(left) == [minor * 10_00 for minor in range(10)]
    assert all(answer.available_balance.minor_units >= 0 for answer in answers)
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=0, loads=1)
    assert pair_look.debits(plastic) == (10, 100_00)
    assert Counter(pair_look.rows(plastic)) == {
        ("ACTIVATE", "APPROVED"): 1,
        ("REDEEM", "APPROVED"): 10,
        ("REDEEM", "INSUFFICIENT_FUNDS"): 40,
    }


@pytest.mark.parametrize("workers", [(1, 1), (1, 2)])
async def test_13_two_at_once(
    pair: Tills, pair_card: MakeCard, pair_look: Look, workers: tuple[int, int]
) -> None:
    """
    13: 2 parallel Redeem 80.00, partial on: one 00/80.00, one 10/20.00; sum 100.00.
    """
    one = await pair("till-1", worker=workers[0])
    other = await pair("till-2", worker=workers[1])
    plastic = await pair_card()
    answers = await asyncio.gather(
        one.redeem(plastic, 80_00, partial=True),
        other.redeem(plastic, 80_00, partial=True),
    )

    full, part = sorted(map(told, answers), key=lambda found: found.code)
    assert (full.result, full.approved, full.available) == (
        "APPROVED",
        "80.00 USD",
        "20.00 USD",
    )
    assert (part.result, part.approved, part.due, part.available) == (
        "APPROVED_PARTIAL",
        "20.00 USD",
        "60.00 USD",
        "0.00 USD",
    )
    assert pair_look.debits(plastic) == (2, 100_00)
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=0, loads=1)


async def test_18_equal_sales(till: Till, card: MakeCard, look: Look) -> None:
    """
    18: Two equal sales (card, amount, till) with different ids: both are approved.
    """
    plastic = await card()
    first = await till.redeem(plastic, 30_00)
    second = await till.redeem(plastic, 30_00)

    assert told(first).available == "70.00 USD"
    assert told(second) == Told(
        result="APPROVED",
        code="00",
        requested="30.00 USD",
        approved="30.00 USD",
        due="0.00 USD",
        previous="70.00 USD",
        available="40.00 USD",
        ledger="40.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert first.transaction_id != second.transaction_id
    assert first.approval_code != second.approval_code
    assert look.debits(plastic) == (2, 60_00)


async def test_the_last_cent_closes_a_one_time_card(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    A one-time card may be spent in several sales and is DEPLETED at zero.
    """
    plastic: Card = await card(20_00, product="one-time")
    first = await till.redeem(plastic, 5_00)
    last = await till.redeem(plastic, 15_00)
    undone = await till.reverse(last)

    assert (told(first).card, told(last).card) == ("ACTIVE", "DEPLETED")
    assert (told(undone).card, told(undone).available) == ("ACTIVE", "15.00 USD")
    assert look.card(plastic) == CardRow("ACTIVE", balance=15_00, loads=1)
