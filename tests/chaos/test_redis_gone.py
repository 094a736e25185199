"""
Redis dies, hangs, and comes back empty: the tills never notice.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Traffic, entries_between
from tests.support.chaos_stores import KeptStore, kept_store
from tests.support.server import Gateway, prepared_gateway, wait_for
from tests.support.stores import FreshDatabase, short_data_folder

AWAY_S = 5.0
HUNG_S = 2.0


@pytest.fixture
def own_valkey(
    data_folder: Path, postgres_server: EmbeddedPostgres, database: FreshDatabase
) -> Iterator[tuple[KeptStore, Gateway]]:
    """
    Run a gateway of two workers on a Valkey that may be killed.
    """
    with ExitStack() as stack:
        store = stack.enter_context(kept_store("valkey", data_folder))
        folder = stack.enter_context(short_data_folder())
        url = EmbeddedValkey(data_folder).url
        gateway = stack.enter_context(prepared_gateway(folder, database, url))
        gateway.start(1)
        gateway.start(2)
        yield store, gateway


def keys_in(url: str) -> int:
    """
    Count what Redis holds.
    """
    with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
        count = client.dbsize()
    assert isinstance(count, int)
    return count


def test_redis_is_away_under_load(own_valkey: tuple[KeptStore, Gateway]) -> None:
    """
    SIGKILL, 5 s away, back with nothing in it: no call fails, and the books agree.

    What is live is there again afterwards: functions were loaded and snapshots told.
    """
    store, gateway = own_valkey
    with Traffic(gateway) as traffic:
        traffic.wait_for_answers(200)
        wait_for(lambda: keys_in(gateway.redis_url) >= len(traffic.cards))
        store.kill()
        gone_s = time.monotonic()
        traffic.wait_for_answers(200)
        time.sleep(max(0.0, gone_s + AWAY_S - time.monotonic()))
        back_s = time.monotonic()
        store.start()
        traffic.wait_for_answers(200)
        wait_for(lambda: keys_in(gateway.redis_url) >= len(traffic.cards))

    traffic.check()
    assert not errors_of(traffic.journal), errors_of(traffic.journal)[0]
    assert len(entries_between(traffic.journal, gone_s, back_s)) >= 200
    assert (gateway.stop(1), gateway.stop(2)) == (0, 0)


def test_redis_hangs_under_load(
    data_folder: Path, own_valkey: tuple[KeptStore, Gateway]
) -> None:
    """
    SIGSTOP: connections stay open and nothing is answered. No call waits for it.
    """
    _, gateway = own_valkey
    server = EmbeddedValkey(data_folder)
    with Traffic(gateway) as traffic:
        traffic.wait_for_answers(100)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            time.sleep(HUNG_S)
            traffic.wait_for_answers(100)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        traffic.wait_for_answers(100)

    traffic.check()
    assert not errors_of(traffic.journal), errors_of(traffic.journal)[0]
