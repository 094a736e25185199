"""
The `scrip` command on a database of the test's own.
"""

from pathlib import Path

import pytest

from gateway.runtime.data_folder import DataFolder
from gateway.vault.keyring import LocalKeyring
from tests.support.scrip_command import Scrip
from tests.support.stores import FreshDatabase


@pytest.fixture
def scrip(database: FreshDatabase, tmp_path: Path) -> Scrip:
    """
    Give the command with a fresh database, a key ring and a folder for tests.
    """
    DataFolder(tmp_path).mark_for_tests()
    LocalKeyring.open_or_create(tmp_path / "keys" / "keyring.json")
    return Scrip(
        environment={
            "SCRIP_DATA_FOLDER": str(tmp_path),
            "SCRIP_POSTGRES__URL": database.gateway_dsn,
            "SCRIP_POSTGRES__OWNER_URL": database.owner_dsn,
            "COLUMNS": "200",
            "TERM": "dumb",
        },
        folder=tmp_path,
        dsn=database.superuser_dsn,
    )


@pytest.fixture
def shop(scrip: Scrip) -> Scrip:
    """
    Give a programme, a merchant that accepts it, a store and a product.
    """
    scrip.done(
        *("program", "create", "--code", "gift", "--name", "Gift cards"),
        *("--time-zone", "Asia/Dubai"),
    )
    scrip.done(
        *("merchant", "create", "--code", "nile", "--name", "Nile Retail"),
        *("--program", "gift"),
    )
    scrip.done(
        *("store", "create", "nile/cairo-1", "--country", "EG"),
        *("--time-zone", "Africa/Cairo", "--cut-off", "04:00"),
    )
    scrip.done("product", "create", "gift/standard", "--currency", "USD")
    return scrip
