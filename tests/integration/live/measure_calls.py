"""
Measure what admissions and publishes cost, on a Valkey of its own.

Run it as `python -m tests.integration.live.measure_calls` with the repository on the
path. Server time is Valkey's own count of what FCALL took; client CPU is this
process's, for everything from the port's call to its answer.
"""

import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import uvloop

from gateway.domain.ids import CardId, RequestId, StoreId, TerminalId
from gateway.engine.ports import Admission
from gateway.live.library import PUBLISH
from gateway.live.outbox import Notice, Pending
from gateway.live.requests import publish_call
from tests.integration.live.worker import (
    BUDGETS,
    OPTIONS,
    START_MS,
    card_at,
    running_worker,
    server_client,
)
from tests.support.stores import running_valkey, short_data_folder

CALLS: Final = 600
SIZES: Final = (1, 16, 64, 256)
TERMINALS: Final = 1_000
CARDS: Final = 100_000
ROOMY: Final = replace(BUDGETS, requests_per_window=10**9)
IDS_MEASURED: Final = 200_000

Call = Callable[[], Awaitable[object]]


def some_admissions(chance: random.Random, count: int) -> list[Admission]:
    """
    Make requests of terminals drawn from many: nearly each item has its own.
    """
    terminals = [chance.randrange(TERMINALS) for _ in range(count)]
    return [
        Admission(TerminalId(t), StoreId(t // 3), RequestId(os.urandom(16)))
        for t in terminals
    ]


def some_cards(chance: random.Random, count: int) -> Notice:
    """
    Make snapshots of different cards in random versions.
    """
    ids = chance.sample(range(CARDS), count)
    return Notice(
        [
            Pending(card_at(chance.randrange(1_000), card_id=CardId(n)), START_MS)
            for n in ids
        ],
        [],
    )


async def measure(name: str, size: int, calls: Sequence[Call], client: Any) -> None:
    """
    Make the calls one after the other and print what one costs.
    """
    for call in calls[:50]:
        await call()
    client.config_resetstat()
    took_s = []
    cpu_s = -time.process_time()
    for call in calls[50:]:
        began = time.perf_counter()
        await call()
        took_s.append(time.perf_counter() - began)
    cpu_s += time.process_time()
    server_us = client.info("commandstats")["cmdstat_fcall"]["usec_per_call"]
    cuts = statistics.quantiles(took_s, n=100)
    print(
        f"{name:8} {size:4} items  server {server_us:7.1f} us a call"
        f" {server_us / size:6.2f} an item  client CPU {cpu_s / len(took_s) * 1e6:6.0f}"
        f" us  round trip p50 {cuts[49] * 1e6:6.0f} p99 {cuts[98] * 1e6:6.0f} us"
    )


async def run(url: str) -> None:
    """
    Measure both functions in several sizes, then the memory of remembered ids.
    """
    chance = random.Random(1)
    client = server_client(url)
    async with running_worker(url, ROOMY, OPTIONS) as worker:
        live = worker.live
        for size in SIZES:
            batches = [some_admissions(chance, size) for _ in range(CALLS)]
            admissions = [partial(live.admit, batch) for batch in batches]
            await measure("admit", size, admissions, client)
        for size in SIZES:
            notices = [some_cards(chance, size) for _ in range(CALLS)]

            async def publish(notice: Notice) -> None:
                call = publish_call(
                    PUBLISH, notice, ROOMY, now_ms=START_MS, options=OPTIONS
                )
                await live._notices.call_function(call)

            publishes = [partial(publish, notice) for notice in notices]
            await measure("publish", size, publishes, client)
        client.flushall()
        for _ in range(IDS_MEASURED // 500):
            await live.admit(some_admissions(chance, 500))
        size_bytes = client.memory_usage("{scrip}:ids:current", samples=0)
        print(f"a remembered id takes {size_bytes / IDS_MEASURED:.0f} bytes")
    client.close()


def main() -> None:
    """
    Measure on a server that is removed afterwards.
    """
    with short_data_folder() as folder, running_valkey(folder) as server:
        uvloop.run(run(server.url))


if __name__ == "__main__":
    main()
