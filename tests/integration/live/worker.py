"""
What the tests of the live adapter share: workers, requests and cards.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.domain.cards import Card
from gateway.domain.ids import CardId, RequestId, StoreId, TerminalId
from gateway.engine.ports import Admission, FailedLookup
from gateway.live.budgets import Budgets
from gateway.live.options import LiveOptions
from gateway.live.redis_live import RedisLive
from gateway.live.server_report import ServerReport
from tests.support.world import card

BUDGETS: Final = Budgets(
    requests_per_window=5,
    window_ms=60_000,
    failed_lookups_per_terminal=3,
    failed_lookups_per_store=5,
    remember_ms=900_000,
    failed_window_ms=30_000,
)
# The time limit is wider than in production, for machines that run much beside.
OPTIONS: Final = LiveOptions(timeout_ms=200, probe_interval_ms=50, publish_pause_ms=1)
START_MS: Final = 1_764_000_000_000


class Clock:
    """
    A machine's clock that stands until it is moved.
    """

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        """
        Read it.
        """
        return self.now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """
    One worker's adapter, with what it told and the clock it reads.
    """

    live: RedisLive
    report: ServerReport
    events: list[str]
    clock: Clock


@asynccontextmanager
async def running_worker(
    url: str,
    budgets: Budgets = BUDGETS,
    options: LiveOptions = OPTIONS,
    clock: Clock | None = None,
) -> AsyncIterator[Worker]:
    """
    Start an adapter, and stop it in the end.
    """
    events: list[str] = []
    wall_ms = clock or Clock()
    live = RedisLive(
        url, budgets, wall_ms=wall_ms, on_event=events.append, options=options
    )
    report = await live.start()
    try:
        yield Worker(live=live, report=report, events=events, clock=wall_ms)
    finally:
        await live.stop()


def server_client(url: str) -> Any:
    """
    Look at the server from outside, without silent retries.
    """
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), decode_responses=True)


async def until(condition: Callable[[], bool], *, within_s: float = 5) -> float:
    """
    Wait until something holds; give how long it took.
    """
    began = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - began
        assert waited_s < within_s, "it did not come to pass"
        await asyncio.sleep(0.002)
    return time.monotonic() - began


async def until_there(url: str, *keys: str) -> None:
    """
    Wait until keys exist.
    """
    with server_client(url) as client:
        await until(lambda: client.exists(*keys) == len(keys))


async def until_counted(url: str, key: str, count: int) -> None:
    """
    Wait until a counter stands at a number.
    """
    with server_client(url) as client:
        await until(lambda: client.get(key) == str(count))


def request(number: int | None, terminal: int = 1, store: int = 1) -> Admission:
    """
    Make a request with the id of that number, or without an id.
    """
    return Admission(
        TerminalId(terminal),
        StoreId(store),
        None if number is None else RequestId(number.to_bytes(16, "big")),
    )


def requests(
    first: int, last: int, terminal: int = 1, store: int = 1
) -> list[Admission]:
    """
    Make requests with different ids.
    """
    return [request(number, terminal, store) for number in range(first, last + 1)]


def failed(count: int, terminal: int = 1, store: int = 1) -> list[FailedLookup]:
    """
    Make failed look-ups.
    """
    return [FailedLookup(TerminalId(terminal), StoreId(store))] * count


def card_at(version: int, *, card_id: int = 1, balance_minor: int = 100_00) -> Card:
    """
    Make a card in one of its versions.
    """
    return replace(card(balance_minor), card_id=CardId(card_id), version=version)
