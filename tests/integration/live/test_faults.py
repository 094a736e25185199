import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from currency import Currency
from gateway.domain.ids import CardId, RequestId
from gateway.live.options import LiveOptions
from gateway.runtime.embedded import EmbeddedValkey
from tests.integration.live.worker import (
    BUDGETS,
    OPTIONS,
    Worker,
    card_at,
    failed,
    request,
    requests,
    running_worker,
    server_client,
    until,
    until_there,
)
from tests.support.stores import running_valkey

TIMEOUT_S = OPTIONS.timeout_ms / 1000
# What the loop itself may take on a busy machine, beyond the one time limit.
SLACK_S = 0.15


@pytest.fixture
def server(data_folder: Path) -> Iterator[EmbeddedValkey]:
    """
    A Valkey that the test may hurt.
    """
    with running_valkey(data_folder) as own:
        yield own


@pytest.fixture
async def worker(server: EmbeddedValkey) -> AsyncIterator[Worker]:
    """
    A worker that uses it.
    """
    async with running_worker(server.url) as one:
        yield one


@contextmanager
def frozen(server: EmbeddedValkey) -> Iterator[None]:
    """
    Stop the server where it stands, and let it go on in the end.
    """
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


async def test_all_data_gone_is_a_new_start(worker: Worker, valkey_url: str) -> None:
    """
    FLUSHALL between two calls: budgets are full again, and nothing fails.
    """
    async with running_worker(valkey_url) as shared:
        await shared.live.admit(requests(1, 5))
        with server_client(valkey_url) as client:
            client.flushall()

        assert [0] * 5 == await shared.live.admit(requests(6, 10))
        assert (await shared.live.admit([request(11)]))[0] > 0
        assert "call_failed" not in shared.events


async def test_functions_gone_are_loaded_again(valkey_url: str) -> None:
    """
    FUNCTION FLUSH between two calls: the call that misses them loads them, and counts.
    """
    async with running_worker(valkey_url) as worker:
        with server_client(valkey_url) as client:
            await worker.live.admit(requests(1, 5))
            client.function_flush()

            assert (await worker.live.admit([request(6)]))[0] > 0
            client.function_flush()
            worker.live.publish([card_at(1)], [])
            await until_there(valkey_url, "{scrip}:snapshot:1")
        assert worker.events.count("functions_loaded") == 3
        assert "call_failed" not in worker.events


async def test_a_start_brings_this_releases_functions(valkey_url: str) -> None:
    """
    A library of the same name that another release left is replaced.
    """
    with server_client(valkey_url) as client:
        client.function_load(
            "#!lua name=scrip\n"
            "redis.register_function('scrip_admit_v1', function() return {} end)"
        )
        async with running_worker(valkey_url) as worker:
            assert [0] == await worker.live.admit([request(1)])
            assert client.get("{scrip}:requests:1") == "1"


