"""
Postgres ends connections, keeps locks, or ends itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import psycopg
import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.chaos import release, until_struck
from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Traffic
from tests.support.chaos_rival import Rival, until_waiting
from tests.support.chaos_stores import KeptStore, kept_store
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import (
    fresh_database,
    make_template,
    short_data_folder,
)
from tests.support.tills import (
    Outcome,
    Till,
    card_maker,
    fault,
    money,
    open_tills,
    request_of,
)
from till.connection import channel_options
from till.errors import NotAppliedError, OutcomeUnknownError

# Longer than the idle transaction of a stopped worker lives (2 s).
PAUSE_S = 4.0
TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name = 'scrip' AND datname = current_database()
"""


def test_backends_are_terminated_under_load(gateway: Gateway) -> None:
    """
    Every connection of both workers ends again and again; no till gives up.

    An attempt may end with NOT_APPLIED or with an unknown outcome. What tills were told
    holds, and each request was done once.
    """
    ended = 0
    with Traffic(gateway) as traffic:
        for _ in range(15):
            traffic.wait_for_answers(30)
            with psycopg.connect(gateway.database.superuser_dsn) as connection:
                row = connection.execute(TERMINATE.encode()).fetchone()
            ended += row[0] if row else 0
        traffic.wait_for_answers(100)

    traffic.check()
    assert ended >= 15
    assert all(
        isinstance(error, NotAppliedError | OutcomeUnknownError)
        for error in errors_of(traffic.journal)
    )


async def test_a_card_that_others_keep_fails_alone(gateway: Gateway) -> None:
    """
    A rival keeps a card for 600 ms: the neighbour is answered, the card is not.

    ABORTED and NOT_APPLIED, with a time to wait; the same request succeeds later.
    """
    async with open_tills(gateway) as tills:
        till = await tills("till-1", worker=1)
        kept, free = [await card_maker(tills)() for _ in range(2)]
        blocked = request_of("Redeem", card_number=kept.number, amount=money(30_00))
        with Rival(gateway) as rival:
            hold = await held(gateway, till)
            rival.lock(kept)
            locked_s = time.monotonic()
            refused = asyncio.ensure_future(fault(till.send("Redeem", blocked)))
            sold = asyncio.ensure_future(till.redeem(free, 30_00))
            await asyncio.sleep(0.05)
            release(gateway)
            await hold
            error = await refused
            kept_s = time.monotonic() - locked_s
            told = await sold
            await asyncio.sleep(max(0.0, 0.6 - kept_s))
            rival.rollback()
        later = (await till.send("Redeem", blocked)).outcome

    assert error.code is grpc.StatusCode.ABORTED
    assert error.reason == "NOT_APPLIED"
    assert error.retry_after_ms
    assert told.response_code == "00"
    assert later.response_code == "00"
    assert not later.replayed
    assert gateway.balance_of(kept) == gateway.balance_of(free) == 70_00


async def test_one_kept_card_among_many(gateway: Gateway) -> None:
    """
    A batch of 32 cards with one that a rival keeps: 31 are answered while it is kept.
    """
    async with open_tills(gateway) as tills:
        till = await tills("till-1", worker=1)
        make = card_maker(tills)
        cards = [await make() for _ in range(32)]
        with Rival(gateway) as rival:
            hold = await held(gateway, till)
            rival.lock(cards[16])
            sales = [asyncio.ensure_future(till.redeem(card, 1_00)) for card in cards]
            refused = asyncio.ensure_future(fault(sales.pop(16)))
            await asyncio.sleep(0.1)
            release(gateway)
            await hold
            told = await asyncio.gather(*sales)
            error = await refused
            rival.rollback()

    assert {outcome.response_code for outcome in told} == {"00"}
    assert error.code is grpc.StatusCode.ABORTED
    assert gateway.balance_of(cards[16]) == 100_00


async def held(gateway: Gateway, till: Till) -> asyncio.Future[Outcome]:
    """
    Stop a worker's lane before a commit, so that what follows becomes one batch.
    """
    gateway.order_fault("before_commit", "hold", worker=1)
    filler = asyncio.ensure_future(till.activate("6036280000000000007"))
    await until_struck(gateway)
    return filler


