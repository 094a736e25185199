"""
Values in words: what an explanation shows of money, moments and cards.
"""

from datetime import date, datetime
from enum import Enum

from currency import Currency, Money
from gateway.domain.explanation import Value

Values = tuple[Value, ...]


def values_of(**texts: object) -> Values:
    """
    Name values; an underline stands for a space, and what is None is left out.
    """
    return tuple(
        Value(name.replace("_", " "), _text(value))
        for name, value in texts.items()
        if value is not None
    )


def money(minor_units: int | None, currency: Currency) -> str | None:
    """
    Write an amount with its currency.
    """
    if minor_units is None:
        return None
    return f"{Money(minor_units, currency).to_decimal_text()} {currency.code}"


def moment(at: datetime) -> str:
    """
    Write a moment with its zone.
    """
    return at.isoformat(sep=" ", timespec="seconds")


def masked(last_four: str | None) -> str | None:
    """
    Write the last four digits of a card.
    """
    return None if last_four is None else f"**** {last_four}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return value.name
    return value.isoformat() if isinstance(value, date) else str(value)
