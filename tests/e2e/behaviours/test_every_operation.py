"""
What may befall a request befalls every operation of the table.

Retry, concurrent duplicate, reversal before, beside and after the original, wiped
Redis, SIGKILL after commit: each meets each entry of `tests.support.matrix_table`, and
after each the books are checked. Nothing here knows one operation from another.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import grpc
import pytest
from grpc import aio

from tests.support.look import Look
from tests.support.matrix import (
    Bench,
    Case,
    Entry,
    decided,
    repeats,
    reversal_of,
    reverse,
    send,
    streamed,
)
from tests.support.matrix_table import TABLE
from tests.support.retrying import until_answered
from tests.support.server import Gateway, wait_for
from tests.support.stores import flush
from tests.support.tills import MakeCard, Tills, fault

every_entry = pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.name)
# A worker that was killed takes a second to come back, so one entry an operation.
every_operation = pytest.mark.parametrize(
    "entry",
    [entry for entry in TABLE if entry.name == entry.operation],
    ids=lambda entry: entry.name,
)
every_entry_at_once = pytest.mark.parametrize(
    "entry",
    [entry for entry in TABLE if entry.meanwhile is None],
    ids=lambda entry: entry.name,
)


@pytest.fixture
async def bench(
    two_workers: Gateway, pair: Tills, pair_card: MakeCard, pair_look: Look
) -> Bench:
    """
    Give a till on the first of two workers.
    """
    return Bench(
        gateway=two_workers,
        tills=pair,
        till=await pair("till-1", worker=1),
        card=pair_card,
        look=pair_look,
    )


@pytest.fixture
def mortal(two_workers: Gateway) -> Iterator[Gateway]:
    """
    Give a gateway whose first worker may die; it is started again afterwards.
    """
    yield two_workers
    if 1 not in two_workers.processes:
        two_workers.start(1)


@every_entry
async def test_retry(bench: Bench, entry: Entry) -> None:
    """
    Sent again, to its worker and the other, unary and over a stream: done once.
    """
    case = await entry.prepare(bench)
    one, two = await bench.asker(entry), await bench.asker(entry, 2)
    first = (await send(one, entry, case)).outcome
    again = [await send(one, entry, case), await send(two, entry, case)]
    async with streamed(one, entry) as over_stream:
        again.append(await send(over_stream, entry, case))

    bench.require(entry, case, first)
    assert all(repeats(first, reply.outcome) for reply in again)


@every_entry
async def test_concurrent_duplicate(bench: Bench, entry: Entry) -> None:
    """
    Sent eight times at once, over both workers and both transports: done once.
    """
    case = await entry.prepare(bench)
    one, two = await bench.asker(entry), await bench.asker(entry, 2)
    async with (
        streamed(one, entry) as stream_one,
        streamed(two, entry) as stream_two,
    ):
        replies = await asyncio.gather(
            *(
                send(till, entry, case)
                for _ in range(2)
                for till in (stream_one, one, stream_two, two)
            )
        )

    answers = [reply.outcome for reply in replies]
    (first,) = [answer for answer in answers if not answer.replayed]
    bench.require(entry, case, first)
    assert all(repeats(first, answer) for answer in answers if answer.replayed)


async def denied(
    bench: Bench, entry: Entry, case: Case, *, beside: bool = False
) -> None:
    """
    Let a till name what staff asks: TERMINAL_DENIED, and nothing changes.
    """
    before = bench.cards(case)
    refused = await fault(reverse(await bench.asker(entry, 2), case))

    assert refused.reason == "TERMINAL_DENIED"
    assert beside or bench.cards(case) == before


@every_entry
async def test_reversal_before_original(bench: Bench, entry: Entry) -> None:
    """
    Reversed before it came: 25 and a tombstone; come late, it is 21 and does nothing.
    """
    case = await entry.prepare(bench)
    till, before = await bench.asker(entry), bench.cards(case)
    if entry.staff:
        await denied(bench, entry, case)
        assert decided((await send(till, entry, case)).outcome)[0] == entry.result
        return
    reversal = await reverse(till, case)
    footprint = bench.look.footprint()
    late = [(await send(till, entry, case)).outcome for _ in range(2)]
    asked = await fault(till.transaction(case.request.request_id))

    assert decided(reversal) == ("ORIGINAL_NOT_FOUND", "DECLINED")
    assert [decided(one) for one in late] == [("ALREADY_REVERSED", "DECLINED")] * 2
    assert asked.metadata["final"] == "true"
    assert bench.is_buried(case)
    assert bench.look.footprint() == footprint
    assert bench.cards(case) == before


@every_entry
async def test_reversal_after(bench: Bench, entry: Entry) -> None:
    """
    Reversed after it was done: undone whole, or 21 and it stands; and so ever after.
    """
    case, till = await entry.prepare(bench), await bench.asker(entry)
    first = (await send(till, entry, case)).outcome
    bench.require(entry, case, first)
    if entry.meanwhile is not None:
        await entry.meanwhile(bench, case)
    if entry.staff:
        await denied(bench, entry, case)
        return
    request = reversal_of(case)
    reversal = (await till.send("Reverse", request)).outcome
    between = bench.cards(case)
    again = (await till.send("Reverse", request)).outcome
    by_another_id = await reverse(till, case)
    late = (await send(till, entry, case)).outcome

    state = "POSTED" if entry.reversal == "APPROVED" else "DECLINED"
    assert decided(reversal) == (entry.reversal, state)
    assert decided(by_another_id) == (entry.reversal, state)
    assert repeats(reversal, again)
    assert bench.look.postings(by_another_id) == []
    assert decided(late) == (entry.result, entry.state_undone)
    assert late.replayed
    assert between == bench.cards(case) == (entry.undone or entry.after)


@every_entry_at_once
async def test_reversal_beside(bench: Bench, entry: Entry) -> None:
    """
    Reversed while it is done, on the other worker: one comes first, and that decides.
    """
    case = await entry.prepare(bench)
    one, two = await bench.asker(entry), await bench.asker(entry, 2)
    before = bench.cards(case)
    if entry.staff:
        sent, _ = await asyncio.gather(
            send(one, entry, case), denied(bench, entry, case, beside=True)
        )
        assert decided(sent.outcome)[0] == entry.result
        assert bench.cards(case) == entry.after
        return
    sent, reversal = await asyncio.gather(send(one, entry, case), reverse(two, case))

    ends = {
        ("ALREADY_REVERSED", "ORIGINAL_NOT_FOUND"): before,
        (entry.result, entry.reversal): entry.undone or entry.after,
    }
    results = (decided(sent.outcome)[0], decided(reversal)[0])
    assert bench.cards(case) == ends[results]


@every_entry
async def test_wiped_redis(bench: Bench, entry: Entry) -> None:
    """
    Redis emptied before it, while it runs and before it is sent again: done once.
    """
    case = await entry.prepare(bench)
    one, two = await bench.asker(entry), await bench.asker(entry, 2)
    flush(bench.gateway.redis_url)
    bench.gateway.order_fault("before_commit", "hold")
    running = asyncio.ensure_future(send(one, entry, case))
    await asyncio.to_thread(wait_for, bench.gateway.is_held)
    flush(bench.gateway.redis_url)
    bench.gateway.let_go()
    first = (await running).outcome
    flush(bench.gateway.redis_url)
    again = (await send(two, entry, case)).outcome

    bench.require(entry, case, first)
    assert repeats(first, again)


@every_operation
async def test_killed_after_commit(mortal: Gateway, bench: Bench, entry: Entry) -> None:
    """
    Its worker is killed after the commit and before the answer: the other one has it.
    """
    case, till = await entry.prepare(bench), await bench.asker(entry)
    mortal.order_fault("after_commit", worker=1)
    with pytest.raises(aio.AioRpcError) as caught:
        await send(till, entry, case)
    code = await asyncio.to_thread(mortal.wait_until_gone, 1)
    second = await until_answered(lambda: send(till, entry, case, wait_for_ready=True))
    third = await send(till, entry, case)

    assert code == -signal.SIGKILL
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert second.worker == 2
    bench.require(entry, case, second.outcome, replayed=True)
    assert second.outcome == third.outcome
