"""
Behaviours 12 and 17 for refunds and voids: many at once, on two workers.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.support.look import CardRow, Look
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Tills, new_id
from tests.support.told import told


async def test_12_many_refunds_at_once(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    12: 20 parallel refunds of 5.00 of a sale of 50.00, on two workers: exactly 10.

    Unary and over streams, each under its own id; the others get 13.
    """
    plastic = await pair_card()
    singles = [await pair("till-1", worker=worker) for worker in (1, 2)]
    sale = await singles[0].redeem(plastic, 50_00)
    async with streaming(singles[0]) as one, streaming(singles[1]) as other:
        answers = await asyncio.gather(
            *(
                till.refund(sale, 5_00)
                for _ in range(5)
                for till in (*singles, one, other)
            )
        )

    codes = Counter(told(answer).code for answer in answers)
    assert codes == {"00": 10, "13": 10}
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert told(await singles[1].transaction(sale)).state == "REFUNDED"


async def test_12_many_refunds_at_once_in_yen(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    12: 20 parallel refunds of JPY 1001 of 10000, on two workers: 9, then the rest.

    However they fall, all of them come to exactly what the sale debited.
    """
    plastic = await pair_card()
    tills = [await pair("till-1", worker=worker) for worker in (1, 2)]
    sale = await tills[0].redeem(plastic, 10_000, "JPY")
    answers = await asyncio.gather(
        *(till.refund(sale, 1_001, "JPY") for _ in range(10) for till in tills)
    )
    rest = await tills[1].refund(sale, 991, "JPY")

    assert sum(told(answer).code == "00" for answer in answers) == 9
    assert told(rest).code == "00"
    assert pair_look.card(plastic).balance == 100_00


async def test_17_one_refund_at_once_on_two_workers(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    17: The same refund 12 times in parallel on two workers: one credit, 11 replays.
    """
    plastic, refund = await pair_card(), new_id()
    tills = [await pair("till-1", worker=worker) for worker in (1, 2)]
    sale = await tills[0].redeem(plastic, 30_00)
    answers = await asyncio.gather(
        *(
            till.refund(sale, 12_00, request_id=refund)
            for _ in range(6)
            for till in tills
        )
    )

    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 11}
    assert len({answer.transaction_id for answer in answers}) == 1
    assert pair_look.card(plastic).balance == 82_00


async def test_refund_void_and_reverse_race(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    A refund, a void and a reversal of one sale at once, on two workers: one of them.
    """
    tills = [await pair("till-1", worker=worker) for worker in (1, 2)]
    for turn in range(10):
        plastic = await pair_card()
        sale = await tills[turn % 2].redeem(plastic, 30_00)
        first, second = tills if turn % 4 < 2 else reversed(tills)
        answers = await asyncio.gather(
            first.refund(sale, 30_00), second.void(sale), first.reverse(sale)
        )

        assert [told(answer).code for answer in answers].count("00") in {1, 2}
        assert sum(answer.approved_amount.minor_units for answer in answers) == 30_00
        assert pair_look.card(plastic).balance == 100_00


async def test_12_many_voids_at_once(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    12: 20 parallel voids of one sale on two workers: exactly one, the others 21.
    """
    plastic = await pair_card()
    tills = [await pair("till-1", worker=worker) for worker in (1, 2)]
    sale = await tills[0].redeem(plastic, 30_00)
    answers = await asyncio.gather(
        *(till.void(sale) for _ in range(10) for till in tills)
    )

    results = Counter(told(answer).result for answer in answers)
    assert results == {"APPROVED": 1, "ALREADY_REVERSED": 19}
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
