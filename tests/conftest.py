"""
Fixtures for all tests: the real stores.

Nothing starts unless a test asks for it.  That sockets reach no further than this
machine is set in pyproject.toml.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.stores import (
    FreshDatabase,
    copy_data,
    flush,
    fresh_database,
    make_template,
    running_postgres,
    running_valkey,
    short_data_folder,
)


@pytest.fixture(scope="session")
def session_data_folder() -> Iterator[Path]:
    """
    Give the data folder of the servers that all tests share.
    """
    with short_data_folder() as path:
        yield path


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """
    Give a data folder for servers of the test's own.
    """
    with short_data_folder() as path:
        yield path


@pytest.fixture(scope="session")
def postgres_seed() -> Iterator[Path]:
    """
    Give a data folder with a PostgreSQL that was started once and is stopped.
    """
    with short_data_folder() as path:
        with running_postgres(path):
            pass
        yield path


@pytest.fixture
def seeded_folder(data_folder: Path, postgres_seed: Path) -> Path:
    """
    Give a data folder in which the start of a PostgreSQL is quick.
    """
    copy_data(postgres_seed, data_folder)
    return data_folder


@pytest.fixture(scope="session")
def postgres_server(session_data_folder: Path) -> Iterator[EmbeddedPostgres]:
    """
    Run the PostgreSQL that all tests share; a test may not stop it.
    """
    with running_postgres(session_data_folder) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server(session_data_folder: Path) -> Iterator[EmbeddedValkey]:
    """
    Run the Valkey that all tests share; a test may not stop it.
    """
    with running_valkey(session_data_folder) as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres_server: EmbeddedPostgres) -> str:
    """
    Name the migrated database that fresh ones are copies of.
    """
    return make_template(postgres_server)


@pytest.fixture
def database(
    postgres_server: EmbeddedPostgres, template_database: str
) -> Iterator[FreshDatabase]:
    """
    Give a migrated database that no other test sees.
    """
    with fresh_database(postgres_server, template_database) as fresh:
        yield fresh


@pytest.fixture
def valkey_url(valkey_server: EmbeddedValkey) -> str:
    """
    Give the address of the shared Valkey, empty.
    """
    flush(valkey_server.url)
    return valkey_server.url
