"""
Read the European Central Bank's euro reference rates, as the bank publishes them.

`eurofxref.csv` (one day) and `eurofxref-hist.csv` (since 1999), plain or zipped,
give units of each currency for one euro. We keep USD for one unit:

    euro: the day's USD cell        other: USD cell / its own cell

computed in integers and rounded once, HALF_EVEN, to the 12 digits of a rate. Days
on which the bank publishes nothing have no row, and get none here: the last table
stays in force.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from currency.codes import find_currency
from currency.decimal_text import read_plain_decimal
from currency.errors import CurrencyError, RateImportError, shown
from currency.importers.imported_rate import ImportedRate
from currency.importers.problem_log import ProblemLog
from currency.importers.source_file import Row, read_rows
from currency.rates import RATE_ONE_E12
from currency.rounding import divide_half_even

SOURCE: Final = "European Central Bank, euro foreign exchange reference rates"

_FRANKFURT: Final = ZoneInfo("Europe/Berlin")
_PUBLISHED_AT: Final = time(16, 0, tzinfo=_FRANKFURT)
_NOT_QUOTED: Final = ("N/A", "")
_CODE: Final = re.compile(r"[A-Z]{3}")
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONG_DAY: Final = re.compile(r"([0-9]{1,2}) ([A-Z][a-z]+) ([0-9]{4})")
# Not strptime: its month names follow the machine's language.
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class _Quote(NamedTuple):
    """
    Be an exact number of units for one euro: unscaled / 10**digits.
    """

    unscaled: int
    digits: int


class _Request(NamedTuple):
    """
    Be what the caller wants of the file.
    """

    effective_from: Callable[[date], datetime]
    currencies: frozenset[str] | None
    first_day: date
    last_day: date


def reference_rate_moment(day: date) -> datetime:
    """
    Give the moment the bank publishes the rates of a working day: 16:00 there.

    The usual choice for `effective_from`, and the `as_of` of every row.
    """
    return datetime.combine(day, _PUBLISHED_AT)


def read_ecb_rates(
    source: Path | bytes,
    *,
    effective_from: Callable[[date], datetime],
    currencies: Collection[str] | None = None,
    first_day: date = date.min,
    last_day: date = date.max,
) -> list[ImportedRate]:
    """
    Read the days of a range, oldest first, or raise RateImportError with all faults.

    Args:
        source: the file, or its bytes.
        effective_from: from when on the rates of a day are to be in force.
        currencies: codes to read; None reads all that ISO 4217 still lists (the
            history holds lira, kroons and levs that no card can be counted in).
        first_day: passes over days before it.
        last_day: passes over days after it.
    """
    wanted = None if currencies is None else frozenset(currencies)
    request = _Request(effective_from, wanted, first_day, last_day)
    log = ProblemLog()
    by_day = _read_days(read_rows(source, log), request, log)
    log.raise_if_any()
    rates = [rate for day in sorted(by_day) for rate in by_day[day]]
    _require_found(rates, request)
    return rates


def _read_days(
    rows: Iterator[Row], request: _Request, log: ProblemLog
) -> dict[date, list[ImportedRate]]:
    columns = _read_header(next(rows, Row(1, [])).cells, request, log)
    by_day: dict[date, list[ImportedRate]] = {}
    if columns is None:
        return by_day
    for line, cells in rows:
        day = _read_day(cells[0].strip())
        if day is None:
            log.add(
                line, "Date", f"{shown(cells[0])}: write 2025-01-31 or 31 January 2025"
            )
        elif day in by_day:
            log.add(line, "Date", f"{day} comes twice: remove one of the rows")
        elif request.first_day <= day <= request.last_day:
            by_day[day] = _read_quotes(line, day, cells, columns, request, log)
        if log.full:
            break
    return by_day


def _read_header(
    header: list[str], request: _Request, log: ProblemLog
) -> dict[str, int] | None:
    """
    Find the columns to read: code to index, USD among them.
    """
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()  # each line of the bank's files ends with a comma
    codes = names[1:]
    if names[:1] != ["Date"] or not all(_CODE.fullmatch(code) for code in codes):
        log.add(1, "header", f"{shown(','.join(header))}: it begins Date,USD,JPY,...")
        return None
    if len(set(codes)) != len(codes):
        log.add(1, "header", "a currency has two columns: remove one")
        return None
    columns = {code: index for index, code in enumerate(codes, start=1)}
    if "USD" not in columns:
        log.add(1, "header", "has no USD column, so nothing gives rates in USD")
        return None
    if request.currencies is None:
        return {code: columns[code] for code in codes if find_currency(code)}
    for code in sorted(request.currencies):
        _check_wanted(code, columns, log)
    return {
        code: index
        for code, index in columns.items()
        if code in request.currencies or code == "USD"
    }


def _check_wanted(code: str, columns: dict[str, int], log: ProblemLog) -> None:
    if code == "USD":
        log.add(1, "header", "USD is the unit and always 1: do not ask for it")
    elif find_currency(code) is None or (code not in columns and code != "EUR"):
        log.add(
            1, "header", f"the bank quotes no {shown(code)}: import it by plain CSV"
        )


def _read_day(text: str) -> date | None:
    """
    Read the history's `2025-01-31` or the day file's `31 January 2025`.
    """
    long_day = _LONG_DAY.fullmatch(text)
    try:
        if long_day is not None:
            month = _MONTHS.index(long_day[2]) + 1
            return date(int(long_day[3]), month, int(long_day[1]))
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        return None  # 31 June, or no month's name: as bad as any other text
    return None


def _read_quotes(
    line: int,
    day: date,
    row: list[str],
    columns: dict[str, int],
    request: _Request,
    log: ProblemLog,
) -> list[ImportedRate]:
    quotes: dict[str, _Quote] = {}
    for code, index in columns.items():
        if index >= len(row):
            log.add(line, code, "the row ends before this column: fetch the file again")
            return []
        cell = row[index].strip()
        if cell in _NOT_QUOTED:
            continue
        decimal = read_plain_decimal(cell)
        if decimal is None or decimal.unscaled <= 0:
            log.add(line, code, f"{shown(cell)} is no rate: a plain number above zero")
            return []
        quotes[code] = _Quote(decimal.unscaled, len(decimal.fraction))
    dollar = quotes.pop("USD", None)
    if dollar is None:
        log.add(line, "USD", f"{day} has no USD rate, so it gives no rate in USD")
        return []
    if request.currencies is None or "EUR" in request.currencies:
        quotes["EUR"] = _Quote(1, 0)
    rates = []
    for code, quote in quotes.items():
        try:
            rates.append(_to_rate(code, day, dollar, quote, request))
        except CurrencyError as error:
            log.add(line, code, str(error))
    return rates


def _to_rate(
    code: str, day: date, dollar: _Quote, quote: _Quote, request: _Request
) -> ImportedRate:
    usd_per_unit_e12 = divide_half_even(
        RATE_ONE_E12 * dollar.unscaled * 10**quote.digits,
        quote.unscaled * 10**dollar.digits,
    )
    return ImportedRate(
        currency_code=code,
        usd_per_unit_e12=usd_per_unit_e12,
        effective_from=request.effective_from(day),
        as_of=reference_rate_moment(day),
        source=SOURCE,
    )


def _require_found(rates: list[ImportedRate], request: _Request) -> None:
    found = {rate.currency_code for rate in rates}
    missing = sorted((request.currencies or frozenset()) - found)
    if missing or not rates:
        raise RateImportError.of_file(
            f"has no rate of {', '.join(missing) or 'any currency'} between "
            f"{request.first_day} and {request.last_day}: ask for other days"
        )
