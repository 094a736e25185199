"""
Fault upon fault, in any order, while tills trade.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from gateway.runtime.fault_points import order_path
from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Shape, Traffic
from tests.support.chaos_proxy import Strike, StrikingProxy, striking_proxy
from tests.support.chaos_rival import Rival
from tests.support.chaos_stores import KeptStore, kept_store
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import FreshDatabase, short_data_folder
from till.errors import NotAppliedError, OutcomeUnknownError

POINTS = ("before_commit", "after_commit", "after_answer")
STRIKE_LIMIT_S = 2.0
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'scrip' AND datname = current_database()
"""


@dataclass(kw_only=True)
class Trouble:
    """
    What can go wrong with two workers, their Postgres and their Redis.
    """

    gateway: Gateway
    proxy: StrikingProxy
    valkey: KeptStore
    chance: random.Random

    def kill_worker(self) -> None:
        """
        At one of the points, if it has calls, else where it is; and start another.
        """
        worker = self.chance.choice((1, 2))
        self.gateway.order_fault(self.chance.choice(POINTS), worker=worker)
        limit_s = time.monotonic() + STRIKE_LIMIT_S
        process = self.gateway.processes[worker]
        while process.poll() is None and time.monotonic() < limit_s:
            time.sleep(0.02)
        self.gateway.kill(worker)
        order_path(self.gateway.folder, worker).unlink(missing_ok=True)
        self.gateway.start(worker)

    def renew_worker(self) -> None:
        """
        In order.
        """
        worker = self.chance.choice((1, 2))
        assert self.gateway.stop(worker) == 0
        self.gateway.start(worker)

    def pause_worker(self) -> None:
        """
        For longer than its locks may live, or a little.
        """
        pid = self.gateway.processes[self.chance.choice((1, 2))].pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.1, 3))
        os.kill(pid, signal.SIGCONT)

    def cut_commit(self) -> None:
        """
        Before it arrives or before its reply.
        """
        self.proxy.strike = self.chance.choice((Strike.CUT_REQUEST, Strike.CUT_REPLY))

    def close_books(self) -> None:
        """
        Cut a commit, and let nobody connect for a while.
        """
        self.proxy.closes_then = True
        self.proxy.strike = Strike.CUT_REPLY
        time.sleep(0.5)
        self.proxy.closes_then = self.proxy.closed = False

    def end_connections(self) -> None:
        """
        All that the workers have to Postgres.
        """
        with psycopg.connect(self.gateway.database.superuser_dsn) as connection:
            connection.execute(TERMINATE.encode())

    def empty_redis(self) -> None:
        """
        Kill it, and start it again.
        """
        self.valkey.kill()
        time.sleep(self.chance.random())
        self.valkey.start()

    def keep_card(self, traffic: Traffic) -> None:
        """
        Lock a card as somebody else.
        """
        with Rival(self.gateway) as rival:
            rival.lock(self.chance.choice(traffic.cards))
            time.sleep(self.chance.uniform(0.1, 0.8))
            rival.rollback()


@pytest.fixture
def trouble(
    data_folder: Path, postgres_server: EmbeddedPostgres, database: FreshDatabase
) -> Iterator[Trouble]:
    """
    Run two workers with everything around them in reach.
    """
    with ExitStack() as stack:
        valkey = stack.enter_context(kept_store("valkey", data_folder))
        proxy = stack.enter_context(striking_proxy(database.gateway_dsn))
        gateway = stack.enter_context(
            prepared_gateway(
                stack.enter_context(short_data_folder()),
                database,
                EmbeddedValkey(data_folder).url,
                POSTGRES__URL=proxy.url,
            )
        )
        gateway.start(1)
        gateway.start(2)
        yield Trouble(
            gateway=gateway,
            proxy=proxy,
            valkey=valkey,
            chance=random.Random(random.getrandbits(64)),
        )


def test_everything_at_once(trouble: Trouble) -> None:
    """
    Twelve faults in any order: no till gives up, and the books agree with all of them.
    """
    shape = Shape(unary=12, streams=3, outstanding=12, cards=5, hasty=0.1)
    with Traffic(trouble.gateway, shape) as traffic:
        faults: list[Callable[[], None]] = [
            trouble.kill_worker,
            trouble.kill_worker,
            trouble.renew_worker,
            trouble.pause_worker,
            trouble.close_books,
            trouble.end_connections,
            trouble.empty_redis,
            lambda: trouble.keep_card(traffic),
            *[trouble.cut_commit] * 4,
        ]
        trouble.chance.shuffle(faults)
        for strike in faults:
            strike()
            traffic.wait_for_answers(50)

    traffic.check()
    assert trouble.proxy.struck >= 1
    assert all(
        isinstance(error, NotAppliedError | OutcomeUnknownError)
        for error in errors_of(traffic.journal)
    )
