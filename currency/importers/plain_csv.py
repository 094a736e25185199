"""
Read our own plain CSV of rates.

    currency,usd_per_unit,effective_from,as_of,source
    KWD,3.2520,2025-01-01T00:00:00Z,2024-12-31T12:00:00+03:00,Central Bank of Kuwait

Times are RFC 3339 with a zone; an empty usd_per_unit withdraws the currency. Blank
lines are passed over. One fault anywhere imports nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from currency.codes import Currency, find_currency
from currency.errors import (
    RateFormatError,
    RateImportError,
    UnknownCurrencyError,
    shown,
)
from currency.importers.imported_rate import ImportedRate
from currency.importers.problem_log import ProblemLog
from currency.importers.source_file import Row, read_rows
from currency.rates import USD_RATE, parse_rate_e12

HEADER: Final = ["currency", "usd_per_unit", "effective_from", "as_of", "source"]
MAX_SOURCE_CHARACTERS: Final = 200

_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_TIME_EXAMPLE: Final = "2025-01-01T00:00:00Z or 2025-01-01T03:00:00+03:00"


class _Place(NamedTuple):
    """
    Be the place in the table that a row claims.
    """

    currency_code: str
    effective_from: datetime


def read_plain_csv(source: Path | bytes) -> list[ImportedRate]:
    """
    Read a file of rates, or raise RateImportError with every fault in it.
    """
    log = ProblemLog()
    rates = _read_rows(read_rows(source, log), log)
    log.raise_if_any()
    if not rates:
        raise RateImportError.of_file("has no row of rates: add one")
    return rates


def _read_rows(rows: Iterator[Row], log: ProblemLog) -> list[ImportedRate]:
    header = next(rows, Row(1, []))
    if header.cells != HEADER:
        found = shown(",".join(header.cells))
        log.add(header.line, "header", f"is {found}: write {','.join(HEADER)}")
        return []
    rates: list[ImportedRate] = []
    first_line: dict[_Place, int] = {}
    for line, cells in rows:
        rate = _read_row(line, cells, log)
        if log.full:
            break
        if rate is None:
            continue
        place = _Place(rate.currency_code, rate.effective_from)
        if place in first_line:
            log.add(
                line,
                "effective_from",
                f"line {first_line[place]} has a rate of {rate.currency_code} from "
                "the same moment: remove one of them",
            )
        first_line.setdefault(place, line)
        rates.append(rate)
    return rates


def _read_row(line: int, row: list[str], log: ProblemLog) -> ImportedRate | None:
    if len(row) != len(HEADER):
        log.add(line, "row", f"has {len(row)} fields: give {len(HEADER)}")
        return None
    code, usd_per_unit, effective_from, as_of, source = row
    currency = _read_currency(line, code, log)
    rate_e12 = _read_rate(line, usd_per_unit, log)
    effective = _read_moment(line, "effective_from", effective_from, log)
    observed = _read_moment(line, "as_of", as_of, log)
    source_ok = _check_source(line, source, log)
    if (
        currency is None
        or rate_e12 == _REFUSED
        or effective is None
        or observed is None
        or not source_ok
    ):
        return None
    return ImportedRate(
        currency_code=currency.code,
        usd_per_unit_e12=rate_e12,
        effective_from=effective,
        as_of=observed,
        source=source,
    )


def _read_currency(line: int, code: str, log: ProblemLog) -> Currency | None:
    currency = find_currency(code)
    if currency is None:
        log.add(line, "currency", str(UnknownCurrencyError(code)))
    elif currency.code == USD_RATE.currency_code:
        log.add(line, "currency", "USD is the unit and always 1: remove the row")
        return None
    return currency


# No rate is zero, so zero is free to say that the text was refused.
_REFUSED: Final = 0


def _read_rate(line: int, text: str, log: ProblemLog) -> int | None:
    if not text:
        return None
    try:
        return parse_rate_e12(text)
    except RateFormatError as error:
        log.add(line, "usd_per_unit", str(error))
        return _REFUSED


def _read_moment(line: int, field: str, text: str, log: ProblemLog) -> datetime | None:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        log.add(
            line, field, f"{shown(text)} is no RFC 3339 time: write {_TIME_EXAMPLE}"
        )
        return None
    if match["zone"] is None:
        log.add(line, field, f"{shown(text)} has no zone: write {_TIME_EXAMPLE}")
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        log.add(line, field, f"{shown(text)} is no time ({error})")
        return None


def _check_source(line: int, source: str, log: ProblemLog) -> bool:
    if source.strip() and source.isprintable() and len(source) <= MAX_SOURCE_CHARACTERS:
        return True
    log.add(
        line,
        "source",
        f"{shown(source)}: say where the rate is from, in at most "
        f"{MAX_SOURCE_CHARACTERS} printable characters",
    )
    return False
