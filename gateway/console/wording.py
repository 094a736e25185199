"""
Write money, figures and dates for people, in the language of the settings.

Files and JSON get plain forms instead: those are for programs.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern, format_decimal, parse_pattern

from currency import RATE_SCALE, Currency, Money

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


class Wording:
    """
    Write values in one language.
    """

    def __init__(self, locale: str) -> None:
        """
        Name the language as `en` or `ar_KW`.
        """
        self._locale = Locale.parse(locale)

    def money(self, minor_units: int, currency: Currency) -> str:
        """
        Write an amount after its code, with exactly the digits of ISO 4217.

        The library's own currency formats know other digits for some (none for LBP).
        """
        amount = Decimal(Money(minor_units, currency).to_decimal_text())
        pattern = self._number_pattern()
        pattern.frac_prec = (currency.exponent, currency.exponent)
        return f"{currency.code} {pattern.apply(amount, self._locale)}"

    def rate(self, usd_per_unit: Decimal) -> str:
        """
        Write a rate with the digits that it has, at least four.
        """
        pattern = self._number_pattern()
        pattern.frac_prec = (4, RATE_SCALE)
        text: str = pattern.apply(usd_per_unit, self._locale)
        return text

    def count(self, number: int) -> str:
        """
        Write a figure.
        """
        return format_decimal(number, locale=self._locale)

    def moment(self, moment: datetime) -> str:
        """
        Write a moment, in UTC.
        """
        text = format_datetime(
            moment.astimezone(UTC), format="medium", locale=self._locale
        )
        return f"{text} UTC"

    def day(self, day: date) -> str:
        """
        Write a day.
        """
        return format_date(day, format="medium", locale=self._locale)

    def _number_pattern(self) -> NumberPattern:
        # Parsed anew, because the caller changes it and the library keeps one for all.
        return parse_pattern(self._locale.decimal_formats[None].pattern)


def write_duration(length: timedelta) -> str:
    """
    Write a length of time as `read_duration` reads it: `1d12h30m`.
    """
    seconds = abs(round(length.total_seconds()))
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    sign = "-" if length < timedelta(0) else ""
    return sign + ("".join(parts) or "0s")
