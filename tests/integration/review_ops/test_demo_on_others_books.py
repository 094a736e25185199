"""
A demo never trades on books, or counts in a Redis, that the environment names.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.console.root import app
from gateway.runtime.data_folder import DataFolder
from tests.support.kept_logging import kept_logging
from tests.support.stores import FreshDatabase


@pytest.fixture(autouse=True)
def _logs_of_this_process_end() -> Iterator[None]:
    """
    Undo what `serve` did to logging in the test's own process.
    """
    with kept_logging():
        yield


@pytest.mark.parametrize("store", ["POSTGRES", "REDIS"])
def test_a_demo_in_an_environment_of_production(
    tmp_path: Path, database: FreshDatabase, valkey_url: str, store: str
) -> None:
    """
    It would shift the clock of real books, and use up budgets of real terminals.
    """
    urls = {
        "POSTGRES": {
            "SCRIP_POSTGRES__URL": database.gateway_dsn,
            "SCRIP_POSTGRES__OWNER_URL": database.owner_dsn,
        },
        "REDIS": {"SCRIP_REDIS__URL": valkey_url},
    }
    folder = tmp_path / "demo"
    result = CliRunner().invoke(
        app,
        ["--data-folder", str(folder), "serve", "--demo", "--port", "0"],
        env=urls[store],
    )

    assert result.exit_code == 1
    assert f"unset SCRIP_{store}__URL" in result.stderr
    assert not DataFolder(folder).is_marked_for_tests()
