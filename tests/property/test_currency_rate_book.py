from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from currency import RateBook, UsdRate

START = datetime(2025, 1, 1, tzinfo=UTC)

# Few codes, moments and versions, so that ties and replacements are common.
moments = st.integers(0, 6).map(lambda hours: START + timedelta(hours=hours))
rows = st.builds(
    UsdRate,
    currency_code=st.sampled_from(["KWD", "JPY", "LBP"]),
    usd_per_unit_e12=st.one_of(st.none(), st.integers(1, 9)),
    version=st.integers(1, 5),
    effective_from=moments,
    as_of=st.just(START),
    source=st.just("drawn"),
)
tables = st.lists(
    rows,
    max_size=25,
    unique_by=lambda row: (row.currency_code, row.version, row.effective_from),
)
asked = st.integers(-1, 7).map(lambda hours: START + timedelta(hours=hours))


@given(table=tables, code=st.sampled_from(["KWD", "JPY", "LBP"]), now=asked)
def test_the_rate_in_force_is_the_one_a_full_scan_finds(
    table: list[UsdRate], code: str, now: datetime
) -> None:
    """
    The greatest effective_from up to now, then the greatest version, or nothing.
    """
    effective = [row for row in table if row.effective_from <= now]
    candidates = [row for row in effective if row.currency_code == code]
    winner = max(
        candidates, key=lambda row: (row.effective_from, row.version), default=None
    )
    book = RateBook.of(table)

    assert book.rate_at(code, now) == (
        winner if winner is not None and winner.usd_per_unit_e12 is not None else None
    )
    assert book.version_at(now) == max((row.version for row in effective), default=0)


@given(table=tables, cut=st.integers(0, 25), now=asked)
def test_a_book_grown_by_parts_is_the_book_of_the_whole(
    table: list[UsdRate], cut: int, now: datetime
) -> None:
    """
    A worker that adds new versions and one that reads all afresh agree.
    """
    whole = RateBook.of(reversed(table))
    grown = RateBook.of(table[:cut]).with_rates(table[cut:])

    assert whole.rates == grown.rates
    assert whole.version_at(now) == grown.version_at(now)
    assert whole.rate_at("KWD", now) == grown.rate_at("KWD", now)


@given(past=tables, later=tables, now=asked)
def test_a_passed_moment_never_changes(
    past: list[UsdRate], later: list[UsdRate], now: datetime
) -> None:
    """
    Rows that come with a later effective_from leave every earlier answer as it was.
    """
    future = [
        UsdRate(
            currency_code=row.currency_code,
            usd_per_unit_e12=row.usd_per_unit_e12,
            version=row.version + 5,
            effective_from=row.effective_from + timedelta(days=1),
            as_of=row.as_of,
            source=row.source,
        )
        for row in later
    ]
    book = RateBook.of(past)

    assert book.rate_at("JPY", now) == book.with_rates(future).rate_at("JPY", now)
    assert book.version_at(now) == book.with_rates(future).version_at(now)
