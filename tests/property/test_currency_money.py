from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from currency import (
    MAX_MINOR_UNITS,
    Currency,
    Money,
    MoneyFormatError,
    all_currencies,
)

currencies = st.sampled_from(all_currencies())
minor_units = st.integers(-MAX_MINOR_UNITS, MAX_MINOR_UNITS)
moneys = st.builds(Money, minor_units, currencies)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any)


@given(money=moneys, weights=weights)
def test_allocate_loses_nothing(money: Money, weights: list[int]) -> None:
    """
    The parts add up, none is a whole minor unit off, and weight zero gets nothing.
    """
    parts = money.allocate(weights)
    total = sum(weights)

    assert money.minor_units == sum(part.minor_units for part in parts)
    assert len(weights) == len(parts)
    for part, weight in zip(parts, weights, strict=True):
        assert part.currency is money.currency
        assert abs(part.minor_units * total - money.minor_units * weight) < total
        assert weight or not part.minor_units


@given(money=moneys)
def test_an_amount_survives_being_text(money: Money) -> None:
    """
    Writing and reading give the same amount, with exactly the currency's digits.
    """
    text = money.to_decimal_text()
    whole, _, fraction = text.partition(".")

    assert money == Money.parse(text, money.currency)
    assert len(fraction) == money.currency.exponent
    assert whole.lstrip("-").isdecimal()


@given(
    text=st.text(alphabet=string.digits + "-+.,eE_ \u0663", max_size=12),
    currency=currencies,
)
def test_what_is_read_is_what_would_be_written(text: str, currency: Currency) -> None:
    """
    No text is read as another one: it is refused, or it is the one way to write it.
    """
    try:
        money = Money.parse(text, currency)
    except MoneyFormatError:
        return

    assert money.to_decimal_text() == text or (
        text.startswith("-") and not money.minor_units
    )


@given(a=minor_units, b=minor_units, currency=currencies)
def test_money_is_ordered_and_added_like_its_minor_units(
    a: int, b: int, currency: Currency
) -> None:
    """
    Within one currency Money adds nothing to integers and takes nothing away.
    """
    left, right = Money(a, currency), Money(b, currency)

    assert (left < right) == (a < b)
    assert (left >= right) == (a >= b)
    assert (left == right) == (a == b)
    assert (left + right) - right == left
