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
from tests.support.matrix import Bench, Entry, decided, repeats, reversal_of
from tests.support.matrix_table import TABLE
from tests.support.server import Gateway, wait_for
from tests.support.stores import flush
from tests.support.stream_till import streaming
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
    other = await bench.tills("till-1", worker=2)
    first = (await bench.send(entry, case)).outcome
    again = [await bench.send(entry, case)]
    again.append(await other.send(entry.operation, case.request))
    async with streaming(bench.till) as over_stream:
        again.append(await over_stream.send(entry.operation, case.request))

    bench.require(entry, case, first)
    assert all(repeats(first, reply.outcome) for reply in again)


@every_entry
async def test_concurrent_duplicate(bench: Bench, entry: Entry) -> None:
    """
    Sent eight times at once, over both workers and both transports: done once.
    """
    case = await entry.prepare(bench)
    other = await bench.tills("till-1", worker=2)
    async with streaming(bench.till) as one, streaming(other) as two:
        replies = await asyncio.gather(
            *(
                till.send(entry.operation, case.request)
                for _ in range(2)
                for till in (one, bench.till, two, other)
            )
        )

    answers = [reply.outcome for reply in replies]
    (first,) = [answer for answer in answers if not answer.replayed]
    bench.require(entry, case, first)
    assert all(repeats(first, answer) for answer in answers if answer.replayed)


@every_entry
async def test_reversal_before_original(bench: Bench, entry: Entry) -> None:
    """
    Reversed before it came: 25 and a tombstone; come late, it is 21 and does nothing.
    """
    case = await entry.prepare(bench)
    before = bench.cards(case)
    reversal = await bench.reverse(case)
    footprint = bench.look.footprint()
    late = [(await bench.send(entry, case)).outcome for _ in range(2)]
    asked = await fault(bench.till.transaction(case.request.request_id))

    assert decided(reversal) == ("ORIGINAL_NOT_FOUND", "DECLINED")
    assert [decided(one) for one in late] == [("ALREADY_REVERSED", "DECLINED")] * 2
    assert asked.metadata["final"] == "true"
    assert bench.look.key(case.request.request_id) == "tombstone"
    assert bench.look.footprint() == footprint
    assert bench.cards(case) == before


@every_entry
async def test_reversal_after(bench: Bench, entry: Entry) -> None:
    """
    Reversed after it was done: undone whole, or 21 and it stands; and so ever after.
    """
    case = await entry.prepare(bench)
    first = (await bench.send(entry, case)).outcome
    bench.require(entry, case, first)
    if entry.meanwhile is not None:
        await entry.meanwhile(bench, case)
    request = reversal_of(case)
    reversal = (await bench.till.send("Reverse", request)).outcome
    between = bench.cards(case)
    again = (await bench.till.send("Reverse", request)).outcome
    by_another_id = await bench.reverse(case)
    late = (await bench.send(entry, case)).outcome

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
    before = bench.cards(case)
    other = await bench.tills("till-1", worker=2)
    sent, reversed_ = await asyncio.gather(
        bench.send(entry, case), other.send("Reverse", reversal_of(case))
    )

    results = (decided(sent.outcome)[0], decided(reversed_.outcome)[0])
    ends = {
        ("ALREADY_REVERSED", "ORIGINAL_NOT_FOUND"): before,
        (entry.result, entry.reversal): entry.undone or entry.after,
    }
    assert bench.cards(case) == ends[results]


@every_entry
async def test_wiped_redis(bench: Bench, entry: Entry) -> None:
    """
    Redis emptied before it, while it runs and before it is sent again: done once.
    """
    case = await entry.prepare(bench)
    other = await bench.tills("till-1", worker=2)
    flush(bench.gateway.redis_url)
    bench.gateway.order_fault("before_commit", "hold")
    running = asyncio.ensure_future(bench.send(entry, case))
    await asyncio.to_thread(wait_for, bench.gateway.is_held)
    flush(bench.gateway.redis_url)
    bench.gateway.let_go()
    first = (await running).outcome
    flush(bench.gateway.redis_url)
    again = (await other.send(entry.operation, case.request)).outcome

    bench.require(entry, case, first)
    assert repeats(first, again)


@every_operation
async def test_killed_after_commit(mortal: Gateway, bench: Bench, entry: Entry) -> None:
    """
    Its worker is killed after the commit and before the answer: the other one has it.
    """
    case = await entry.prepare(bench)
    mortal.order_fault("after_commit", worker=1)
    with pytest.raises(aio.AioRpcError) as caught:
        await bench.send(entry, case)
    code = await asyncio.to_thread(mortal.wait_until_gone, 1)
    again = await bench.send(entry, case, wait_for_ready=True)
    once_more = await bench.send(entry, case)

    assert code == -signal.SIGKILL
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert again.worker == 2
    bench.require(entry, case, again.outcome, replayed=True)
    assert again.outcome == once_more.outcome
