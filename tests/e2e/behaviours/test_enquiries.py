"""
GetTransaction, and what stands beside the card service: health and reflection.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.look import Look
from tests.support.server import Gateway, wait_for
from tests.support.stream_till import streaming
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    fault,
    money,
    new_id,
    request_of,
)
from tests.support.told import told

_SERVICE: Final = "scrip.v1.CardService"


async def test_posted_reversed_declined(till: Till, card: MakeCard, look: Look) -> None:
    """
    The stored answer, marked as replayed, and what became of it since.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    posted = await till.transaction(sale)
    declined = await till.redeem(plastic, 999_00)
    undone = await till.reverse(sale)
    before = look.footprint()
    asked = [await till.transaction(answer) for answer in (sale, declined, undone)]

    assert told(posted) == replace(told(sale), replayed=True)
    assert told(asked[0]) == replace(told(sale), state="REVERSED", replayed=True)
    assert told(asked[1]) == replace(told(declined), replayed=True)
    assert told(asked[1]).state == "DECLINED"
    assert told(asked[2]) == replace(told(undone), replayed=True)
    assert [answer.transaction_id for answer in asked] == [
        answer.transaction_id for answer in (sale, declined, undone)
    ]
    assert look.footprint() == before


async def test_unknown_and_tombstone(till: Till, look: Look) -> None:
    """
    Never seen: NOT_FOUND, final=false. Under a tombstone: NOT_FOUND, final=true.
    """
    request_id = new_id()
    before = look.footprint()
    unknown = await fault(till.transaction(request_id))
    unchanged = look.footprint()
    await till.reverse(request_id)
    final = await fault(till.transaction(request_id))

    for error in (unknown, final):
        assert error.code is grpc.StatusCode.NOT_FOUND
        assert error.reason == "TRANSACTION_NOT_FOUND"
    assert unknown.metadata == {"final": "false"}
    assert final.metadata == {"final": "true"}
    assert unchanged == before


async def test_a_balance_is_not_recorded(till: Till, card: MakeCard) -> None:
    """
    The id of a GetBalance is nobody's: NOT_FOUND, final=false.
    """
    asked = new_id()
    await till.balance(await card(), request_id=asked)
    error = await fault(till.transaction(asked))

    assert (error.code, error.metadata) == (
        grpc.StatusCode.NOT_FOUND,
        {"final": "false"},
    )


async def test_about_another_terminal(tills: Tills, card: MakeCard) -> None:
    """
    A till may ask about a terminal of its store that it names; else about its own.
    """
    one, other = await tills("till-1"), await tills("till-2")
    sale = await one.redeem(await card(), 30_00)
    named = await other.transaction(sale, terminal_id="t-1")
    own = await fault(other.transaction(sale))

    assert told(named) == replace(told(sale), replayed=True)
    assert named.terminal_id == "t-1"
    assert own.code is grpc.StatusCode.NOT_FOUND


async def test_while_the_original_waits_in_the_queue(
    two_workers: Gateway, pair: Tills, pair_card: MakeCard
) -> None:
    """
    "Not recorded so far" proves nothing: the original waits in a queue, and is done.
    """
    till = await pair("till-1", worker=1)
    asking = await pair("till-1", worker=2)
    plastic, other = await pair_card(), await pair_card()
    request = request_of("Redeem", card_number=other.number, amount=money(30_00))
    two_workers.order_fault("before_commit", "hold")
    held = asyncio.ensure_future(till.redeem(plastic, 1_00))
    await asyncio.to_thread(wait_for, two_workers.is_held)
    waiting = asyncio.ensure_future(till.send("Redeem", request))
    await asyncio.sleep(0.1)
    errors = [
        await fault(asker.transaction(request.request_id)) for asker in (till, asking)
    ]
    waited = not waiting.done()
    two_workers.let_go()
    await held
    sale = (await waiting).outcome
    found = await asking.transaction(request.request_id)

    assert waited
    for error in errors:
        assert error.code is grpc.StatusCode.NOT_FOUND
        assert error.metadata == {"final": "false"}
    assert told(sale).result == "APPROVED"
    assert told(found) == replace(told(sale), replayed=True)


@pytest.mark.parametrize("service", ["", _SERVICE])
async def test_health(tills: Tills, service: str) -> None:
    """
    The standard health service says SERVING, for the server and for the card service.
    """
    till = await tills("till-1")
    stub: Any = health_pb2_grpc.HealthStub(till.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection(tills: Tills) -> None:
    """
    Reflection lists the services and gives the contract's files.
    """
    till = await tills("till-1")
    names = await _reflect(till, list_services="")
    listed = {service.name for service in names.list_services_response.service}
    found = await _reflect(till, file_containing_symbol=_SERVICE)

    assert listed == {
        _SERVICE,
        "scrip.v1.StaffService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert any(
        b"scrip/v1/card_service.proto" in file
        for file in found.file_descriptor_response.file_descriptor_proto
    )


async def _reflect(till: Till, **question: Any) -> Any:
    # The stubs know the synchronous channel only.
    channel: Any = till.channel
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    call: Any = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(**question))
    answer = await call.read()
    await call.done_writing()
    return answer


async def test_a_method_that_there_is_not(tills: Tills) -> None:
    """
    UNIMPLEMENTED, from the library: no details of ours.
    """
    till = await tills("till-1")
    call: Any = till.channel.unary_unary(f"/{_SERVICE}/CashIn")
    error = await fault(call(b""))

    assert (error.code, error.reason) == (grpc.StatusCode.UNIMPLEMENTED, "")


async def test_a_balance_echoes_its_id(till: Till, card: MakeCard) -> None:
    """
    GetBalance: the request id is optional and echoed; nothing is ever a replay.
    """
    plastic, request_id = await card(), new_id()
    first = await till.balance(plastic, request_id=request_id)
    await till.redeem(plastic, 30_00)
    second = await till.balance(plastic, request_id=request_id)
    without = await till.balance(plastic)
    unknown = await till.balance(UNKNOWN_NUMBER)

    assert (first.request_id, second.request_id) == (request_id, request_id)
    assert (told(first).available, told(second).available) == (
        "100.00 USD",
        "70.00 USD",
    )
    assert not second.replayed
    assert without.request_id == unknown.request_id == ""
    assert told(unknown).state == "DECLINED"


async def test_the_answers_of_a_stream_are_matched_by_number(
    tills: Tills, card: MakeCard
) -> None:
    """
    Forty requests of all kinds at once over one stream: each gets its own answer.
    """
    plastic = await card(999_00)
    async with streaming(await tills("till-1")) as stream:
        sales, loads, balances, missing = await asyncio.gather(
            asyncio.gather(*(stream.redeem(plastic, n) for n in range(1, 11))),
            asyncio.gather(*(stream.load(plastic, n) for n in range(1, 11))),
            asyncio.gather(*(stream.balance(plastic) for _ in range(10))),
            asyncio.gather(*(fault(stream.transaction(new_id())) for _ in range(10))),
        )

    assert [sale.approved_amount.minor_units for sale in sales] == list(range(1, 11))
    assert [load.approved_amount.minor_units for load in loads] == list(range(1, 11))
    assert {told(balance).result for balance in balances} == {"APPROVED"}
    assert {error.code for error in missing} == {grpc.StatusCode.NOT_FOUND}
