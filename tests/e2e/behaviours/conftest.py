"""
What the behaviours of domain 2 need besides a till: both transports, and the books.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.look import Look
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import fresh_database, short_data_folder
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Till, Tills, card_maker, open_tills


@pytest.fixture(params=["unary", "stream"])
async def till(request: pytest.FixtureRequest, tills: Tills) -> AsyncIterator[Till]:
    """
    Give the first till, once with calls of their own and once over one stream.
    """
    single = await tills("till-1")
    if request.param == "unary":
        yield single
        return
    async with streaming(single) as over_stream:
        yield over_stream


@pytest.fixture
def look(gateway_process: Gateway) -> Look:
    """
    Look into the books of the shared gateway.
    """
    return Look(gateway_process)


@pytest.fixture(scope="session")
def two_workers(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[Gateway]:
    """
    Run a gateway with two workers. A test may hurt it, and leaves both running.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(
            fresh_database(postgres_server, template_database)
        )
        # On a busy machine a worker that is held keeps its locks for more than 250 ms.
        gateway = stack.enter_context(
            prepared_gateway(
                folder, database, valkey_server.url, POSTGRES__LOCK_TIMEOUT_MS="2000"
            )
        )
        gateway.start(1)
        gateway.start(2)
        yield gateway


@pytest.fixture
async def pair(two_workers: Gateway) -> AsyncIterator[Tills]:
    """
    Open tills on the gateway with two workers.
    """
    async with open_tills(two_workers) as opener:
        yield opener
    two_workers.books_check()


@pytest.fixture
def pair_card(pair: Tills) -> MakeCard:
    """
    Make cards of the gateway with two workers.
    """
    return card_maker(pair)


@pytest.fixture
def pair_look(two_workers: Gateway) -> Look:
    """
    Look into the books of the gateway with two workers.
    """
    return Look(two_workers)
