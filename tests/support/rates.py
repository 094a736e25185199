"""
Rates that are loaded while a gateway runs, for a moment ahead as the books demand it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import psycopg

from tests.support.seed import one_row

if TYPE_CHECKING:
    from tests.support.server import Gateway

_TABLE: Final = (
    "INSERT INTO rate_table (source, loaded_by) VALUES ('R', 'test') RETURNING version"
)
_RATE: Final = """
INSERT INTO rate (version, currency, usd_per_unit, effective_from, as_of, source)
VALUES (%s, %s, %s, %s, scrip_clock() - %s, 'test')
"""


def load_rates(
    gateway: Gateway,
    rates: Mapping[str, str | None],
    effective_from: datetime,
    *,
    age: timedelta = timedelta(0),
) -> int:
    """
    Load a version of the rate table; None withdraws a currency. `age` is its data's.
    """
    with psycopg.connect(gateway.database.owner_dsn) as connection:
        (version,) = one_row(connection, _TABLE)
        for currency, text in rates.items():
            row = [version, currency, text, effective_from, age]
            connection.execute(_RATE, row)
    return int(version)


def books_time(gateway: Gateway) -> datetime:
    """
    Read the clock of the books.
    """
    ((moment,),) = gateway.sql("SELECT scrip_clock()")
    assert isinstance(moment, datetime)
    return moment


def set_books_time(gateway: Gateway, moment: datetime) -> None:
    """
    Let the clock of the books go on from a moment.
    """
    gateway.sql("UPDATE clock_offset SET shift = %s - clock_timestamp()", moment)
