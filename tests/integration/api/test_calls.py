"""
Unary calls over real mutual TLS: answers, statuses, identity, limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from gateway.domain.errors import DependencyError, ThrottledError
from gateway.domain.results import Result
from gateway.vault.pki import LocalAuthority
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from tests.support import wire
from tests.support.grpc_server import WORKER, Served, issue, serving, until


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """
    Serve with a small limit of messages.
    """
    async with serving(tmp_path, max_message_bytes=4096) as running:
        yield running


@pytest.fixture
async def stub(served: Served) -> AsyncIterator[pb_grpc.CardServiceAsyncStub]:
    """
    Give a till's stub.
    """
    async with served.channel() as channel:
        yield served.stub(channel)


async def fault_of(call: Any) -> aio.AioRpcError:
    """
    Await a call that fails.
    """
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    return caught.value


def reason_of(error: aio.AioRpcError) -> str:
    """
    Read the reason in the status' ErrorInfo.
    """
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "gateway.scrip"
    return str(info.reason)


def worker_of(metadata: Any) -> str:
    """
    Read the worker's number in trailing metadata.
    """
    return str(dict(metadata)["scrip-worker"])


async def test_a_sale_is_answered(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    A Redeem goes through identity, reading, lane and answer; the worker is named.
    """
    call = stub.Redeem(wire.redeem_request(), timeout=5)
    told = (await call).outcome

    assert told.result == Result.APPROVED.value
    assert told.available_balance.minor_units == 70_00
    assert worker_of(await call.trailing_metadata()) == str(WORKER)
    assert served.lane.taken[0][0].device == wire.DEVICE


