"""
Money and moments for people, in their language, with ISO 4217's digits.
"""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from currency import Currency
from gateway.console.wording import Wording


@pytest.mark.parametrize(
    ("locale", "minor_units", "code", "text"),
    [
        ("en", 123_456, "USD", "USD 1,234.56"),
        ("en", 10_000, "KWD", "KWD 10.000"),
        ("en", 1_500, "JPY", "JPY 1,500"),
        ("en", 123, "LBP", "LBP 1.23"),
        ("en", -5, "USD", "USD -0.05"),
        ("tr", 123_456, "TRY", "TRY 1.234,56"),
        ("de", 10_000, "IQD", "IQD 10,000"),
    ],
)
def test_money_has_exactly_its_currencys_digits(
    locale: str, minor_units: int, code: str, text: str
) -> None:
    """
    Whatever the language thinks of a currency's digits (LBP and IQD have none there).
    """
    assert text == Wording(locale).money(minor_units, Currency.of(code))


def test_the_largest_amount_is_not_rounded() -> None:
    """
    No float stands between the books and the screen.
    """
    assert "USD 9,999,999,999,999.99" == Wording("en").money(
        999_999_999_999_999, Currency.of("USD")
    )


def test_figures_moments_days_and_rates() -> None:
    """
    Moments are in UTC and say so; a rate keeps all of its digits.
    """
    wording = Wording("en")
    moment = datetime(2025, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))

    assert "23,570" == wording.count(23_570)
    assert "Jan 1, 2025, 12:00:00 AM UTC" == " ".join(wording.moment(moment).split())
    assert "Feb 28, 2027" == wording.day(date(2027, 2, 28))
    assert "0.0000111607" == wording.rate(Decimal("0.000011160700"))
    assert "3.2520" == wording.rate(Decimal("3.252000000000"))


def test_a_wording_does_not_change_the_next() -> None:
    """
    The library keeps one pattern a language for all: it stays as it is.
    """
    wording = Wording("en")
    wording.money(1, Currency.of("KWD"))

    assert "1,234.5" == wording.rate(Decimal("1234.5"))[:7]
    assert "USD 0.01" == wording.money(1, Currency.of("USD"))
