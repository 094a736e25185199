"""
More is asked than a worker takes, or for longer than a till waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import grpc
import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import result_pb2
from tests.support.chaos import release, until_struck
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import fresh_database, short_data_folder
from tests.support.tills import (
    UNKNOWN_NUMBER,
    Fault,
    MakeCard,
    Till,
    Tills,
    card_maker,
    fault,
    money,
    open_tills,
    request_of,
)

Told = TypeVar("Told")

QUEUE = 8
DEADLINE_S = 1.5
SETTINGS = {
    "LANE__QUEUE_LIMIT": f"{QUEUE}",
    "LANE__BATCH_LIMIT": "4",
    "GRPC__DEFAULT_DEADLINE_MS": f"{DEADLINE_S * 1000:.0f}",
    # A lane that a test holds is idle in its transaction.
    "POSTGRES__IDLE_IN_TRANSACTION_TIMEOUT_MS": "20000",
}


@pytest.fixture(scope="module")
def small_gateway(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[Gateway]:
    """
    Run two workers that take eight requests each.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(
            fresh_database(postgres_server, template_database)
        )
        gateway = stack.enter_context(
            prepared_gateway(folder, database, valkey_server.url, **SETTINGS)
        )
        gateway.start(1)
        gateway.start(2)
        yield gateway
        assert (gateway.stop(1), gateway.stop(2)) == (0, 0)


@pytest.fixture
async def tills(small_gateway: Gateway) -> AsyncIterator[Tills]:
    """
    Open tills, and check the books afterwards.
    """
    async with open_tills(small_gateway) as opener:
        yield opener
    small_gateway.books_check()


@pytest.fixture
async def till(tills: Tills) -> Till:
    """
    Give a till on the first worker.
    """
    return await tills("till-1", worker=1)


@pytest.fixture
def card(tills: Tills) -> MakeCard:
    """
    Make cards.
    """
    return card_maker(tills)


async def hold_lane(
    gateway: Gateway, call: Coroutine[Any, Any, Told]
) -> asyncio.Future[Told]:
    """
    Stop the first worker's lane with a call before its commit: what comes now waits.
    """
    gateway.order_fault("before_commit", "hold", worker=1)
    held = asyncio.ensure_future(call)
    await until_struck(gateway)
    return held


async def queued(calls: list[Coroutine[Any, Any, Told]]) -> list[asyncio.Task[Told]]:
    """
    Send calls, and give them the time to arrive.
    """
    sent = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.2)
    return sent


