"""
Write figures for people.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from babel.core import Locale
from babel.numbers import NumberPattern, format_decimal, parse_pattern

from currency import Money

LOCALE: Final = Locale("en")


def money_text(money: Money) -> str:
    """
    Write an amount for people, with exactly the digits of its currency.

    Babel's own currency formats give LBP no digits; ISO 4217 gives it two.
    """
    pattern: NumberPattern = parse_pattern(LOCALE.decimal_formats[None].pattern)
    pattern.frac_prec = (money.currency.exponent, money.currency.exponent)
    number: str = pattern.apply(Decimal(money.to_decimal_text()), LOCALE)
    return f"{money.currency.code} {number}"


def count_text(number: int) -> str:
    """
    Write a number of things for people.
    """
    return format_decimal(number, locale=LOCALE)
