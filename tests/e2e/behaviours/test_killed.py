"""
Behaviour 59: a worker is killed after the commit and before the answer.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

import grpc
import pytest
from grpc import aio

from scrip.v1 import card_service_pb2 as pb
from tests.support.look import CardRow, Look
from tests.support.retrying import until_answered
from tests.support.server import Card, Gateway
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Till, Tills, fault_of, money, request_of
from tests.support.told import Told, told

_DONE: Final = Told(
    result="APPROVED",
    code="00",
    requested="30.00 USD",
    approved="30.00 USD",
    due="0.00 USD",
    held="0.00 USD",
    card="ACTIVE",
    replayed=True,
)
_PAID_OUT: Final = replace(
    _DONE, requested="8.00 USD", approved="8.00 USD", cash="8.00 USD"
)

_ROWS: Final = {
    "Activate": "ACTIVATE",
    "Load": "LOAD",
    "Redeem": "REDEEM",
    "Reverse": "REVERSAL",
    "CashOut": "CASH_OUT",
    "Refund": "REFUND",
    "Void": "VOID",
}


@pytest.fixture
def mortal(two_workers: Gateway) -> Iterator[Gateway]:
    """
    Give a gateway whose first worker may die; it is started again afterwards.
    """
    yield two_workers
    if 1 not in two_workers.processes:
        two_workers.start(1)


async def _request(operation: str, till: Till, card: MakeCard) -> tuple[Card, Any]:
    """
    Make a card, and the request for 30.00 that will be in doubt.
    """
    if operation == "CashOut":
        plastic = await card(8_00, product="cash")
        return plastic, request_of("CashOut", card_number=plastic.number)
    plastic = await card(None if operation == "Activate" else 100_00)
    if operation in {"Reverse", "Refund", "Void"}:
        sale = await till.redeem(plastic, 30_00)
        more = {
            "Reverse": {"reason": pb.REVERSAL_REASON_TIMEOUT},
            "Refund": {"amount": money(30_00)},
            "Void": {},
        }[operation]
        return plastic, request_of(
            operation, original_request_id=sale.request_id, **more
        )
    amount = "initial_amount" if operation == "Activate" else "amount"
    fields = {"card_number": plastic.number, amount: money(30_00)}
    return plastic, request_of(operation, **fields)


@pytest.mark.parametrize(
    ("operation", "over_stream", "before", "after"),
    [
        ("Activate", False, 0, 30_00),
        ("Load", False, 100_00, 130_00),
        ("Redeem", False, 100_00, 70_00),
        ("Redeem", True, 100_00, 70_00),
        ("Reverse", False, 70_00, 100_00),
        ("CashOut", False, 8_00, 0),
        ("Refund", False, 70_00, 100_00),
        ("Refund", True, 70_00, 100_00),
        ("Void", False, 70_00, 100_00),
    ],
)
async def test_59_killed_between_commit_and_answer(
    mortal: Gateway,
    pair: Tills,
    pair_card: MakeCard,
    pair_look: Look,
    operation: str,
    over_stream: bool,
    before: int,
    after: int,
) -> None:
    """
    59: Kill -9 after the commit; the till retries: the original answer, one effect.
    """
    till = await pair("till-1", worker=1)
    plastic, request = await _request(operation, till, pair_card)
    async with AsyncExitStack() as stack:
        first = till
        if over_stream:
            first = await stack.enter_async_context(streaming(till, survives=False))
        mortal.order_fault("after_commit", worker=1)
        with pytest.raises(aio.AioRpcError) as caught:
            await first.send(operation, request)
    code = await asyncio.to_thread(mortal.wait_until_gone, 1)
    stored = await until_answered(lambda: till.transaction(request.request_id))
    second = await until_answered(
        lambda: till.send(operation, request, wait_for_ready=True)
    )
    third = await till.send(operation, request)

    balance = f"{after // 100}.00 USD"
    assert code == -signal.SIGKILL
    assert fault_of(caught.value).reason == ""
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert second.worker == 2
    assert told(second.outcome) == replace(
        _PAID_OUT if operation == "CashOut" else _DONE,
        previous=f"{before // 100}.00 USD",
        available=balance,
        ledger=balance,
    )
    assert second.outcome == third.outcome == stored
    loads = 2 if operation == "Load" else 1
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=after, loads=loads)
    assert len(pair_look.postings(second.outcome)) == 2
    assert [row for row in pair_look.rows(plastic) if row[0] == _ROWS[operation]] == [
        (_ROWS[operation], "APPROVED")
    ]
