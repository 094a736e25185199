"""
The connection to Postgres is lost around a COMMIT: nobody can know whether it ran.

The worker runs the batch again on a new connection, and finds out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from itertools import product
from typing import NamedTuple

import grpc
import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Shape, Traffic
from tests.support.chaos_proxy import Strike, StrikingProxy, striking_proxy
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import fresh_database, short_data_folder
from tests.support.tills import (
    Outcome,
    Till,
    Tills,
    card_maker,
    fault,
    money,
    open_tills,
    request_of,
)

RESOLVE_S = 3.0
# A server that says nothing is given up after three times 500 ms, and 500. A COMMIT
# that is late arrives after that, and before Postgres ends its transaction.
LATE_S = 2.6
SETTINGS = {
    "POSTGRES__STATEMENT_TIMEOUT_MS": "500",
    "POSTGRES__TCP_USER_TIMEOUT_MS": "500",
    "POSTGRES__IDLE_IN_TRANSACTION_TIMEOUT_MS": "4000",
    "LANE__RESOLVE_TIMEOUT_MS": f"{RESOLVE_S * 1000:.0f}",
}
BALANCES = {"Load": 130_00, "Redeem": 70_00, "Reverse": 100_00}


class Place(NamedTuple):
    """
    A gateway of one worker, and the proxy between it and its books.
    """

    gateway: Gateway
    proxy: StrikingProxy


@pytest.fixture(scope="module")
def one_place(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[Place]:
    """
    Run a gateway behind a proxy, for all tests here.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(
            fresh_database(postgres_server, template_database)
        )
        proxy = stack.enter_context(striking_proxy(database.gateway_dsn))
        gateway = stack.enter_context(
            prepared_gateway(
                folder, database, valkey_server.url, POSTGRES__URL=proxy.url, **SETTINGS
            )
        )
        gateway.start()
        yield Place(gateway, proxy)
        assert gateway.stop() == 0


@pytest.fixture
def place(one_place: Place) -> Iterator[Place]:
    """
    Give the gateway and the proxy, whole; check the books afterwards.
    """
    proxy = one_place.proxy
    proxy.late_s = LATE_S
    yield one_place
    proxy.strike, proxy.closes_then, proxy.closed = None, False, False
    one_place.gateway.books_check()


@pytest.fixture
async def tills(place: Place) -> AsyncIterator[Tills]:
    """
    Open tills.
    """
    async with open_tills(place.gateway) as opener:
        yield opener


async def request_on(number: str, method: str, till: Till) -> object:
    """
    Make the request that meets the strike; what it reverses is done before.
    """
    if method != "Reverse":
        return request_of(method, card_number=number, amount=money(30_00))
    sold = await till.redeem(number, 30_00)
    return request_of("Reverse", original_request_id=sold.request_id, reason=4)


@pytest.mark.parametrize(
    ("strike", "method"),
    [
        *product((Strike.CUT_REQUEST, Strike.CUT_REPLY), ("Load", "Redeem", "Reverse")),
        # These wait for a silent server, so not each is tried with each.
        (Strike.LOSE_REQUEST, "Reverse"),
        (Strike.LOSE_REPLY, "Load"),
        (Strike.LATE_REQUEST, "Redeem"),
    ],
)
async def test_the_worker_finds_out(
    place: Place, tills: Tills, strike: Strike, method: str
) -> None:
    """
    What did commit is found by its key, the rest is decided now: one outcome each.
    """
    till = await tills("till-1")
    card = await card_maker(tills)()
    request = await request_on(card.number, method, till)
    before = place.proxy.struck
    place.proxy.strike = strike
    told = (await till.send(method, request)).outcome
    again = (await till.send(method, request)).outcome

    assert place.proxy.struck == before + 1
    assert told.response_code == "00"
    assert told.replayed is strike.commits
    assert again.replayed
    told.replayed = True
    assert again == told
    assert place.gateway.balance_of(card) == BALANCES[method]


@pytest.mark.parametrize("strike", [Strike.CUT_REQUEST, Strike.CUT_REPLY])
async def test_what_is_never_found_out_is_called_unknown(
    place: Place, tills: Tills, strike: Strike
) -> None:
    """
    No new connection in time: UNKNOWN, never NOT_APPLIED. The retry tells later.
    """
    till = await tills("till-1")
    card = await card_maker(tills)()
    request = await request_on(card.number, "Redeem", till)
    place.proxy.closes_then = True
    place.proxy.strike = strike
    error = await fault(till.send("Redeem", request))
    place.proxy.closed = False
    again = await answer_in_the_end(till, request)

    assert error.code is grpc.StatusCode.UNKNOWN
    assert error.reason == "OUTCOME_UNKNOWN"
    assert again.response_code == "00"
    assert again.replayed is strike.commits
    assert place.gateway.balance_of(card) == 70_00


async def answer_in_the_end(till: Till, request: object) -> Outcome:
    """
    Send a request until the books can be reached again.
    """
    limit_s = time.monotonic() + 10
    while True:
        try:
            return (await till.send("Redeem", request)).outcome
        except grpc.aio.AioRpcError as error:
            away = error.code() is grpc.StatusCode.UNAVAILABLE
            if not away or time.monotonic() > limit_s:
                raise
            await asyncio.sleep(0.1)


def test_commits_are_lost_under_load(place: Place) -> None:
    """
    Commit after commit is cut while tills trade; none of them sees an error.
    """
    shape = Shape(unary=8, streams=1, outstanding=16, cards=4)
    with Traffic(place.gateway, shape) as traffic:
        for strike in (Strike.CUT_REPLY, Strike.CUT_REQUEST) * 4:
            place.proxy.strike = strike
            traffic.wait_for_answers(60)
    traffic.check()

    assert place.proxy.strike is None
    assert not errors_of(traffic.journal), errors_of(traffic.journal)[0]
    assert "commit unknown" in place.gateway.log()