async def test_a_stopped_worker_does_not_keep_its_locks(gateway: Gateway) -> None:
    """
    SIGSTOP between locks and COMMIT: the other worker decides the card within 3 s.

    The one that goes on commits nothing of what it had decided: its request is decided
    anew, and the money is gone by then.
    """
    async with open_tills(gateway) as tills:
        policy = tuple(channel_options())
        one = await tills("till-1", worker=1, options=policy)
        two = await tills("till-2", worker=2)
        card = await card_maker(tills)()
        mine, his = [
            request_of("Redeem", card_number=card.number, amount=money(80_00))
            for _ in range(2)
        ]
        gateway.order_fault("before_commit", "hold", worker=1)
        late = asyncio.ensure_future(one.send("Redeem", mine, timeout_s=20))
        await until_struck(gateway)
        worker = gateway.processes[1].pid
        os.kill(worker, signal.SIGSTOP)
        stopped_s = time.monotonic()
        try:
            sold = await answer_in_the_end(two, his)
            decided_s = time.monotonic() - stopped_s
            await asyncio.sleep(PAUSE_S - decided_s)
            release(gateway)
        finally:
            os.kill(worker, signal.SIGCONT)
        told = (await late).outcome

    assert decided_s < 3.0
    assert sold.response_code == "00"
    assert told.response_code == "51"
    assert gateway.balance_of(card) == 20_00


async def answer_in_the_end(till: Till, request: object) -> Outcome:
    """
    Send a request until its card is free.
    """
    limit_s = time.monotonic() + 10
    while True:
        try:
            return (await till.send("Redeem", request)).outcome
        except grpc.aio.AioRpcError as error:
            kept = error.code() is grpc.StatusCode.ABORTED
            if not kept or time.monotonic() > limit_s:
                raise
            await asyncio.sleep(0.05)


async def test_a_stopped_rival_worker_is_waited_for(gateway: Gateway) -> None:
    """
    A pause shorter than the lock time-out costs the other worker a wait and no more.
    """
    async with open_tills(gateway) as tills:
        one = await tills("till-1", worker=1)
        two = await tills("till-2", worker=2)
        card = await card_maker(tills)()
        gateway.order_fault("before_commit", "hold", worker=1)
        first = asyncio.ensure_future(one.redeem(card, 80_00))
        await until_struck(gateway)
        second = asyncio.ensure_future(two.redeem(card, 80_00, partial=True))
        await until_waiting(gateway)
        release(gateway)
        told, rest = await first, await second

    assert told.response_code == "00"
    assert (rest.response_code, rest.approved_amount.minor_units) == ("10", 20_00)


@pytest.fixture
def own_postgres(
    seeded_folder: Path, valkey_server: EmbeddedValkey
) -> Iterator[tuple[KeptStore, Gateway]]:
    """
    Run a gateway of one worker on a Postgres that may be killed.
    """
    with ExitStack() as stack:
        store = stack.enter_context(kept_store("postgres", seeded_folder))
        server = EmbeddedPostgres(seeded_folder)
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(fresh_database(server, make_template(server)))
        gateway = stack.enter_context(
            prepared_gateway(folder, database, valkey_server.url)
        )
        gateway.start()
        yield store, gateway


def test_postgres_dies_under_load(
    own_postgres: tuple[KeptStore, Gateway],
) -> None:
    """
    SIGKILL of the postmaster, twice, under load: what was answered is there afterwards.

    Tills meanwhile hear NOT_APPLIED, or that the outcome is unknown, and ask again.
    """
    store, gateway = own_postgres
    with Traffic(gateway) as traffic:
        for _ in range(2):
            traffic.wait_for_answers(150)
            store.kill()
            time.sleep(0.5)
            store.start()
            traffic.wait_for_answers(150)

    traffic.check()
    assert all(
        isinstance(error, NotAppliedError | OutcomeUnknownError)
        for error in errors_of(traffic.journal)
    )
    assert gateway.stop() == 0
