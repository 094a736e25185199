"""
Gateways that are hurt: their workers killed, stopped and cut off from what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from gateway.runtime.fault_points import order_path
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import fresh_database, short_data_folder

StartGateway = Callable[..., Gateway]
WORKERS = (1, 2)


@pytest.fixture(scope="session")
def two_workers(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[Gateway]:
    """
    Run the two workers that these tests share. Ask for `gateway` instead.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(
            fresh_database(postgres_server, template_database)
        )
        gateway = stack.enter_context(
            prepared_gateway(folder, database, valkey_server.url)
        )
        for worker in WORKERS:
            gateway.start(worker)
        yield gateway


@pytest.fixture
def gateway(two_workers: Gateway) -> Iterator[Gateway]:
    """
    Give two workers to hurt; those that are gone afterwards are started again.
    """
    yield two_workers
    for worker in WORKERS:
        order_path(two_workers.folder, worker).unlink(missing_ok=True)
        process = two_workers.processes.get(worker)
        if process is not None and process.poll() is not None:
            two_workers.kill(worker)
            process = None
        if process is None:
            two_workers.start(worker)
    two_workers.books_check()


@pytest.fixture
def start_gateway(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[StartGateway]:
    """
    Start gateways with settings of their own: `start_gateway(LANE__QUEUE_LIMIT="8")`.
    """
    with ExitStack() as stack:
        started: list[Gateway] = []

        def start(*, workers: int = 1, **settings: str) -> Gateway:
            folder = stack.enter_context(short_data_folder())
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

        yield start
        for gateway in started:
            gateway.books_check()
