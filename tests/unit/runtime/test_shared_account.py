"""
Books that root gives to an account of others: it is told.
"""

from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from gateway.runtime import embedded_postgres
from gateway.runtime.embedded_postgres import EmbeddedPostgres
from gateway.runtime.programs import ProgramsMissingError
from gateway.runtime.service_account import SHARED_NAME, Account


@pytest.mark.parametrize(("name", "told"), [(SHARED_NAME, 1), ("scrip", 0)])
def test_books_of_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: int
) -> None:
    """
    Whoever runs as `nobody` may read them and let himself in; `scrip` is ours alone.
    """

    def stop_here(*_: object) -> None:
        raise ProgramsMissingError

    monkeypatch.setattr(embedded_postgres, "runnable_place", stop_here)
    server = EmbeddedPostgres(tmp_path)
    server._account = Account(name=name, uid=1, gid=1)
    # A logger of this test's own: the module's keeps what an earlier test set up.
    heard = LogCapture()
    log = structlog.wrap_logger(None, processors=[heard])
    monkeypatch.setattr(embedded_postgres, "_log", log)
    with pytest.raises(ProgramsMissingError):
        server._prepare()

    assert [line["account"] for line in heard.entries] == [name] * told
