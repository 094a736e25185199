"""
A gateway in processes of its own, and tills that speak to it over mutual TLS.

    async def test_8(till: Till, card: MakeCard) -> None:
        told = await till.redeem(await card(), 30_00)
        assert told.response_code == "00"

After each test the books are checked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import flush, fresh_database, short_data_folder
from tests.support.tills import MakeCard, Till, Tills, card_maker, open_tills

StartGateway = Callable[..., Gateway]


@pytest.fixture(scope="session")
def gateway_process(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[Gateway]:
    """
    Run the gateway that all tests share, with one worker. A test may not hurt it.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(
            fresh_database(postgres_server, template_database)
        )
        gateway = stack.enter_context(
            prepared_gateway(folder, database, valkey_server.url)
        )
        gateway.start()
        yield gateway
        assert gateway.stop() == 0


@pytest.fixture
def start_gateway(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[StartGateway]:
    """
    Start gateways of the test's own: `start_gateway(workers=2, LANE__QUEUE_LIMIT="8")`.

    Each has a database of its own. Their workers may be killed.
    """
    with ExitStack() as stack:
        started: list[Gateway] = []

        def start(*, workers: int = 1, **settings: str) -> Gateway:
            folder: Path = stack.enter_context(short_data_folder())
            database = stack.enter_context(
                fresh_database(postgres_server, template_database)
            )
            gateway = stack.enter_context(
                prepared_gateway(folder, database, valkey_server.url, **settings)
            )
            started.append(gateway)
            for number in range(1, workers + 1):
                gateway.start(number)
            return gateway

        flush(valkey_server.url)
        yield start
        for gateway in started:
            gateway.books_check()


@pytest.fixture
async def tills(gateway_process: Gateway) -> AsyncIterator[Tills]:
    """
    Open tills on the shared gateway, by their names in `tests.support.seed`.
    """
    async with open_tills(gateway_process) as opener:
        yield opener
    gateway_process.books_check()


@pytest.fixture
async def till(tills: Tills) -> Till:
    """
    Give the first till.
    """
    return await tills("till-1")


@pytest.fixture
def card(tills: Tills) -> MakeCard:
    """
    Make cards, ACTIVE with ledger 100.00 unless told otherwise.
    """
    return card_maker(tills)
