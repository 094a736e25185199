"""
Count money and convert it.

Owns Money, the currencies of ISO 4217, USD rate tables, conversion and the importers
of rates. A leaf: it imports nothing of ours, no grpc, psycopg, redis or pydantic,
reads no clock and draws no random number, so that everybody may stand on it.
"""

from __future__ import annotations

from currency.codes import Currency, all_currencies, find_currency
from currency.conversion import (
    Conversion,
    applied_rate,
    convert,
    convert_floor,
    share_of,
)
from currency.errors import (
    CurrencyError,
    CurrencyMismatchError,
    MoneyFormatError,
    RateConflictError,
    RateFormatError,
    RateImportError,
    RateProblem,
    UnknownCurrencyError,
)
from currency.importers.imported_rate import ImportedRate
from currency.money import MAX_MINOR_UNITS, Money
from currency.rate_book import RateBook
from currency.rates import (
    RATE_SCALE,
    USD_RATE,
    UsdRate,
    parse_rate_e12,
    rate_decimal,
    rate_e12,
)

__all__ = [
    "MAX_MINOR_UNITS",
    "RATE_SCALE",
    "USD_RATE",
    "Conversion",
    "Currency",
    "CurrencyError",
    "CurrencyMismatchError",
    "ImportedRate",
    "Money",
    "MoneyFormatError",
    "RateBook",
    "RateConflictError",
    "RateFormatError",
    "RateImportError",
    "RateProblem",
    "UnknownCurrencyError",
    "UsdRate",
    "all_currencies",
    "applied_rate",
    "convert",
    "convert_floor",
    "find_currency",
    "parse_rate_e12",
    "rate_decimal",
    "rate_e12",
    "share_of",
]
