"""
What one certificate may have under way at once: it cannot take the worker for itself.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gateway.api.crowd import MAX_CALLS, MAX_LOOKS, MAX_STREAMS
from scrip.v1 import card_service_pb2 as pb
from tests.support.raw_http2 import raw_client
from tests.support.server import Gateway
from tests.support.tills import (
    MakeCard,
    Till,
    Tills,
    fault,
    fault_of,
    money,
    open_tills,
    request_of,
)

if TYPE_CHECKING:
    from gateway.vault.pki import KeyPair

StartGateway = Callable[..., Gateway]

SERVICE = "scrip.v1.CardService"
SOME_ID = "0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e"
HARD_LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


@pytest.fixture
def few_files() -> Iterator[int]:
    """
    Let what is started have as few open files as this, unless it asks for more.
    """
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, HARD_LIMIT))
    yield count
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def stolen(gateway: Gateway) -> KeyPair:
    """
    Issue a certificate that the books do not know, as those of lost devices.
    """
    return gateway.authority.issue_device(
        trust_domain="scrip.internal",
        merchant="nobody",
        store="nowhere",
        device="stolen",
        kind="TERMINAL",
    )


async def first_of(calls: list[Any]) -> list[Any]:
    """
    Read the first message of each call, or the status it ended with.
    """

    async def first(call: Any) -> Any:
        try:
            return await call.read()
        except aio.AioRpcError as error:
            return error

    return await asyncio.gather(*map(first, calls))


async def test_watches_of_a_lost_device(tills: Tills, till: Till) -> None:
    """
    Beyond its bound of health watches it is refused, and others get all of theirs.
    """
    lost = tills.connect("lost", stolen(tills.gateway))
    request = health_pb2.HealthCheckRequest(service=SERVICE)
    health: Any = health_pb2_grpc.HealthStub(lost.channel)
    watches = [health.Watch(request) for _ in range(MAX_LOOKS + 8)]
    told = await first_of(watches)
    others: Any = health_pb2_grpc.HealthStub(till.channel)
    check = await others.Check(request)
    for watch in watches:
        watch.cancel()
    refused = [each for each in told if isinstance(each, aio.AioRpcError)]

    assert len(refused) == 8
    assert {each.code() for each in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {fault_of(each).reason for each in refused} == {"NOT_APPLIED"}
    assert check.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflections_of_a_lost_device(tills: Tills) -> None:
    """
    Reflection's streams count with them; when one ends there is room again.
    """
    lost = tills.connect("lost", stolen(tills.gateway))
    open_channel: Any = lost.channel
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(open_channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    streams = [reflection.ServerReflectionInfo() for _ in range(MAX_LOOKS)]
    for stream in streams:
        await stream.write(request)
    told = await first_of(streams)
    health: Any = health_pb2_grpc.HealthStub(lost.channel)
    looked = health_pb2.HealthCheckRequest(service=SERVICE)
    refused = await fault(health.Check(looked))
    for stream in streams:
        await stream.done_writing()
        assert await stream.read() is aio.EOF

    assert not [each for each in told if isinstance(each, aio.AioRpcError)]
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await health.Check(looked)).status == 1


async def test_streams_of_one_device(tills: Tills, card: MakeCard) -> None:
    """
    A device may hold a bound of streams; another device is not touched by it.
    """
    eager, other = await tills("till-2"), await tills("till-3")
    target = await card()
    streams = [eager.stream() for _ in range(MAX_STREAMS)]
    for sequence, stream in enumerate(streams):
        sale = request_of("Redeem", card_number=target.number, amount=money(1))
        await stream.write(pb.TransactRequest(sequence=sequence, redeem=sale))
    told = await first_of(streams)
    beyond = eager.stream()
    with pytest.raises(aio.AioRpcError) as refused:
        await beyond.read()
    sold = await other.redeem(target, 1)
    for stream in streams:
        stream.cancel()

    assert [each.redeem.outcome.response_code for each in told] == ["00"] * MAX_STREAMS
    end = fault_of(refused.value)
    assert (end.code, end.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "NOT_APPLIED",
    )
    assert end.retry_after_ms == 100
    assert sold.response_code == "00"


async def test_calls_of_one_device(start_gateway: StartGateway) -> None:
    """
    Beyond its bound of calls a device is told to ask again; no other device waits.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        first = await tills("till-1")
        # Each connection carries as many calls as gRPC lets one carry, and no more.
        eager = [await tills("till-2") for _ in range(2)]
        gateway.order_fault("before_commit", "hold")
        (card,) = gateway.new_cards(1)
        held = asyncio.ensure_future(first.activate(card, 100_00))
        await until(gateway.is_held)
        questions = [
            asyncio.ensure_future(eager[turn % 2].redeem(card, 1))
            for turn in range(MAX_CALLS + 20)
        ]
        refused = await asyncio.wait_for(first_faults(questions, 20), 20)
        other = await fault((await tills("till-3")).transaction(SOME_ID))
        gateway.let_go()
        await held
        answers = await asyncio.gather(*questions, return_exceptions=True)

    assert {each.code for each in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {each.reason for each in refused} == {"NOT_APPLIED"}
    assert other.code is grpc.StatusCode.NOT_FOUND
    sold = [each for each in answers if not isinstance(each, BaseException)]
    assert len(sold) == MAX_CALLS


async def test_a_watcher_that_does_not_read(start_gateway: StartGateway) -> None:
    """
    It holds up neither the others' health nor the drain, which ends in its time.
    """
    gateway = start_gateway()
    request = health_pb2.HealthCheckRequest(service=SERVICE).SerializeToString()
    with raw_client(gateway, stolen(gateway)) as client:
        for _ in range(2):
            client.call("/grpc.health.v1.Health/Watch", request)
        await asyncio.sleep(0.3)
        started = time.monotonic()
        code = await asyncio.to_thread(gateway.stop)

    assert code == 0
    assert time.monotonic() - started < 5


async def until(holds: Callable[[], bool]) -> None:
    """
    Wait until something holds.
    """
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a file tells nobody that it went
            await asyncio.sleep(0.01)


async def first_faults(calls: Sequence[asyncio.Future[Any]], count: int) -> list[Any]:
    """
    Wait for the first calls that end with a status.
    """
    found: list[Any] = []
    for call in asyncio.as_completed(calls):
        try:
            await call
        except aio.AioRpcError as error:
            found.append(fault_of(error))
        if len(found) == count:
            break
    return found


async def test_more_tills_than_a_shell_grants_files(
    start_gateway: StartGateway, few_files: int
) -> None:
    """
    A worker asks for the files it may have: each till keeps a connection open.
    """
    gateway = start_gateway()
    tills_at_once = few_files + 50
    async with open_tills(gateway) as tills:
        resource.setrlimit(resource.RLIMIT_NOFILE, (20 * few_files, HARD_LIMIT))
        for _ in range(tills_at_once):
            till = await tills("till-1")
            asked = await fault(till.transaction(SOME_ID))
            assert asked.code is grpc.StatusCode.NOT_FOUND, asked
