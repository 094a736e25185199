from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from currency import USD_RATE, RateBook, RateConflictError, UsdRate

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
BEIRUT = ZoneInfo("Asia/Beirut")
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def row(
    code: str, usd_per_unit_e12: int | None, *, version: int, hours: int = 0
) -> UsdRate:
    """
    Make a row effective some hours after noon.
    """
    return UsdRate(
        currency_code=code,
        usd_per_unit_e12=usd_per_unit_e12,
        version=version,
        effective_from=NOON + hours * HOUR,
        as_of=NOON,
        source="test",
    )


def test_a_rate_is_in_force_from_its_moment_until_the_next() -> None:
    """
    Behaviour 50: just before the moment the old rate holds, at the moment the new.
    """
    old, new = row("KWD", 30, version=1), row("KWD", 33, version=2, hours=12)
    book = RateBook.of([new, old])
    midnight = NOON + 12 * HOUR

    assert book.rate_at("KWD", NOON - MICROSECOND) is None
    assert book.rate_at("KWD", NOON) is old
    assert book.rate_at("KWD", midnight - MICROSECOND) is old
    assert book.rate_at("KWD", midnight) is new
    assert book.version_at(NOON - MICROSECOND) == 0
    assert book.version_at(midnight - MICROSECOND) == 1
    assert book.version_at(midnight) == 2


def test_of_two_rows_from_one_moment_the_greater_version_holds() -> None:
    """
    A later import may replace a row that is not in force yet.
    """
    first, second = row("KWD", 30, version=1), row("KWD", 31, version=2)

    assert RateBook.of([second, first]).rate_at("KWD", NOON) is second


def test_the_later_moment_wins_over_the_greater_version() -> None:
    """
    The greatest effective_from is asked first, the version only breaks a tie.
    """
    later, greater = row("KWD", 30, version=1, hours=1), row("KWD", 31, version=2)
    book = RateBook.of([later, greater])

    assert book.rate_at("KWD", NOON + HOUR) is later
    assert book.version_at(NOON + HOUR) == 2


def test_the_last_rate_outlives_its_withdrawal() -> None:
    """
    What is gone is looked up as it last was; what never was in force is not.
    """
    first, second = row("LBP", 11, version=1), row("LBP", 12, version=2, hours=1)
    gone = [row("LBP", None, version=n, hours=n) for n in (3, 4)]
    never = [row("KWD", 30, version=5, hours=2), row("KWD", None, version=6, hours=2)]
    book = RateBook.of([first, second, *gone, *never])

    assert book.last_rate_at("LBP", NOON - MICROSECOND) is None
    assert book.last_rate_at("LBP", NOON) is first
    assert book.last_rate_at("LBP", NOON + 2 * HOUR) is second
    assert book.last_rate_at("LBP", NOON + 9 * HOUR) is second
    assert book.last_rate_at("LBP", (NOON + 9 * HOUR).astimezone(BEIRUT)) is second
    assert book.last_rate_at("KWD", NOON + 9 * HOUR) is None
    assert book.last_rate_at("JPY", NOON) is None
    assert book.last_rate_at("USD", NOON) is USD_RATE


def test_a_withdrawn_currency_has_no_rate_until_it_gets_one_again() -> None:
    """
    A row without a rate ends the currency; its version is in force all the same.
    """
    back = row("LBP", 12, version=3, hours=2)
    book = RateBook.of(
        [row("LBP", 11, version=1), row("LBP", None, version=2, hours=1), back]
    )

    assert book.rate_at("LBP", NOON + HOUR) is None
    assert book.version_at(NOON + HOUR) == 2
    assert book.rate_at("LBP", NOON + 2 * HOUR) is back


def test_the_dollar_is_always_there() -> None:
    """
    USD = 1 by definition, also in an empty book and at any moment.
    """
    book = RateBook.of([])

    assert book.rate_at("USD", datetime.min.replace(tzinfo=UTC)) is USD_RATE
    assert book.rate_at("USD", NOON) is USD_RATE
    assert book.rate_at("KWD", NOON) is None
    assert book.version_at(NOON) == 0


def test_a_row_for_the_dollar_is_refused() -> None:
    """
    A dollar that is not 1 would move every other rate.
    """
    with pytest.raises(RateConflictError, match="USD is the unit"):
        RateBook.of([row("USD", 10**12, version=1)])


def test_the_same_row_twice_is_one_row() -> None:
    """
    Reading the table again and again must not matter.
    """
    book = RateBook.of([row("KWD", 30, version=1)])
    again = book.with_rates([row("KWD", 30, version=1)])

    assert book.rates == again.rates
    assert len(again.rates) == 1


def test_two_rates_in_one_place_are_refused() -> None:
    """
    Which of them holds would depend on the order of reading.
    """
    with pytest.raises(RateConflictError, match="version 1 has two rates of KWD"):
        RateBook.of([row("KWD", 30, version=1), row("KWD", 31, version=1)])


def test_with_rates_leaves_the_old_book_alone() -> None:
    """
    What was decided with a book can be decided again with it.
    """
    old, new = row("KWD", 30, version=1), row("KWD", 31, version=2)
    book = RateBook.of([old])
    more = book.with_rates([new])

    assert book.rate_at("KWD", NOON) is old
    assert more.rate_at("KWD", NOON) is new


def test_a_moment_may_come_in_any_zone_but_not_without() -> None:
    """
    The book counts in UTC and refuses a time that means nothing by itself.
    """
    rate = row("KWD", 30, version=1)
    book = RateBook.of([rate])
    beirut = ZoneInfo("Asia/Beirut")

    assert book.rate_at("KWD", NOON.astimezone(beirut)) is rate
    assert book.rate_at("KWD", (NOON - MICROSECOND).astimezone(beirut)) is None
    assert book.version_at(NOON.astimezone(beirut)) == 1
    with pytest.raises(ValueError, match="has no zone"):
        book.rate_at("KWD", NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="has no zone"):
        book.version_at(NOON.replace(tzinfo=None))
