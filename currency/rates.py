"""
Hold one USD rate of one currency, exactly.

A rate is an integer: USD per unit times 10**12, which is what NUMERIC(20,12) holds.
It never is a float, and a Decimal only at the edges (the database, a person).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from currency.decimal_text import read_plain_decimal
from currency.errors import RateFormatError, shown

RATE_SCALE: Final = 12
RATE_WHOLE_DIGITS: Final = 8
RATE_ONE_E12: Final[int] = 10**RATE_SCALE
MAX_RATE_E12: Final[int] = 10 ** (RATE_WHOLE_DIGITS + RATE_SCALE) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdRate:
    """
    Be one immutable row of the rate table.

    `usd_per_unit_e12` None withdraws the currency from `effective_from` on. Times
    are kept in UTC, so that comparing them is cheap.
    """

    currency_code: str
    usd_per_unit_e12: int | None
    version: int
    effective_from: datetime
    as_of: datetime
    source: str

    def __post_init__(self) -> None:
        """
        Refuse what no row may hold; the database's CHECKs say the same.
        """
        require_rate_e12(self.usd_per_unit_e12)
        if type(self.version) is not int or self.version < 0:
            raise ValueError(f"a version is an int from 0 on, not {self.version!r}")
        object.__setattr__(self, "effective_from", to_utc(self.effective_from))
        object.__setattr__(self, "as_of", to_utc(self.as_of))

    @property
    def usd_per_unit(self) -> Decimal | None:
        """
        Give the rate as a Decimal with 12 digits, for the database and for people.
        """
        if self.usd_per_unit_e12 is None:
            return None
        return rate_decimal(self.usd_per_unit_e12)


def to_utc(moment: datetime) -> datetime:
    """
    Express the moment in UTC; refuse one without a zone.

    Python would take a naive time for local time of this machine.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no zone: give an aware datetime")
    return moment.astimezone(UTC)


def require_rate_e12(rate_e12: int | None) -> None:
    """
    Raise unless it is a withdrawal or an int that NUMERIC(20,12) holds, above zero.
    """
    if rate_e12 is None:
        return
    if type(rate_e12) is not int:
        raise TypeError(f"a rate is an int times 10**12, not {type(rate_e12).__name__}")
    if not 0 < rate_e12 <= MAX_RATE_E12:
        raise RateFormatError(
            f"{rate_decimal(rate_e12):f} is no rate: it lies above zero and has at "
            f"most {RATE_WHOLE_DIGITS} digits before the point"
        )


def rate_decimal(rate_e12: int) -> Decimal:
    """
    Give the rate as a Decimal with 12 digits, exactly.
    """
    return Decimal(f"{rate_e12}E-{RATE_SCALE}")


def rate_e12(usd_per_unit: Decimal) -> int:
    """
    Read a rate from what the database gives for NUMERIC(20,12), exactly.
    """
    if type(usd_per_unit) is not Decimal or not usd_per_unit.is_finite():
        raise RateFormatError(f"a rate is a finite Decimal, not {usd_per_unit!r}")
    numerator, denominator = usd_per_unit.as_integer_ratio()
    scaled, rest = divmod(numerator * RATE_ONE_E12, denominator)
    if rest:
        raise RateFormatError(
            f"{usd_per_unit} has more than {RATE_SCALE} digits after the point"
        )
    require_rate_e12(scaled)
    return scaled


def parse_rate_e12(text: str) -> int:
    """
    Read a rate from a file or a command line: plain digits, at most 8 and 12.
    """
    decimal = read_plain_decimal(text)
    if decimal is None:
        raise RateFormatError(
            f"{shown(text)} is not a plain number: write USD for one unit like "
            "0.0000111607 (no exponent, blanks, separators or leading zeros)"
        )
    if len(decimal.fraction) > RATE_SCALE:
        raise RateFormatError(
            f"{shown(text)} has {len(decimal.fraction)} digits after the point: "
            f"round it to {RATE_SCALE}"
        )
    digits = decimal.fraction.ljust(RATE_SCALE, "0")
    scaled = int(decimal.sign + decimal.whole + digits)
    require_rate_e12(scaled)
    return scaled


# The dollar is the unit of the table. It is in force at every moment and, its
# `as_of` being the end of time, is never stale.
USD_RATE: Final = UsdRate(
    currency_code="USD",
    usd_per_unit_e12=RATE_ONE_E12,
    version=0,
    effective_from=datetime(1970, 1, 1, tzinfo=UTC),
    as_of=datetime(9999, 1, 1, tzinfo=UTC),
    source="definition",
)
