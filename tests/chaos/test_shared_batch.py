"""
What comes together in one batch must not harm its neighbours (design 3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from scrip.v1 import result_pb2
from tests.support.chaos import enroll, release, until_struck
from tests.support.server import Gateway
from tests.support.tills import (
    UNKNOWN_NUMBER,
    Outcome,
    Till,
    card_maker,
    money,
    new_id,
    open_tills,
    request_of,
)


async def in_one_batch(
    gateway: Gateway, till: Till, calls: Sequence[Any]
) -> list[Outcome]:
    """
    Let calls arrive while the lane is held, so that the next batch has them all.
    """
    gateway.order_fault("before_commit", "hold", worker=1)
    held = asyncio.ensure_future(till.activate(UNKNOWN_NUMBER))
    await until_struck(gateway)
    sent = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.3)
    release(gateway)
    await held
    return [reply.outcome for reply in await asyncio.gather(*sent)]


async def test_copies_of_a_reversal_that_is_a_duplicate(gateway: Gateway) -> None:
    """
    Many at once, all under an id that is taken: each is answered 94, and no tombstone.

    Each of them would have claimed the original's key; the neighbour is not kept up.
    """
    async with open_tills(gateway) as tills:
        till = await tills("till-1", worker=1)
        card = await card_maker(tills)()
        sold = await till.redeem(card, 10_00)
        original = new_id()
        undo = request_of(
            "Reverse",
            request_id=sold.request_id,
            original_request_id=original,
            reason=4,
        )
        sale = request_of("Redeem", card_number=card.number, amount=money(10_00))
        calls = [till.send("Reverse", undo) for _ in range(8)]
        *told, neighbour = await in_one_batch(
            gateway, till, [*calls, till.send("Redeem", sale)]
        )
        late = await till.redeem(card, 10_00, request_id=original)

    assert {outcome.result for outcome in told} == {result_pb2.RESULT_DUPLICATE}
    assert neighbour.response_code == "00"
    assert late.response_code == "00"


async def test_reversals_of_a_suspended_terminal(gateway: Gateway) -> None:
    """
    Many at once of one unknown original, declined before they are looked at: 58.

    They earn no tombstone, and the neighbour is not kept up.
    """
    async with open_tills(gateway) as tills:
        name = f"suspended-{new_id()[:8]}"
        enroll(gateway, name)
        suspended, till = await tills(name, worker=1), await tills("till-1", worker=1)
        card = await card_maker(tills)()
        gateway.sql("UPDATE terminal SET state = 2 WHERE code = %s", name)
        original = new_id()
        undos = [
            request_of("Reverse", original_request_id=original, reason=4)
            for _ in range(8)
        ]
        sale = request_of("Redeem", card_number=card.number, amount=money(10_00))
        *told, neighbour = await in_one_batch(
            gateway,
            till,
            [
                *(suspended.send("Reverse", undo) for undo in undos),
                till.send("Redeem", sale),
            ],
        )

    assert {outcome.response_code for outcome in told} == {"58"}
    assert neighbour.response_code == "00"
    ((tombstones,),) = gateway.sql(
        "SELECT count(*) FROM request_key WHERE request_id = %s", original
    )
    assert tombstones == 0
