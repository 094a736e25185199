from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from currency import (
    MAX_MINOR_UNITS,
    Currency,
    UsdRate,
    all_currencies,
    applied_rate,
    convert,
    convert_floor,
)

NOW = datetime(2025, 1, 1, tzinfo=UTC)

amounts = st.integers(0, MAX_MINOR_UNITS)
# Real rates lie between a hundred-thousandth of a dollar and a few dollars; the
# column holds more, so both are drawn.
rates_e12 = st.one_of(st.integers(1, 10**20 - 1), st.integers(10**6, 4 * 10**12))
currencies = st.sampled_from(all_currencies())


@st.composite
def sides(draw: st.DrawFn) -> tuple[Currency, UsdRate]:
    """
    Draw a currency and a rate of it.
    """
    currency = draw(currencies)
    rate = UsdRate(
        currency_code=currency.code,
        usd_per_unit_e12=draw(rates_e12),
        version=1,
        effective_from=NOW,
        as_of=NOW,
        source="drawn",
    )
    return currency, rate


def e12(rate: UsdRate) -> int:
    """
    Give the scaled rate, which these rows always have.
    """
    assert rate.usd_per_unit_e12 is not None
    return rate.usd_per_unit_e12


def exact(
    amount: int, source: tuple[Currency, UsdRate], target: tuple[Currency, UsdRate]
) -> Fraction:
    """
    Give the unrounded minor units of the target, the long way round.
    """
    if source[0] is target[0]:
        return Fraction(amount)
    units = Fraction(amount, source[0].minor_per_unit)
    dollars = units * Fraction(e12(source[1]), 10**12)
    return dollars / Fraction(e12(target[1]), 10**12) * target[0].minor_per_unit


@given(amount=amounts, source=sides(), target=sides())
def test_convert_is_the_exact_fraction_rounded_half_up_once(
    amount: int, source: tuple[Currency, UsdRate], target: tuple[Currency, UsdRate]
) -> None:
    """
    Fractions and integers agree to the last digit, for the rounding too.
    """
    result = convert(amount, source[0], target[0], source[1], target[1])
    oracle = exact(amount, source, target)
    rounded = floor(oracle + Fraction(1, 2))
    rounding = (rounded - oracle) / 10 ** target[0].exponent

    assert rounded == result.amount_minor
    assert round(rounding * 10**24) == Fraction(result.rounding) * 10**24
    assert abs(result.rounding) * 2 <= Decimal(10) ** -target[0].exponent
    assert convert_floor(amount, source[0], target[0], source[1], target[1]) == floor(
        oracle
    )


@given(available=amounts, requested=amounts, card=sides(), sale=sides())
def test_a_partial_approval_never_overdraws_the_card(
    available: int,
    requested: int,
    card: tuple[Currency, UsdRate],
    sale: tuple[Currency, UsdRate],
) -> None:
    """
    What the floor approves, debited back, fits; and it is no more than was asked.
    """
    approved = convert_floor(available, card[0], sale[0], card[1], sale[1])
    debit = convert(approved, sale[0], card[0], sale[1], card[1]).amount_minor
    wanted = convert(requested, sale[0], card[0], sale[1], card[1]).amount_minor

    assert debit <= available
    assert wanted <= available or approved <= requested


@given(source=sides(), target=sides())
def test_the_applied_rate_is_the_quotient_rounded_half_up(
    source: tuple[Currency, UsdRate], target: tuple[Currency, UsdRate]
) -> None:
    """
    It is within half a unit of its twelfth digit, a half going up.
    """
    shown = applied_rate(source[1], target[1])

    assert shown.as_tuple().exponent == -12
    assert Fraction(shown) * 10**12 == floor(
        Fraction(e12(source[1]), e12(target[1])) * 10**12 + Fraction(1, 2)
    )
