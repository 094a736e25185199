"""
Transact over real mutual TLS: matching, faults, flow control, ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from gateway.domain.errors import ConcurrencyError, DeviceDeniedError
from gateway.domain.results import Result
from scrip.v1 import card_service_pb2 as pb
from tests.support import wire
from tests.support.grpc_server import WORKER, Served, serving, until

Stream = aio.StreamStreamCall[pb.TransactRequest, pb.TransactResponse]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """
    Serve with room for four unanswered items a stream.
    """
    async with serving(tmp_path, max_unanswered_items=4) as running:
        yield running


@pytest.fixture
async def stream(served: Served) -> AsyncIterator[Stream]:
    """
    Open a stream.
    """
    async with served.channel() as channel:
        yield served.stub(channel).Transact()


def item(sequence: int, **operation: Any) -> pb.TransactRequest:
    """
    Make an item, a Redeem unless told otherwise.
    """
    if not operation:
        operation = {"redeem": wire.redeem_request()}
    return pb.TransactRequest(sequence=sequence, **operation)


async def answers(stream: Stream, count: int) -> dict[int, pb.TransactResponse]:
    """
    Read that many answers, by their sequence.
    """
    found = {}
    async with asyncio.timeout(5):
        for _ in range(count):
            response = await stream.read()
            assert isinstance(response, pb.TransactResponse)
            found[response.sequence] = response
    assert len(found) == count
    return found


async def end_of(stream: Stream) -> tuple[grpc.StatusCode, str]:
    """
    Give the status a stream ended with, and the reason in its ErrorInfo.
    """
    async with asyncio.timeout(5):
        code = await stream.code()
        for key, value in await stream.trailing_metadata():
            if key == "grpc-status-details-bin":
                status = status_pb2.Status.FromString(value)
                return code, reason_of(status)
    return code, ""


def reason_of(status: Any) -> str:
    """
    Read the reason in a status' ErrorInfo.
    """
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


async def test_every_kind_is_answered_by_its_number(
    served: Served, stream: Stream
) -> None:
    """
    Answers carry the request's sequence, its id and its kind, also number 0.
    """
    requests = [
        item(0, activate=wire.activate_request()),
        item(7, load=wire.load_request()),
        item(2**64 - 1),
        item(3, reverse=wire.reverse_request()),
    ]
    for request in requests:
        await stream.write(request)
    found = await answers(stream, 4)
    await stream.done_writing()

    kinds = {number: told.WhichOneof("answer") for number, told in found.items()}
    assert kinds == {0: "activate", 7: "load", 2**64 - 1: "redeem", 3: "reverse"}
    assert {told.request_id for told in found.values()} == {wire.REQUEST_ID}
    assert found[7].load.outcome.available_balance.minor_units == 140_00
    assert await end_of(stream) == (grpc.StatusCode.OK, "")
    assert dict(await stream.trailing_metadata())["scrip-worker"] == str(WORKER)


async def test_a_bad_item_does_not_end_the_stream(stream: Stream) -> None:
    """
    Each bad item gets what the unary call would have failed with.
    """
    await stream.write(item(1, redeem=wire.redeem_request(request_id="x")))
    await stream.write(item(2, get_balance=wire.balance_request()))
    await stream.write(item(3, redeem=wire.redeem_request(terminal_id="t-9")))
    await stream.write(pb.TransactRequest(sequence=4))
    found = await answers(stream, 4)
    await stream.write(item(5))
    last = await answers(stream, 1)

    faults = {
        number: (told.fault.code, reason_of(told.fault))
        for number, told in found.items()
    }
    assert faults == {
        1: (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_REQUEST"),
        2: (grpc.StatusCode.NOT_FOUND.value[0], "TRANSACTION_NOT_FOUND"),
        3: (grpc.StatusCode.PERMISSION_DENIED.value[0], "TERMINAL_DENIED"),
        4: (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_REQUEST"),
    }
    assert found[1].request_id == "x"
    assert last[5].redeem.outcome.result == Result.APPROVED.value


async def test_an_overlong_id_is_not_echoed(stream: Stream) -> None:
    """
    What is no request id is refused and not sent back.
    """
    await stream.write(item(1, redeem=wire.redeem_request(request_id="x" * 4_000)))
    found = await answers(stream, 1)

    assert found[1].request_id == ""
    assert reason_of(found[1].fault) == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("fault", "code"),
    [(ConcurrencyError("x"), 10), (RuntimeError("secret 6036"), 13)],
)
async def test_faults_of_the_lane_stay_with_their_item(
    served: Served, stream: Stream, fault: Exception, code: int
) -> None:
    """
    What the engine raises is the item's fault; a bug has a fixed text.
    """
    served.lane.fault = fault
    await stream.write(item(1))
    found = await answers(stream, 1)
    served.lane.fault = None
    await stream.write(item(2))

    assert found[1].fault.code == code
    assert "6036" not in found[1].fault.message
    assert (await answers(stream, 1))[2].redeem.outcome.result == 1


async def test_unanswered_items_are_bounded(served: Served, stream: Stream) -> None:
    """
    With four unanswered the stream is not read; an answer makes room.
    """
    served.lane.hold = True
    for number in range(10):
        await stream.write(item(number))
    await until(lambda: len(served.lane.taken) == 4)
    await asyncio.sleep(0.05)
    taken_while_held = len(served.lane.taken)
    served.lane.hold = False
    served.lane.release()
    found = await answers(stream, 10)

    assert taken_while_held == 4
    assert set(found) == set(range(10))


async def test_a_full_lane_stops_the_reading(served: Served, stream: Stream) -> None:
    """
    An item waits for a place in the queue instead of being refused.
    """
    served.lane.free = 0
    await stream.write(item(1))
    await asyncio.sleep(0.05)
    taken_while_full = len(served.lane.taken)
    served.lane.free = 1
    found = await answers(stream, 1)

    assert taken_while_full == 0
    assert found[1].redeem.outcome.result == 1


async def test_answers_come_in_any_order(served: Served, stream: Stream) -> None:
    """
    A later item that is ready is not kept behind an earlier one that is not.
    """
    served.lane.hold = True
    await stream.write(item(1))
    await until(lambda: len(served.lane.taken) == 1)
    served.lane.hold = False
    await stream.write(item(2))
    first = await answers(stream, 1)
    served.lane.release()
    second = await answers(stream, 1)

    assert (set(first), set(second)) == ({2}, {1})


async def test_garbage_ends_the_stream(served: Served) -> None:
    """
    A message that cannot be parsed ends it, after what was read is answered.
    """
    async with served.channel() as channel:
        raw: Any = channel.stream_stream("/scrip.v1.CardService/Transact")()
        await raw.write(item(1).SerializeToString())
        await raw.write(b"\xff\xff\xff")
        first = pb.TransactResponse.FromString(await raw.read())
        end = await end_of(raw)

    assert first.redeem.outcome.result == 1
    assert end == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


async def test_a_revoked_device_loses_its_stream(
    served: Served, stream: Stream
) -> None:
    """
    The item is refused, what was read before is answered, and the stream ends.
    """
    served.lane.hold = True
    await stream.write(item(1))
    await until(lambda: len(served.lane.taken) == 1)
    served.policies.current = replace(wire.policy_with_devices(revoked=True), version=2)
    await stream.write(item(2))
    refused = await answers(stream, 1)
    served.lane.release()
    answered = await answers(stream, 1)

    assert reason_of(refused[2].fault) == "DEVICE_DENIED"
    assert answered[1].redeem.outcome.result == 1
    assert await end_of(stream) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "DEVICE_DENIED",
    )


async def test_a_device_revoked_inside_the_batch_loses_its_stream(
    served: Served, stream: Stream
) -> None:
    """
    So it is when only the engine's locked read shows it.
    """
    served.lane.fault = DeviceDeniedError("revoked")
    await stream.write(item(1))
    refused = await answers(stream, 1)

    assert reason_of(refused[1].fault) == "DEVICE_DENIED"
    assert (await end_of(stream))[0] is grpc.StatusCode.PERMISSION_DENIED


async def test_what_waits_behind_a_revoked_device_is_told_the_same(
    served: Served, stream: Stream
) -> None:
    """
    An item that was read and found no place yet: no worker stops, so none says so.
    """
    served.lane.hold = True
    await stream.write(item(1))
    await until(lambda: len(served.lane.taken) == 1)
    served.lane.free = 0
    await stream.write(item(2))
    await asyncio.sleep(0.05)
    served.lane.fail_held(DeviceDeniedError("revoked"))
    found = await answers(stream, 2)

    assert {reason_of(told.fault) for told in found.values()} == {"DEVICE_DENIED"}
    assert len(served.lane.taken) == 1
    assert await end_of(stream) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "DEVICE_DENIED",
    )


async def test_a_stranger_gets_no_stream(served: Served) -> None:
    """
    A device that is not registered is refused before the first item.
    """
    served.policies.current = wire.policy_with_devices(sha256=b"\x06" * 32)
    async with served.channel() as channel:
        stream = served.stub(channel).Transact()
        end = await end_of(stream)

    assert end == (grpc.StatusCode.PERMISSION_DENIED, "DEVICE_DENIED")


async def test_a_drain_answers_all_it_has_read(served: Served, stream: Stream) -> None:
    """
    It reads nothing more, answers what it has, and ends UNAVAILABLE, NOT_APPLIED.
    """
    served.lane.hold = True
    for number in range(3):
        await stream.write(item(number))
    await until(lambda: len(served.lane.taken) == 3)
    drain = asyncio.create_task(served.server.drain())
    await asyncio.sleep(0.05)
    served.lane.release()
    found = await answers(stream, 3)

    assert {told.redeem.outcome.result for told in found.values()} == {1}
    assert await end_of(stream) == (grpc.StatusCode.UNAVAILABLE, "NOT_APPLIED")
    async with asyncio.timeout(2):
        await drain


async def test_a_drain_refuses_what_waits_for_room(
    served: Served, stream: Stream
) -> None:
    """
    An item that was read and found no place is told that nothing was applied.
    """
    served.lane.free = 0
    await stream.write(item(1))
    await asyncio.sleep(0.05)
    drain = asyncio.create_task(served.server.drain())
    found = await answers(stream, 1)

    assert reason_of(found[1].fault) == "NOT_APPLIED"
    assert (await end_of(stream))[0] is grpc.StatusCode.UNAVAILABLE
    await drain


async def test_a_client_that_leaves_is_forgotten(
    served: Served, stream: Stream
) -> None:
    """
    A cancelled stream frees its place; its items go on to their end.
    """
    served.lane.hold = True
    await stream.write(item(1))
    await until(lambda: len(served.lane.taken) == 1)
    stream.cancel()
    await until(lambda: served.guard.running == 0)
    served.lane.release()

    assert stream.cancelled()


async def test_a_deadline_of_the_stream_bounds_its_items(served: Served) -> None:
    """
    An item may wait for the server's default, but not longer than its stream.
    """
    loop = asyncio.get_running_loop()
    async with served.channel() as channel:
        stub = served.stub(channel)
        for timeout in (2, None):
            stream = stub.Transact(timeout=timeout)
            await stream.write(item(1))
            await answers(stream, 1)
            await stream.done_writing()
            await end_of(stream)
    short, usual = (deadline - loop.time() for _, _, deadline in served.lane.taken)

    assert 0 < short <= 2
    assert 3 < usual <= 5


async def test_items_are_counted(served: Served, stream: Stream) -> None:
    """
    Each item is a call of its own in the figures, and the stream is one more.
    """
    await stream.write(item(1))
    await stream.write(item(2))
    await answers(stream, 2)
    await stream.done_writing()
    await end_of(stream)
    value = served.metrics.registry.get_sample_value

    item_labels = {"method": "Redeem", "result": "APPROVED", "status": "OK"}
    stream_labels = {"method": "Transact", "result": "", "status": "OK"}
    assert value("scrip_rpcs_total", item_labels) == 2
    assert value("scrip_rpcs_total", stream_labels) == 1