async def test_killed_and_back_empty_between_two_calls(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    The call that finds its connection broken is answered locally; soon it is shared.
    """
    await worker.live.admit(requests(1, 5))
    server.kill()
    server.start()

    assert [0] == await worker.live.admit([request(6)])
    await until(lambda: worker.live.is_shared)
    assert [0] * 4 == await worker.live.admit(requests(7, 10))
    with server_client(server.url) as client:
        assert client.get("{scrip}:requests:1") == "4"


async def test_while_it_is_away_budgets_are_local(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    A dead server costs nobody any time: the same budgets are kept by the worker.
    """
    server.kill()
    began = time.monotonic()
    waits = [(await worker.live.admit([request(n)]))[0] for n in range(200)]
    again = await worker.live.admit([request(4), request(199)])
    took_s = time.monotonic() - began

    assert [0] * 5 == waits[:5]
    assert min(waits[5:]) > 0
    assert again[0] == 0
    assert again[1] > 0
    assert took_s < TIMEOUT_S + SLACK_S
    assert not worker.live.is_shared
    assert worker.events.count("breaker_opened") == 1


async def test_failed_look_ups_trip_also_without_redis(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    Those seen before Redis went away count as well: an enumeration goes on counting.
    """
    worker.live.publish([], failed(2))
    await until_there(server.url, "{scrip}:failed:store:1")
    server.kill()
    assert [0] == await worker.live.admit([request(1)])
    worker.live.publish([], failed(1))

    assert (await worker.live.admit([request(2)]))[0] > 0


async def test_back_in_use_within_two_seconds(
    server: EmbeddedValkey,
) -> None:
    """
    Under load, with the time limits of production: away a second, back empty, in use.
    """
    budgets = replace(BUDGETS, requests_per_window=10**6)
    async with running_worker(server.url, budgets, LiveOptions()) as worker:
        longest_s, number, stop = 0.0, 0, asyncio.Event()

        async def load() -> None:
            nonlocal longest_s, number
            while not stop.is_set():
                began = time.monotonic()
                assert [0] * 8 == await worker.live.admit(requests(number, number + 7))
                longest_s = max(longest_s, time.monotonic() - began)
                number += 8
                await asyncio.sleep(0.001)

        loading = asyncio.create_task(load())
        await asyncio.sleep(0.1)
        server.kill()
        await until(lambda: not worker.live.is_shared)
        await asyncio.sleep(1)
        server.start()
        back_s = await until(lambda: worker.live.is_shared)
        stop.set()
        await loading

    assert back_s < 2
    assert longest_s < 0.25


async def test_a_server_that_hangs_costs_one_time_limit(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    The first call waits its time, the next ones not at all; then it is used again.
    """
    with frozen(server):
        began = time.monotonic()
        assert [0] == await worker.live.admit([request(1)])
        first_s = time.monotonic() - began
        began = time.monotonic()
        waits = [(await worker.live.admit([request(n)]))[0] for n in range(2, 100)]
        rest_s = time.monotonic() - began

    assert TIMEOUT_S * 0.9 < first_s < TIMEOUT_S + SLACK_S
    assert rest_s < SLACK_S
    assert waits.count(0) == 4
    assert await until(lambda: worker.live.is_shared) < 2


async def test_a_slow_call_is_sent_once(server: EmbeddedValkey, worker: Worker) -> None:
    """
    A paused server gets the call one time, and counts it at most once when it goes on.
    """
    await worker.live.admit([request(None)])
    with server_client(server.url) as client:
        client.client_pause(400, all=True)
        assert [0] == await worker.live.admit([request(None)])
        await until(lambda: worker.live.is_shared)

        assert client.get("{scrip}:requests:1") in {"1", "2"}


async def test_a_full_memory_is_as_if_it_were_gone(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    Where writes are refused budgets are local, and shared again once there is room.
    """
    with server_client(server.url) as client:
        client.config_set("maxmemory", 1)
        assert [0] == await worker.live.admit([request(1)])
        assert not worker.live.is_shared
        await asyncio.sleep(3 * OPTIONS.probe_interval_ms / 1000)
        assert not worker.live.is_shared
        client.config_set("maxmemory", 0)
        await until(lambda: worker.live.is_shared)

        assert [0] == await worker.live.admit([request(2)])
        assert client.get("{scrip}:requests:1") == "1"


async def test_a_key_of_another_kind_only_makes_budgets_local(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    Somebody wrote text where ids belong: requests are admitted all the same.
    """
    with server_client(server.url) as client:
        client.set("{scrip}:ids:current", "text")
        assert [0] * 3 == await worker.live.admit(requests(1, 3))

        assert not worker.live.is_shared
        assert client.keys("*") == ["{scrip}:ids:current"]


async def test_an_abandoned_call_leaves_no_reply_behind(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    A caller that is cancelled while it waits: the next one gets its own answer.
    """
    with frozen(server):
        call = asyncio.create_task(worker.live.admit(requests(1, 3)))
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert [0] * 5 == await worker.live.admit([request(None, terminal=2)] * 5)
    assert (await worker.live.admit([request(None, terminal=2)]))[0] > 0
    assert worker.live.is_shared


async def test_publishing_to_nobody_is_bounded(
    server: EmbeddedValkey,
) -> None:
    """
    While Redis is away snapshots wait in a bounded place; each that falls out is told.
    """
    options = replace(OPTIONS, pending_limit=100)
    async with running_worker(server.url, options=options) as worker:
        server.kill()
        await worker.live.admit([request(1)])
        began = time.monotonic()
        for number in range(1_000):
            worker.live.publish([card_at(1, card_id=number)], failed(1, number, number))
        took_s = time.monotonic() - began
        assert worker.events.count("snapshot_dropped") == 900
        server.start()
        await until_there(server.url, "{scrip}:snapshot:900", "{scrip}:snapshot:999")
        with server_client(server.url) as client:
            assert len(client.keys("{scrip}:snapshot:*")) == 100
            assert client.keys("{scrip}:failed:*") == []

    assert took_s < SLACK_S


async def test_a_publish_that_hangs_opens_the_breaker_for_all(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    A publish that gets no answer spares the next request its wait.
    """
    with frozen(server):
        worker.live.publish([card_at(1)], [])
        await until(lambda: not worker.live.is_shared)
        began = time.monotonic()
        assert [0] == await worker.live.admit([request(1)])

        assert time.monotonic() - began < SLACK_S
        assert "publish_failed" in worker.events


async def test_a_refused_publish_leaves_admissions_alone(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    A fault of a publish alone is told, and does not take the budgets away.
    """
    with server_client(server.url) as client:
        client.acl_setuser("default", commands=["+@all", "-set"], enabled=True)
        worker.live.publish([card_at(1)], [])
        await until(lambda: "publish_failed" in worker.events)

        assert worker.live.is_shared


async def test_reading_from_a_server_that_hangs(
    server: EmbeddedValkey, worker: Worker
) -> None:
    """
    Pages wait for a snapshot two time limits at most, the next ones not at all.
    """
    worker.live.publish([card_at(1)], [])
    await until_there(server.url, "{scrip}:snapshot:1")
    with frozen(server):
        began = time.monotonic()
        first = await asyncio.gather(
            *(worker.live.read_snapshot(CardId(1)) for _ in range(50))
        )
        first_s = time.monotonic() - began
        began = time.monotonic()
        assert await worker.live.read_snapshot(CardId(1)) is None
        next_s = time.monotonic() - began

    assert [None] * 50 == first
    assert first_s < 2 * TIMEOUT_S + SLACK_S
    assert next_s < SLACK_S


async def test_an_answer_that_is_none_is_not_believed(valkey_url: str) -> None:
    """
    A library that answers too little admits nobody by accident: budgets are local.
    """
    async with running_worker(valkey_url) as worker:
        with server_client(valkey_url) as client:
            client.function_load(
                "#!lua name=scrip\n"
                "redis.register_function('scrip_admit_v1', function() return {} end)",
                replace=True,
            )
        waits = await worker.live.admit(requests(1, 6))

        assert [0] * 5 == waits[:5]
        assert waits[5] > 0
        assert "admitted_locally" in worker.events


async def test_a_fault_of_our_own_is_logged_and_the_path_goes_on(
    valkey_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Whatever goes wrong on the way to Redis, requests are admitted and told of loudly.
    """
    odd = request(1)._replace(request_id=cast("RequestId", "text"))
    async with running_worker(valkey_url) as worker:
        assert [0] == await worker.live.admit([odd])
        await until(lambda: worker.live.is_shared)
        worker.live.publish([replace(card_at(1), currency=cast("Currency", None))], [])
        await until(lambda: "a publish failed" in caplog.text)
        worker.live.publish([card_at(2)], [])
        await until_there(valkey_url, "{scrip}:snapshot:1")

    assert "an admission failed" in caplog.text
