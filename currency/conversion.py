"""
Convert between two currencies through their USD rates, rounded once at the end.

amount x source rate / target rate, scaled from one minor unit to the other, in one
fraction of integers: rounding the dollars in between would cost cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

from currency.codes import Currency
from currency.errors import CurrencyMismatchError
from currency.rates import RATE_ONE_E12, UsdRate, rate_decimal
from currency.rounding import divide_half_even, divide_half_up

ROUNDING_SCALE: Final = 24

_ROUNDING_ONE: Final[int] = 10**ROUNDING_SCALE
_NO_ROUNDING: Final = Decimal(0)
# Only strips zeros; a context of our own, so that nobody's precision cuts digits.
_EXACT: Final = Context(prec=ROUNDING_SCALE + 4)


@dataclass(frozen=True, slots=True)
class Conversion:
    """
    Be the result of a conversion: minor units, and what rounding added.

    `rounding` is rounded minus exact, in units of the target currency, exact up to
    24 digits after the point (then HALF_EVEN).
    """

    amount_minor: int
    rounding: Decimal


def convert(
    amount_minor: int,
    source: Currency,
    target: Currency,
    source_rate: UsdRate,
    target_rate: UsdRate,
) -> Conversion:
    """
    Convert and round HALF_UP to the target's minor unit.
    """
    _require_amount(amount_minor)
    if source is target:
        return Conversion(amount_minor, _NO_ROUNDING)
    numerator, denominator = _fraction(
        amount_minor, source, target, source_rate, target_rate
    )
    return _rounded(numerator, denominator, target)


def convert_floor(
    amount_minor: int,
    source: Currency,
    target: Currency,
    source_rate: UsdRate,
    target_rate: UsdRate,
) -> int:
    """
    Convert and round down: the most of the target that the amount can pay for.

    Converted back it is never more than the amount, so a partial approval of all
    that a card holds cannot overdraw it.
    """
    _require_amount(amount_minor)
    if source is target:
        return amount_minor
    numerator, denominator = _fraction(
        amount_minor, source, target, source_rate, target_rate
    )
    return numerator // denominator


def share_of(
    part_minor: int, whole_minor: int, worth_minor: int, currency: Currency
) -> Conversion:
    """
    Give what a part is worth of a whole that was worth `worth_minor`, HALF_UP.

    No rate has a say in it, so parts of an earlier conversion keep its rate. Shares of
    parts that grow up to the whole come to its worth exactly: each next part is worth
    the share so far less what was given before.

    Args:
        part_minor: so much of the whole, in the currency of the whole.
        whole_minor: the whole, more than nothing.
        worth_minor: what the whole was worth, in `currency`.
        currency: that of the worth and of the share.

    """
    _require_amount(part_minor)
    _require_amount(worth_minor)
    if whole_minor <= 0:
        raise ValueError(f"nothing has a share of {whole_minor}")
    return _rounded(part_minor * worth_minor, whole_minor, currency)


def applied_rate(source_rate: UsdRate, target_rate: UsdRate) -> Decimal:
    """
    Give units of the target for one of the source, with 12 digits, HALF_UP.

    For records and receipts only: no amount is ever computed from it.
    """
    return rate_decimal(
        divide_half_up(_usable(source_rate) * RATE_ONE_E12, _usable(target_rate))
    )


def _rounded(numerator: int, denominator: int, target: Currency) -> Conversion:
    """
    Divide minor units of the target, and tell what rounding added.
    """
    rounded = divide_half_up(numerator, denominator)
    added = rounded * denominator - numerator
    if not added:
        return Conversion(rounded, _NO_ROUNDING)
    added_e24 = divide_half_even(
        added * _ROUNDING_ONE, denominator * target.minor_per_unit
    )
    rounding = Decimal(f"{added_e24}E-{ROUNDING_SCALE}").normalize(_EXACT)
    return Conversion(rounded, rounding)


def _fraction(
    amount_minor: int,
    source: Currency,
    target: Currency,
    source_rate: UsdRate,
    target_rate: UsdRate,
) -> tuple[int, int]:
    if (
        source_rate.currency_code != source.code
        or target_rate.currency_code != target.code
    ):
        raise CurrencyMismatchError(
            f"{source} to {target} takes the rates of these two, not those of "
            f"{source_rate.currency_code} and {target_rate.currency_code}"
        )
    return (
        amount_minor * _usable(source_rate) * target.minor_per_unit,
        _usable(target_rate) * source.minor_per_unit,
    )


def _usable(rate: UsdRate) -> int:
    if rate.usd_per_unit_e12 is None:
        raise ValueError(
            f"the rate of {rate.currency_code} is withdrawn: nothing converts"
        )
    return rate.usd_per_unit_e12


def _require_amount(amount_minor: int) -> None:
    if type(amount_minor) is not int:
        raise TypeError(f"minor units are an int, not {type(amount_minor).__name__}")
    if amount_minor < 0:
        raise ValueError(
            f"{amount_minor} is negative: direction is the operation, not a sign"
        )
