"""
A device loses its access while it is connected (threats T11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from scrip.v1 import card_service_pb2 as pb
from tests.support.chaos import enroll, release, until_struck
from tests.support.server import Gateway
from tests.support.tills import (
    UNKNOWN_NUMBER,
    Till,
    Tills,
    card_maker,
    fault,
    fault_of,
    money,
    new_id,
    open_tills,
    request_of,
)
from till.stream_end import StreamEnd

END_S: Final = 5.0
# What the operator's console does: to the device, or to the one certificate.
REVOKE = {
    "device": "UPDATE device SET revoked = true WHERE code = %s",
    "certificate": (
        "UPDATE device_certificate SET revoked = true FROM device "
        "WHERE device.device_id = device_certificate.device_id AND device.code = %s"
    ),
}


async def doomed(tills: Tills) -> Till:
    """
    Give a till of its own on the first worker.
    """
    name = f"doomed-{new_id()[:8]}"
    enroll(tills.gateway, name)
    return await tills(name, worker=1)


@pytest.mark.parametrize("what", REVOKE)
async def test_the_next_call_is_refused(gateway: Gateway, what: str) -> None:
    """
    Between two calls: PERMISSION_DENIED with ErrorInfo, no replay, and no key kept.
    """
    async with open_tills(gateway) as tills:
        till, card = await doomed(tills), await card_maker(tills)()
        sale = request_of("Redeem", card_number=card.number, amount=money(30_00))
        new = request_of("Redeem", card_number=card.number, amount=money(10_00))
        await till.send("Redeem", sale)
        gateway.sql(REVOKE[what], till.name)
        errors = [
            await fault(till.send("Redeem", request)) for request in (new, sale, new)
        ]
        errors.append(await fault(till.reverse(sale.request_id)))

    assert {error.code for error in errors} == {grpc.StatusCode.PERMISSION_DENIED}
    assert {error.reason for error in errors} == {"DEVICE_DENIED"}
    assert kept(gateway, new) == 0
    assert gateway.balance_of(card) == 70_00


async def test_the_next_item_is_refused(gateway: Gateway) -> None:
    """
    Mid-stream: the next item gets PERMISSION_DENIED, and so ends the stream.

    What was answered stays; nothing is kept of what came after.
    """
    async with open_tills(gateway) as tills:
        till, card = await doomed(tills), await card_maker(tills)()
        first, *rest = [
            request_of("Redeem", card_number=card.number, amount=money(10_00))
            for _ in range(4)
        ]
        stream = till.stream()
        end, answers = StreamEnd(stream), aiter(stream)
        await stream.write(pb.TransactRequest(sequence=1, redeem=first))
        told = await anext(answers)
        gateway.sql(REVOKE["device"], till.name)
        writing = asyncio.create_task(write_on(stream, rest))
        refused = []
        with suppress(aio.AioRpcError):  # told by `end`
            async for response in answers:
                refused.append(response)  # noqa: PERF401 -- it ends by an error
        await writing
        error = await end.error(timeout_s=END_S)
        assert error is not None
        last = fault_of(error)
        again = await fault(ended(till.stream()))

    # What was read before the first was refused is answered the same way.
    assert 1 <= len(refused) <= len(rest)
    assert {each.sequence for each in refused} == set(range(2, 2 + len(refused)))
    assert told.redeem.outcome.response_code == "00"
    assert {each.fault.code for each in refused} == {
        grpc.StatusCode.PERMISSION_DENIED.value[0]
    }
    assert {reason_of(each.fault) for each in refused} == {"DEVICE_DENIED"}
    assert {last.code, again.code} == {grpc.StatusCode.PERMISSION_DENIED}
    assert {last.reason, again.reason} == {"DEVICE_DENIED"}
    assert kept(gateway, *rest) == 0
    assert gateway.balance_of(card) == 90_00


async def test_who_is_revoked_in_the_queue_is_left_out(gateway: Gateway) -> None:
    """
    Only the locked read shows it: the batch goes on without the item.
    """
    async with open_tills(gateway) as tills:
        till, card = await doomed(tills), await card_maker(tills)()
        neighbour = await tills("till-1", worker=1)
        sale = request_of("Redeem", card_number=card.number, amount=money(30_00))
        gateway.order_fault("before_commit", "hold", worker=1)
        held = asyncio.ensure_future(neighbour.activate(UNKNOWN_NUMBER))
        await until_struck(gateway)
        refused = asyncio.ensure_future(fault(till.send("Redeem", sale)))
        sold = asyncio.ensure_future(neighbour.redeem(card, 10_00))
        await asyncio.sleep(0.2)
        gateway.sql(REVOKE["device"], till.name)
        release(gateway)
        await held
        error, told = await refused, await sold

    assert error.code is grpc.StatusCode.PERMISSION_DENIED
    assert error.reason == "DEVICE_DENIED"
    assert told.response_code == "00"
    assert kept(gateway, sale) == 0
    assert gateway.balance_of(card) == 90_00


async def write_on(stream: Any, requests: Sequence[Any]) -> None:
    """
    Write items, numbered from 2, until the stream ends.

    What a write raises that meets the end is the library's matter, not the gateway's.
    """
    with suppress(aio.AioRpcError, asyncio.InvalidStateError):
        for number, request in enumerate(requests, start=2):
            await stream.write(pb.TransactRequest(sequence=number, redeem=request))


async def ended(stream: Any) -> None:
    """
    Read a stream to its end, which raises its status.
    """
    while await stream.read() is not grpc.aio.EOF:
        pass


def reason_of(status: status_pb2.Status) -> str:
    """
    Give the reason of a fault's ErrorInfo.
    """
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return str(info.reason)


def kept(gateway: Gateway, *requests: Any) -> int:
    """
    Count the request keys that were kept.
    """
    ids = [request.request_id for request in requests]
    ((count,),) = gateway.sql(
        "SELECT count(*) FROM request_key WHERE request_id = ANY(%s::uuid[])", ids
    )
    return int(count)
