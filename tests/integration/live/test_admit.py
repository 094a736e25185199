import asyncio

import pytest
import redis

from gateway.live.library import ADMIT, library_code
from tests.integration.live.worker import (
    BUDGETS,
    failed,
    request,
    requests,
    running_worker,
    server_client,
    until_counted,
)

FAILED_AT_TERMINAL = "{scrip}:failed:terminal:1"
FAILED_AT_STORE = "{scrip}:failed:store:1"


async def test_the_budget_is_exact_at_its_limit(valkey_url: str) -> None:
    """
    Five different requests pass in a window of five; the sixth is told to wait.
    """
    async with running_worker(valkey_url) as worker:
        assert [0] * 4 == await worker.live.admit(requests(1, 4))
        assert [0] == await worker.live.admit([request(5)])
        (wait_ms,) = await worker.live.admit([request(6)])

        assert BUDGETS.window_ms - 5_000 < wait_ms <= BUDGETS.window_ms + 1


async def test_one_batch_is_cut_at_the_limit_in_order_of_arrival(
    valkey_url: str,
) -> None:
    """
    Of seven requests in one batch the first five pass; other terminals are untouched.
    """
    async with running_worker(valkey_url) as worker:
        waits = await worker.live.admit([*requests(1, 7), request(1, terminal=2)])

        assert [0, 0, 0, 0, 0, 60_001, 60_001, 0] == waits


async def test_a_counted_id_always_passes(valkey_url: str) -> None:
    """
    A retry passes and costs nothing, also when the budgets are used up.
    """
    async with running_worker(valkey_url) as worker:
        live = worker.live
        assert [0] * 8 == await live.admit([request(1)] * 8)
        assert [0] * 4 == await live.admit(requests(2, 5))
        live.publish([], failed(9))
        await until_counted(valkey_url, FAILED_AT_STORE, 9)
        waits = await live.admit([*requests(1, 5), request(6), request(1)])

        assert [0, 0, 0, 0, 0] == waits[:5]
        assert waits[5] > 0
        assert waits[6] == 0


async def test_what_was_refused_was_not_counted(valkey_url: str) -> None:
    """
    An id that was told to wait is no counted id: it is judged again when it comes back.
    """
    async with running_worker(valkey_url) as worker:
        await worker.live.admit(requests(1, 5))
        first = await worker.live.admit([request(6)])
        again = await worker.live.admit([request(6)])

        assert first[0] > 0
        assert again[0] > 0
        with server_client(valkey_url) as client:
            assert client.scard("{scrip}:ids:current") == 5
            assert client.get("{scrip}:requests:1") == "5"


async def test_requests_without_an_id_count_each_time(valkey_url: str) -> None:
    """
    GetBalance needs no id; then each one counts.
    """
    async with running_worker(valkey_url) as worker:
        waits = await worker.live.admit([request(None)] * 6)

        assert [0] * 5 == waits[:5]
        assert waits[5] > 0


async def test_the_same_id_of_two_terminals_is_two_requests(valkey_url: str) -> None:
    """
    Ids are a terminal's own.
    """
    async with running_worker(valkey_url) as worker:
        await worker.live.admit([request(1, terminal=1), request(1, terminal=2)])

        with server_client(valkey_url) as client:
            assert client.mget("{scrip}:requests:1", "{scrip}:requests:2") == ["1", "1"]


async def test_workers_share_budgets_and_ids(valkey_url: str) -> None:
    """
    What one worker counted, the other one knows: the budget is one, and so are retries.
    """
    async with running_worker(valkey_url) as one, running_worker(valkey_url) as two:
        await one.live.admit(requests(1, 3))
        waits = await two.live.admit(requests(1, 6))

        assert [0, 0, 0, 0, 0] == waits[:5]
        assert waits[5] > 0
        assert (await one.live.admit([request(7)]))[0] > 0
        assert [0] == await one.live.admit([request(4)])


