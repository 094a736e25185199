"""
A worker ends by SIGKILL: nothing approved is lost, and nothing is done twice.
"""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from currency import Money
from tests.support.chaos_check import bare
from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import USD, Traffic
from tests.support.server import Card, Gateway
from tests.support.tills import Tills, card_maker, open_tills
from till.answer import Answer
from till.card_number import CardNumber
from till.client import TillClient
from till.codes import ReversalReason
from till.connection import channel_options
from till.requests import CashOut, Load, Redeem, Request, Reverse

POINTS = ("before_commit", "after_commit", "after_answer")
OPERATIONS = ("load", "redeem", "reverse", "cash-out")
AMOUNT = 30_00
BALANCES = {"load": 130_00, "redeem": 70_00, "reverse": 100_00, "cash-out": 0}


async def client_of(tills: Tills, worker: int) -> TillClient:
    """
    Give a client as a till has it, connected to a worker.
    """
    till = await tills("till-1", worker=worker, options=tuple(channel_options()))
    return TillClient([till.channel], timeout_s=20)


async def request_on(card: Card, operation: str, client: TillClient) -> Request:
    """
    Make the request that meets the fault; what it reverses is done before.
    """
    number, amount = CardNumber(card.number), Money(AMOUNT, USD)
    if operation == "cash-out":
        return CashOut(request_id=uuid4(), card_number=number)
    if operation == "load":
        return Load(request_id=uuid4(), card_number=number, amount=amount)
    sale = Redeem(request_id=uuid4(), card_number=number, amount=amount)
    if operation == "redeem":
        return sale
    assert (await client.send(sale)).stands
    return Reverse(
        request_id=uuid4(),
        original_request_id=sale.request_id,
        reason=ReversalReason.TIMEOUT,
    )


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("point", POINTS)
async def test_the_retry_gets_the_one_outcome(
    gateway: Gateway, point: str, operation: str
) -> None:
    """
    59: killed before COMMIT, before the answer, or before the publish.

    The library retries by itself on the other worker, and the till asks once more when
    the killed one is back: one outcome, one row, one effect.
    """
    async with open_tills(gateway) as tills:
        new_card = card_maker(tills)
        if operation == "cash-out":
            card = await new_card(8_00, product="cash")
        else:
            card = await new_card()
        client = await client_of(tills, worker=1)
        request = await request_on(card, operation, client)
        gateway.order_fault(point, worker=1, pause_ms=50)
        told = await client.send(request)
        code = await asyncio.to_thread(gateway.wait_until_gone, 1)
        again = await client.send(request)
        gateway.start(1)
        back = await (await client_of(tills, worker=1)).send(request)

    assert code == -9
    assert told.response_code == "00"
    assert told.replayed is (point == "after_commit")
    assert again.replayed
    assert back.replayed
    assert bare(told) == bare(again) == bare(back)
    assert gateway.balance_of(card) == BALANCES[operation]
    assert recorded(gateway, told) == 1


async def test_workers_die_under_load(gateway: Gateway) -> None:
    """
    Workers die at each point while tills trade; no till ever sees it.

    With the retry policy a unary call survives it unseen; a stream resends.
    """
    with Traffic(gateway) as traffic:
        for worker, point in zip((1, 2, 1), POINTS, strict=True):
            traffic.wait_for_answers(50)
            gateway.order_fault(point, worker=worker, count=3)
            assert gateway.wait_until_gone(worker) == -9
            traffic.wait_for_answers(50)
            gateway.start(worker)
        killed_s = time.monotonic()
        traffic.wait_for_answers(100)

    traffic.check()
    assert not errors_of(traffic.journal), errors_of(traffic.journal)[0]
    assert traffic.reopened >= 1
    assert any(entry.began_s > killed_s for entry in traffic.journal)


def recorded(gateway: Gateway, answer: Answer) -> int:
    """
    Count the rows of a request.
    """
    ((count,),) = gateway.sql(
        "SELECT count(*) FROM transaction WHERE request_id = %s", answer.request_id
    )
    return int(count)
