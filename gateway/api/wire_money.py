"""
Money on the wire and on paper.
"""

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final

from currency import find_currency
from scrip.v1 import money_pb2

# Holds NUMERIC(20,12) and a rounding of 24 digits; only strips zeros.
_EXACT: Final = Context(prec=60)


def exponent_of(currency_code: str) -> int:
    """
    Give the currency's own digits; 0 for a currency that nobody knows.
    """
    currency = find_currency(currency_code)
    return 0 if currency is None else currency.exponent


def put(
    money: money_pb2.Money, minor_units: int, currency_code: str, exponent: int
) -> None:
    """
    Fill a message in place: three times as fast as to build and copy one.
    """
    money.minor_units = minor_units
    money.currency_code = currency_code
    money.exponent = exponent


def plain(value: Decimal) -> str:
    """
    Write a number without exponent and without trailing zeros.

    A first answer holds what was computed and a replay what the books gave back, with
    zeros up to the column's scale; both must read the same.
    """
    return format(value.normalize(_EXACT), "f")


def spoken(minor_units: int, currency_code: str, exponent: int) -> str:
    """
    Write an amount that is not negative for a person: `10.000 KWD`.

    `exponent` is the sender's, for a currency that nobody knows.
    """
    currency = find_currency(currency_code)
    if currency is None:
        return f"{minor_units} {currency_code} ({exponent} digits)"
    digits = currency.exponent
    if not digits:
        return f"{minor_units} {currency_code}"
    whole, part = divmod(minor_units, currency.minor_per_unit)
    return f"{whole}.{part:0{digits}d} {currency_code}"


def rfc3339(moment: datetime) -> str:
    """
    Write a moment in UTC: `2025-01-01T00:00:00Z`, with a fraction if it has one.
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
