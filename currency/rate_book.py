"""
Find the rate in force at a moment.

A book is immutable, so a worker swaps it whole when the policy version moves, and
everything it decides in between sees one and the same table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate
from typing import NamedTuple

from currency.errors import RateConflictError
from currency.rates import USD_RATE, UsdRate, to_utc


class _Series(NamedTuple):
    """
    Hold one currency's moments in order, and the rate from each of them on.
    """

    moments: list[datetime]
    rates: list[UsdRate | None]


_USD_SERIES = _Series([datetime.min.replace(tzinfo=UTC)], [USD_RATE])


class RateBook:
    """
    Hold all rows of the rate table, ready to be asked.

    Of the rows of a currency that are effective, the latest `effective_from` wins,
    then the greatest version: a later import may replace a future row.
    """

    __slots__ = ("_moments", "_series", "_versions", "rates")

    def __init__(self, rates: tuple[UsdRate, ...]) -> None:
        """
        Index the rows; use `RateBook.of`, which orders and checks them.
        """
        self.rates = rates
        self._series: dict[str, _Series] = {USD_RATE.currency_code: _USD_SERIES}
        for rate in rates:
            in_force = rate if rate.usd_per_unit_e12 is not None else None
            moments, found = self._series.setdefault(
                rate.currency_code, _Series([], [])
            )
            if moments and moments[-1] == rate.effective_from:
                found[-1] = in_force  # the same moment again, in a greater version
            else:
                moments.append(rate.effective_from)
                found.append(in_force)
        self._moments = [rate.effective_from for rate in rates]
        self._versions = list(accumulate((rate.version for rate in rates), max))

    @classmethod
    def of(cls, rates: Iterable[UsdRate]) -> RateBook:
        """
        Build a book from rows in any order; the same row may come twice.
        """
        by_place: dict[tuple[datetime, int, str], UsdRate] = {}
        for rate in rates:
            if rate.currency_code == USD_RATE.currency_code:
                raise RateConflictError(
                    "USD is the unit of the table and always 1: it has no rows"
                )
            place = (rate.effective_from, rate.version, rate.currency_code)
            if by_place.setdefault(place, rate) != rate:
                raise RateConflictError(
                    f"version {rate.version} has two rates of {rate.currency_code} "
                    f"from {rate.effective_from.isoformat()}"
                )
        return cls(tuple(by_place[place] for place in sorted(by_place)))

    def with_rates(self, more: Iterable[UsdRate]) -> RateBook:
        """
        Give a new book that holds these rows too.
        """
        return RateBook.of((*self.rates, *more))

    def rate_at(self, code: str, now: datetime) -> UsdRate | None:
        """
        Give the rate in force, or None when there is none or it is withdrawn.
        """
        series = self._series.get(code)
        if series is None:
            return None
        # With one tzinfo object on both sides Python compares without offsets.
        if now.tzinfo is not UTC:
            now = to_utc(now)
        index = bisect_right(series.moments, now)
        return series.rates[index - 1] if index else None

    def last_rate_at(self, code: str, now: datetime) -> UsdRate | None:
        """
        Give the rate in force, or the last one that was before it was withdrawn.
        """
        series = self._series.get(code)
        if series is None:
            return None
        found = series.rates[: bisect_right(series.moments, to_utc(now))]
        return next((rate for rate in reversed(found) if rate is not None), None)

    def version_at(self, now: datetime) -> int:
        """
        Give the greatest version of any row in force, 0 when there is none.
        """
        if now.tzinfo is not UTC:
            now = to_utc(now)
        index = bisect_right(self._moments, now)
        return self._versions[index - 1] if index else 0
