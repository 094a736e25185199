"""
Give the rates of the demo: official pegs and samples, and the lira day by day.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from currency import ImportedRate, RateBook
from currency.history import LONGEST_CLOSURE, central_bank_history
from currency.importers.plain_csv import HEADER
from currency.official import official_rates

DAILY: Final = ("TRY",)


def midnight(day: date) -> datetime:
    """
    Give the first moment of a day. All shops of the chain are closed then.
    """
    return datetime.combine(day, time(), tzinfo=UTC)


def demo_rates(first_day: date, last_day: date) -> list[ImportedRate]:
    """
    Give every rate that is in force on one of the days.

    The central bank publishes in the afternoon; its rate counts from the midnight
    after. What was published before the first day counts from its first moment, since
    no table may begin in the past.
    """
    start = midnight(first_day)
    daily: dict[tuple[str, datetime], ImportedRate] = {}
    for rate in central_bank_history(
        DAILY,
        first_day=first_day - LONGEST_CLOSURE,
        last_day=last_day,
        effective_from=lambda day: midnight(day + timedelta(days=1)),
    ):
        moment = max(rate.effective_from, start)
        daily[rate.currency_code, moment] = replace(rate, effective_from=moment)
    return [
        *official_rates(start),
        *(rate for (_, moment), rate in daily.items() if moment <= midnight(last_day)),
    ]


def rate_book(rates: Iterable[ImportedRate]) -> RateBook:
    """
    Make the table that the gateway will have when it has imported them at once.
    """
    return RateBook.of(rate.with_version(1) for rate in rates)


def rates_csv(rates: Iterable[ImportedRate]) -> str:
    """
    Write the file for `scrip rates import`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for rate in rates:
        writer.writerow(
            [
                rate.currency_code,
                "" if rate.usd_per_unit_e12 is None else _plain(rate.usd_per_unit_e12),
                _rfc_3339(rate.effective_from),
                _rfc_3339(rate.as_of),
                rate.source,
            ]
        )
    return text.getvalue()


def _plain(usd_per_unit_e12: int) -> str:
    whole, fraction = divmod(usd_per_unit_e12, 10**12)
    return f"{whole}.{fraction:012d}"


def _rfc_3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
