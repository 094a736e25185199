"""
Read the purchases of a real shop: 23,570 customers, eighteen months.

The CDNOW data set (Fader and Hardie, 2001); data/README.md tells where it is from.
Dates move by 28 years, after which they fall on the same day of the week.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from typing import Final, NamedTuple

from currency import Currency, Money

YEARS_LATER: Final = 28
FIRST_DAY: Final = date(2025, 1, 1)
LAST_DAY: Final = date(2026, 6, 30)
HEADER: Final = ["customer_id", "date", "number_of_cds", "dollar_value"]


class Purchase(NamedTuple):
    """
    Be one purchase. `number` is its place in the data, and its name in the plan.
    """

    number: int
    customer: int
    day: date
    discs: int
    cents: int


def read_purchases() -> list[Purchase]:
    """
    Read all purchases in the order of the data: by customer, then by date.
    """
    packaged = files("till").joinpath("data", "cdnow.txt.gz")
    lines = gzip.decompress(packaged.read_bytes()).decode("ascii").splitlines()
    return list(_purchases(lines))


def _purchases(lines: list[str]) -> Iterator[Purchase]:
    header, *rows = lines
    if header.split() != HEADER:
        raise ValueError(f"the data begins {header!r}, not {' '.join(HEADER)}")
    dollar = Currency.of("USD")
    for index, row in enumerate(rows):
        customer, day, discs, dollars = row.split()
        yield Purchase(
            number=index,
            customer=int(customer),
            day=_redate(day),
            discs=int(discs),
            cents=Money.parse(dollars, dollar).minor_units,
        )


def _redate(text: str) -> date:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    return date(year + YEARS_LATER, month, day)