async def test_a_full_queue_refuses(
    small_gateway: Gateway, till: Till, card: MakeCard
) -> None:
    """
    RESOURCE_EXHAUSTED, NOT_APPLIED and a time to wait; the retry is done as usual.
    """
    plastic = await card()
    requests = [
        request_of("Redeem", card_number=plastic.number, amount=money(1_00))
        for _ in range(QUEUE + 3)
    ]
    held = await hold_lane(small_gateway, till.activate(UNKNOWN_NUMBER))
    sent = {asyncio.ensure_future(till.send("Redeem", it)): it for it in requests}
    refused: list[Any] = []
    errors: list[Fault] = []
    while len(refused) < 3:
        done, _ = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        refused += [sent.pop(task) for task in done]
        errors += [await fault(task) for task in done]
    assert kept(small_gateway, *refused) == 0
    release(small_gateway)
    await held
    told = [reply.outcome for reply in await asyncio.gather(*sent)]
    later = (await till.send("Redeem", refused[0])).outcome

    assert {error.code for error in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {error.reason for error in errors} == {"NOT_APPLIED"}
    assert all(error.retry_after_ms for error in errors)
    assert [outcome.response_code for outcome in told] == ["00"] * QUEUE
    assert later.response_code == "00"
    assert not later.replayed
    assert small_gateway.balance_of(plastic) == 100_00 - (QUEUE + 1) * 1_00


async def test_a_full_queue_makes_a_stream_wait(
    small_gateway: Gateway, till: Till, card: MakeCard
) -> None:
    """
    On a stream nothing is refused: the worker stops reading until there is room.
    """
    plastic = await card()
    held = await hold_lane(small_gateway, till.activate(UNKNOWN_NUMBER))
    stream = till.stream()
    for number in range(40):
        sale = request_of("Redeem", card_number=plastic.number, amount=money(1_00))
        await stream.write(pb.TransactRequest(sequence=number, redeem=sale))
    await stream.done_writing()
    await asyncio.sleep(0.2)
    release(small_gateway)
    await held
    told = [response async for response in stream]

    assert {response.sequence for response in told} == set(range(40))
    assert {response.redeem.outcome.response_code for response in told} == {"00"}
    assert small_gateway.balance_of(plastic) == 60_00


async def test_a_deadline_over_in_the_queue(
    small_gateway: Gateway, till: Till, card: MakeCard
) -> None:
    """
    DEADLINE_EXCEEDED before its batch: nothing is recorded, however it was sent.
    """
    plastic = await card()
    requests = [
        request_of("Redeem", card_number=plastic.number, amount=money(1_00))
        for _ in range(3)
    ]
    hasty, patient, streamed = requests
    stream = till.stream()
    held = await hold_lane(small_gateway, till.activate(UNKNOWN_NUMBER))
    # The till's own deadline; the gateway's, for a call and for an item without one.
    cut = asyncio.ensure_future(fault(till.send("Redeem", hasty, timeout_s=0.3)))
    refused = asyncio.ensure_future(fault(till.stub.Redeem(patient)))
    await stream.write(pb.TransactRequest(sequence=1, redeem=streamed))
    await asyncio.sleep(DEADLINE_S + 0.5)
    release(small_gateway)
    await held
    errors = [await cut, await refused]
    item = await stream.read()
    await stream.done_writing()

    assert {error.code for error in errors} == {grpc.StatusCode.DEADLINE_EXCEEDED}
    assert errors[1].reason == "DEADLINE_EXCEEDED"
    assert item.fault.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
    assert kept(small_gateway, *requests) == 0
    for request in requests:
        enquiry = await fault(till.transaction(request.request_id))
        assert enquiry.metadata == {"final": "false"}
    assert small_gateway.balance_of(plastic) == 100_00


async def test_a_deadline_over_in_the_batch(
    small_gateway: Gateway, till: Till, card: MakeCard
) -> None:
    """
    DEADLINE_EXCEEDED once it is being decided: it is recorded, and the retry tells.
    """
    plastic = await card()
    request = request_of("Redeem", card_number=plastic.number, amount=money(30_00))
    call = fault(till.send("Redeem", request, timeout_s=1.0))
    held = await hold_lane(small_gateway, call)
    error = await held
    release(small_gateway)
    again = (await till.send("Redeem", request)).outcome

    assert error.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert again.response_code == "00"
    assert again.replayed
    assert kept(small_gateway, request) == 1
    assert small_gateway.balance_of(plastic) == 70_00


async def test_only_a_reversal_makes_an_absence_final(
    small_gateway: Gateway, tills: Tills, till: Till, card: MakeCard
) -> None:
    """
    GetTransaction while the original waits in a queue: not found, and not final.

    A reversal over the other worker leaves a tombstone, and then it is final; the
    original, when its turn comes, is declined and moves nothing.
    """
    plastic = await card()
    other = await tills("till-1", worker=2)
    request = request_of("Redeem", card_number=plastic.number, amount=money(30_00))
    held = await hold_lane(small_gateway, till.activate(UNKNOWN_NUMBER))
    (waiting,) = await queued([till.send("Redeem", request)])
    before = await fault(other.transaction(request.request_id))
    undone = await other.reverse(request.request_id)
    after = await fault(other.transaction(request.request_id))
    release(small_gateway)
    await held
    late = (await waiting).outcome

    assert before.code is after.code is grpc.StatusCode.NOT_FOUND
    assert (before.metadata, after.metadata) == ({"final": "false"}, {"final": "true"})
    assert undone.result == result_pb2.RESULT_ORIGINAL_NOT_FOUND
    assert late.result == result_pb2.RESULT_ALREADY_REVERSED
    assert not late.transaction_id
    assert small_gateway.balance_of(plastic) == 100_00


def kept(gateway: Gateway, *requests: Any) -> int:
    """
    Count the request keys that were kept.
    """
    ids = [request.request_id for request in requests]
    ((count,),) = gateway.sql(
        "SELECT count(*) FROM request_key WHERE request_id = ANY(%s::uuid[])", ids
    )
    return int(count)
