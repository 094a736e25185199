"""
A gateway's life with its embedded stores, as a program of its own.

`life FOLDER` runs both, crashes both, brings both back and stops them; `hold FOLDER`
starts both, says so, and waits to be killed.  It is run as another user, and killed,
where the test's own process cannot be.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Final

import psycopg

from gateway.runtime.embedded import OWNER_ROLE, EmbeddedPostgres, EmbeddedValkey
from gateway.runtime.logging import configure_logging
from gateway.runtime.settings import Settings

_HOLD_S: Final = 60


def main() -> None:
    """
    Do what the first argument says in the folder that the second names.
    """
    # Standard output is for the facts alone, standard error for what is noted.
    configure_logging(Settings().logging, worker="session")
    what, folder = sys.argv[1], Path(sys.argv[2])
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    postgres.start()
    valkey.start()
    if what == "hold":
        write_row(postgres)
        tell({"postgres": postgres.pid, "valkey": valkey.pid})
        time.sleep(_HOLD_S)
    else:
        write_row(postgres)
        postgres.kill()
        valkey.kill()
        postgres.start()
        valkey.start()
        rows = read_rows(postgres)
        tell({"uid": os.geteuid(), "rows": rows, "valkey": valkey.is_running()})
    valkey.stop()
    postgres.stop()


def write_row(postgres: EmbeddedPostgres) -> None:
    """
    Commit one row.
    """
    with psycopg.connect(postgres.dsn(OWNER_ROLE)) as connection:
        connection.execute("create table if not exists kept (number int)")
        connection.execute("insert into kept values (1)")


def read_rows(postgres: EmbeddedPostgres) -> int:
    """
    Count the rows that are still there.
    """
    with psycopg.connect(postgres.dsn(OWNER_ROLE)) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
        assert row is not None
        return int(row[0])


def tell(facts: dict[str, int | bool]) -> None:
    """
    Say what was found to whoever started us.
    """
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