async def test_two_workers_at_once_admit_one_budget(valkey_url: str) -> None:
    """
    However the calls of two workers mix, exactly the budget passes.
    """
    async with running_worker(valkey_url) as one, running_worker(valkey_url) as two:
        batches = await asyncio.gather(
            *(
                worker.live.admit([request(number)])
                for number, worker in enumerate([one, two] * 20)
            )
        )

        assert [wait for (wait,) in batches].count(0) == 5


async def test_failed_look_ups_trip_a_terminal(valkey_url: str) -> None:
    """
    The third unknown card stops its terminal for the window, and nobody else.
    """
    async with running_worker(valkey_url) as worker:
        live = worker.live
        live.publish([], failed(2))
        await until_counted(valkey_url, FAILED_AT_TERMINAL, 2)
        assert [0] == await live.admit([request(1)])
        live.publish([], failed(1))
        await until_counted(valkey_url, FAILED_AT_TERMINAL, 3)
        waits = await live.admit([request(2), request(3, terminal=2)])

        assert 25_000 < waits[0] <= 30_001
        assert waits[1] == 0


async def test_failed_look_ups_trip_a_store(valkey_url: str) -> None:
    """
    Five unknown cards over three tills stop the whole store, another store goes on.
    """
    async with running_worker(valkey_url) as worker:
        live = worker.live
        live.publish([], [*failed(2, 1), *failed(2, 2), *failed(1, 3)])
        await until_counted(valkey_url, FAILED_AT_STORE, 5)
        waits = await live.admit([request(1, 4), request(1, 5, store=2)])

        assert 25_000 < waits[0] <= 30_001
        assert waits[1] == 0


async def test_a_window_ends(valkey_url: str) -> None:
    """
    After the told wait there is budget again.
    """
    async with running_worker(valkey_url) as worker:
        await worker.live.admit(requests(1, 5))
        with server_client(valkey_url) as client:
            client.pexpire("{scrip}:requests:1", 30)
        (wait_ms,) = await worker.live.admit([request(6)])
        await asyncio.sleep(wait_ms / 1000)

        assert 0 < wait_ms <= 31
        assert [0] == await worker.live.admit([request(6)])


async def test_the_longest_wait_is_told(valkey_url: str) -> None:
    """
    With two budgets used up the wait is that of the one that lasts longer.
    """
    async with running_worker(valkey_url) as worker:
        await worker.live.admit(requests(1, 5))
        worker.live.publish([], failed(3))
        await until_counted(valkey_url, FAILED_AT_TERMINAL, 3)
        (wait_ms,) = await worker.live.admit([request(6)])

        assert wait_ms > BUDGETS.failed_window_ms


async def test_more_requests_than_one_call_takes(valkey_url: str) -> None:
    """
    Three thousand requests of as many terminals are one answer, in order.
    """
    async with running_worker(valkey_url) as worker:
        many = [request(1, terminal=number, store=number) for number in range(3_000)]
        waits = await worker.live.admit([*many, *[request(None, terminal=7)] * 5])

        assert [0] * 3_004 == waits[:3_004]
        assert waits[3_004] > 0
        assert worker.events.count("admitted_locally") == 0


async def test_no_request_no_call(valkey_url: str) -> None:
    """
    Nothing to admit is nothing to wait for.
    """
    async with running_worker(valkey_url) as worker:
        assert await worker.live.admit([]) == []


def test_arguments_that_do_not_fit_change_nothing(valkey_url: str) -> None:
    """
    A call with too few keys is refused before anything is written.
    """
    with server_client(valkey_url) as client:
        client.function_load(library_code())
        keys = ["{scrip}:ids:current", "{scrip}:ids:previous"]
        header = [5, 1000, 3, 5, 1000, 1000, 100, 1, 1]
        with pytest.raises(redis.ResponseError, match="do not fit together"):
            client.fcall(ADMIT, 2, *keys, *header, 1, 1, "id")

        assert client.dbsize() == 0
