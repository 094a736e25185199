"""
The rate table and the clock, as the console loads, lists and shifts them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from currency import ImportedRate, UsdRate, rate_decimal, rate_e12
from gateway.books.admin import AdminConnection, Row, run


class Clock(NamedTuple):
    """
    The gateway's time, and how far it is from the machine's.
    """

    now: datetime
    shift: timedelta


def open_rate_table(
    connection: AdminConnection,
    *,
    source: str,
    loaded_by: str,
    approved_by: str | None,
) -> int:
    """
    Begin a version; no other import can begin before this transaction ends.
    """
    (row,) = run(
        connection,
        "admin_open_rate_table",
        source=source,
        loaded_by=loaded_by,
        approved_by=approved_by,
    )
    version: int = row["version"]
    return version


def insert_rates(
    connection: AdminConnection, version: int, rates: Sequence[ImportedRate]
) -> None:
    """
    Write the rows of a version.
    """
    run(
        connection,
        "admin_insert_rates",
        version=version,
        currencies=[rate.currency_code for rate in rates],
        rates=[
            None
            if rate.usd_per_unit_e12 is None
            else rate_decimal(rate.usd_per_unit_e12)
            for rate in rates
        ],
        effective_froms=[rate.effective_from for rate in rates],
        as_ofs=[rate.as_of for rate in rates],
        sources=[rate.source for rate in rates],
    )


def rates_of(
    connection: AdminConnection, currencies: Collection[str] | None = None
) -> list[UsdRate]:
    """
    Give all rows of some currencies, or of all.
    """
    wanted = None if currencies is None else list(currencies)
    return [
        UsdRate(
            currency_code=row["currency"],
            usd_per_unit_e12=None
            if row["usd_per_unit"] is None
            else rate_e12(row["usd_per_unit"]),
            version=row["version"],
            effective_from=row["effective_from"],
            as_of=row["as_of"],
            source=row["source"],
        )
        for row in run(connection, "admin_rates_of", currencies=wanted)
    ]


def rate_tables(connection: AdminConnection, *, limit: int) -> list[Row]:
    """
    List the newest imports.
    """
    return run(connection, "admin_rate_tables", limit=limit)


def currency_rules(connection: AdminConnection) -> dict[str, timedelta | None]:
    """
    Give how old each currency's rate may be.
    """
    rows = run(connection, "admin_currency_rules")
    return {row["currency"]: row["max_age"] for row in rows}


def set_currency_rule(
    connection: AdminConnection, currency: str, max_age: timedelta | None
) -> None:
    """
    Set how old a currency's rate may be; None: it never ages.
    """
    run(connection, "admin_set_currency_rule", currency=currency, max_age=max_age)


def clock(connection: AdminConnection) -> Clock:
    """
    Read the gateway's clock.
    """
    return _clock(run(connection, "admin_clock"))


def shift_clock_to(connection: AdminConnection, now: datetime) -> Clock:
    """
    Set the gateway's clock; it goes on from there.
    """
    return _clock(run(connection, "admin_shift_clock_to", now=now))


def shift_clock_by(connection: AdminConnection, by: timedelta) -> Clock:
    """
    Move the gateway's clock.
    """
    return _clock(run(connection, "admin_shift_clock_by", by=by))


def _clock(rows: Sequence[Row]) -> Clock:
    (row,) = rows
    return Clock(row["now"], row["shift"])