async def test_every_unary_method_reaches_its_lane(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    Each method is served: money to the lane, questions to theirs.
    """
    await stub.Activate(wire.activate_request())
    await stub.Load(wire.load_request())
    await stub.Redeem(wire.redeem_request())
    await stub.Reverse(wire.reverse_request(original_terminal_id="t-1"))
    await fault_of(stub.GetBalance(wire.balance_request()))
    await fault_of(stub.GetTransaction(wire.transaction_request()))
    await fault_of(stub.GetTransaction(wire.transaction_request(terminal_id="t-1")))

    kinds = [type(command).__name__ for _, command, _ in served.lane.taken]
    asked = [type(question).__name__ for question in served.questions.taken]
    assert kinds == ["Activate", "Load", "Redeem", "Reverse"]
    assert asked == ["GetBalance", "GetTransaction", "GetTransaction"]


async def test_bad_input_is_refused_by_field(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    INVALID_ARGUMENT carries ErrorInfo and every wrong field; nothing reaches the lane.
    """
    error = await fault_of(
        stub.Redeem(wire.redeem_request(request_id="x", amount=None))
    )
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    bad = error_details_pb2.BadRequest()

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "INVALID_REQUEST"
    assert status.details[1].Unpack(bad)
    assert [v.field for v in bad.field_violations] == ["request_id", "amount"]
    assert worker_of(error.trailing_metadata()) == str(WORKER)
    assert served.lane.taken == []


async def test_garbage_is_refused(served: Served) -> None:
    """
    Bytes that are no message are INVALID_ARGUMENT with ErrorInfo, not UNKNOWN.
    """
    async with served.channel() as channel:
        call: Any = channel.unary_unary("/scrip.v1.CardService/Redeem")
        error = await fault_of(call(b"\xff\xff\xff"))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "INVALID_REQUEST"


async def test_an_oversized_message_is_refused(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    GRPC itself refuses a message over the limit; the connection lives on.
    """
    error = await fault_of(stub.Redeem(wire.redeem_request(card_number="1" * 5_000)))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert served.lane.taken == []
    assert (await stub.Redeem(wire.redeem_request())).outcome.result == 1


async def test_a_message_may_not_unfold(served: Served) -> None:
    """
    A compressed message is refused: a bomb is never unpacked.
    """
    async with served.channel(compression=grpc.Compression.Gzip) as channel:
        request = wire.redeem_request(card_number="1" * 3_000)
        error = await fault_of(served.stub(channel).Redeem(request))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert served.lane.taken == []


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (
            ThrottledError("x", retry_after_ms=7),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "NOT_APPLIED",
        ),
        (DependencyError("x"), grpc.StatusCode.UNAVAILABLE, "NOT_APPLIED"),
        (RuntimeError("secret 6036"), grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
async def test_faults_of_the_lane_become_statuses(
    served: Served,
    stub: pb_grpc.CardServiceAsyncStub,
    fault: Exception,
    code: grpc.StatusCode,
    reason: str,
) -> None:
    """
    What the engine raises arrives with its code and reason; a bug with a fixed text.
    """
    served.lane.fault = fault
    error = await fault_of(stub.Redeem(wire.redeem_request()))

    assert error.code() is code
    assert reason_of(error) == reason
    assert "6036" not in (error.details() or "")


async def test_a_revoked_device_is_refused(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    PERMISSION_DENIED with ErrorInfo on the next call over the open connection.
    """
    await stub.Redeem(wire.redeem_request())
    served.policies.current = wire.policy_with_devices(revoked=True)

    error = await fault_of(stub.Redeem(wire.redeem_request()))

    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert reason_of(error) == "DEVICE_DENIED"


async def test_another_terminal_is_refused(
    stub: pb_grpc.CardServiceAsyncStub,
) -> None:
    """
    A TERMINAL names no other terminal, nor an original elsewhere.
    """
    calls = [
        stub.Redeem(wire.redeem_request(terminal_id="t-2")),
        stub.Reverse(wire.reverse_request(original_terminal_id="t-2")),
        stub.GetTransaction(wire.transaction_request(terminal_id="t-2")),
    ]

    for call in calls:
        error = await fault_of(call)
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
        assert reason_of(error) == "TERMINAL_DENIED"


async def test_an_unregistered_device_is_refused(served: Served) -> None:
    """
    A certificate of our authority without a registered device: PERMISSION_DENIED.
    """
    async with served.channel(issue(served.authority, "till-9")) as channel:
        error = await fault_of(served.stub(channel).Redeem(wire.redeem_request()))

    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert reason_of(error) == "DEVICE_DENIED"


async def test_a_foreign_trust_domain_is_refused(served: Served) -> None:
    """
    A URI of another trust domain is no identity here: UNAUTHENTICATED.
    """
    foreign = served.authority.issue_device(
        trust_domain="other.test",
        merchant="m-1",
        store="s-1",
        device="till-1",
        kind="TERMINAL",
    )
    async with served.channel(foreign) as channel:
        error = await fault_of(served.stub(channel).Redeem(wire.redeem_request()))

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(error) == "UNAUTHENTICATED"


async def test_a_foreign_certificate_gets_no_connection(
    served: Served, tmp_path: Path
) -> None:
    """
    A certificate of another authority ends in the handshake: UNAVAILABLE.
    """
    other = LocalAuthority.open_or_create(tmp_path / "other")
    async with served.channel(issue(other)) as channel:
        call = served.stub(channel).Redeem(wire.redeem_request(), timeout=5)
        error = await fault_of(call)

    assert error.code() is grpc.StatusCode.UNAVAILABLE


async def test_deadlines_reach_the_lane(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    A call brings its deadline; one without gets the server's own (5 s).
    """
    now = asyncio.get_running_loop().time()
    await stub.Redeem(wire.redeem_request(), timeout=2)
    await stub.Redeem(wire.redeem_request())
    with_own, without = (deadline - now for _, _, deadline in served.lane.taken)

    assert 1 < with_own <= 2.1
    assert 4.9 < without < 6


async def test_a_deadline_that_ends_first(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    The client's library says DEADLINE_EXCEEDED, and the server forgets the call.
    """
    served.lane.hold = True
    error = await fault_of(stub.Redeem(wire.redeem_request(), timeout=0.1))

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: not served.guard.running)


async def test_health_and_reflection(served: Served) -> None:
    """
    The standard services answer any certificate of ours, and name the card service.
    """
    async with served.channel(issue(served.authority, "probe")) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        names = ("", "scrip.v1.CardService")
        states = [
            (await health.Check(health_pb2.HealthCheckRequest(service=name))).status
            for name in names
        ]
        open_channel: Any = channel
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(open_channel)
        call = reflection.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = (await call.read()).list_services_response.service
        await call.done_writing()

    assert states == [health_pb2.HealthCheckResponse.SERVING] * 2
    assert "scrip.v1.CardService" in {service.name for service in listed}


async def test_an_unknown_method_is_unimplemented(served: Served) -> None:
    """
    A method that this version does not have is refused by gRPC.
    """
    async with served.channel() as channel:
        call: Any = channel.unary_unary("/scrip.v1.CardService/NeverHeardOf")
        error = await fault_of(call(b""))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_calls_are_counted(
    served: Served, stub: pb_grpc.CardServiceAsyncStub
) -> None:
    """
    Each answer is counted by method, result and status; each fault by its reason.
    """
    await stub.Redeem(wire.redeem_request())
    await fault_of(stub.Redeem(wire.redeem_request(request_id="")))
    value = served.metrics.registry.get_sample_value

    labels = {"method": "Redeem", "result": "APPROVED", "status": "OK"}
    assert value("scrip_rpcs_total", labels) == 1
    assert value("scrip_faults_total", {"reason": "INVALID_REQUEST"}) == 1


async def test_a_drain_finishes_what_has_begun(served: Served) -> None:
    """
    Calls in flight are answered, health says NOT_SERVING, watchers do not hold it up.
    """
    served.lane.hold = True
    async with served.channel() as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service=""))
        first = await watch.read()
        sale = asyncio.ensure_future(
            _outcome(served.stub(channel).Redeem(wire.redeem_request(), timeout=5))
        )
        await until(lambda: bool(served.lane.taken))
        drain = asyncio.create_task(served.server.drain())
        second = await watch.read()
        served.lane.release()
        told = await sale
        async with asyncio.timeout(2):
            await drain

    assert first.status == health_pb2.HealthCheckResponse.SERVING
    assert second.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert told.outcome.result == 1


async def _outcome(call: Any) -> pb.RedeemResponse:
    response = await call
    assert isinstance(response, pb.RedeemResponse)
    return response
