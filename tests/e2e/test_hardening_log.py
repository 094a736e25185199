"""
What callers send cannot flood the log, forge lines of it, or stand in it in clear.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import grpc

from scrip.v1 import card_service_pb2 as pb
from tests.support.server import Gateway
from tests.support.tills import Till, fault, open_tills

StartGateway = Callable[..., Gateway]

LONG = "x" * 60_000
FORGED = '\n{"event":"call","status":"OK","result":"APPROVED"}\x1b[2J'
SPACED = "6036 2800-0000 0000 007"


async def test_ids_that_are_none(start_gateway: StartGateway) -> None:
    """
    A request id is at most 64 characters of one line; a card number in it is masked.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till = await tills()
        for request_id in (LONG, FORGED, SPACED):
            await refuse(till, request_id)
            await refuse_item(till, request_id)
    gateway.stop()
    lines = gateway.log().splitlines()
    calls = [json.loads(line) for line in lines if '"INVALID_ARGUMENT"' in line]

    assert max(map(len, lines)) < 1_000
    assert len(calls) == 6
    assert {call["request_id"] for call in calls} == {"", FORGED, "****0007"}
    assert not any(line.startswith('{"event"') for line in lines)


async def refuse(till: Till, request_id: str) -> None:
    """
    Send it by call.
    """
    refused = await fault(till.transaction(request_id))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.fields == ("request_id",)


async def refuse_item(till: Till, request_id: str) -> None:
    """
    Send it over a stream.
    """
    stream = till.stream()
    question = pb.GetTransactionRequest(request_id=request_id)
    await stream.write(pb.TransactRequest(sequence=1, get_transaction=question))
    told = await stream.read()
    await stream.done_writing()
    assert told.fault.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert len(told.request_id) <= 64
