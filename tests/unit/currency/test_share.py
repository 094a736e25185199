"""
What a part is worth of a whole: exact to the last unit, whatever the pieces.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currency import Currency, share_of

USD, JPY = Currency.of("USD"), Currency.of("JPY")


@pytest.mark.parametrize(
    ("part", "whole", "worth", "share", "rounding"),
    [
        (3_333, 10_000, 66_50, 22_16, "-0.004450"),
        (6_666, 10_000, 66_50, 44_33, "0.001100"),
        (10_000, 10_000, 66_50, 66_50, "0"),
        (1, 2, 1, 1, "0.005"),
        (0, 7, 66_50, 0, "0"),
    ],
)
def test_a_share_is_rounded_half_up_once(
    part: int, whole: int, worth: int, share: int, rounding: str
) -> None:
    """
    And what rounding added is told, in units of the worth's currency.
    """
    found = share_of(part, whole, worth, USD)

    assert (share, Decimal(rounding)) == (found.amount_minor, found.rounding)


def test_rounding_is_in_units_of_the_currency() -> None:
    """
    A yen has no smaller part: half of it is 0.5.
    """
    assert Decimal("0.5") == share_of(1, 2, 1, JPY).rounding


@pytest.mark.parametrize(("part", "whole", "worth"), [(-1, 5, 5), (1, 5, -5)])
def test_no_amount_is_negative(part: int, whole: int, worth: int) -> None:
    """
    Direction is the operation, not a sign.
    """
    with pytest.raises(ValueError, match="is negative"):
        share_of(part, whole, worth, USD)


@pytest.mark.parametrize("whole", [0, -1])
def test_nothing_has_no_share(whole: int) -> None:
    """
    There is no whole to be part of.
    """
    with pytest.raises(ValueError, match="share of"):
        share_of(1, whole, 5, USD)


@given(
    parts=st.lists(st.integers(1, 10**15), min_size=1, max_size=8),
    worth=st.integers(0, 10**15),
)
def test_parts_come_to_the_whole(parts: list[int], worth: int) -> None:
    """
    Credits of growing parts are never negative and sum to exactly the worth.
    """
    whole, so_far, given_back = sum(parts), 0, 0
    for part in parts:
        so_far += part
        share = share_of(so_far, whole, worth, USD)
        assert share.amount_minor >= given_back
        assert abs(share.rounding) <= Decimal("0.005")
        given_back = share.amount_minor

    assert worth == given_back
