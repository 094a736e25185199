from __future__ import annotations

import pytest

from currency.rounding import divide_half_even, divide_half_up


@pytest.mark.parametrize(
    ("numerator", "denominator", "half_up", "half_even"),
    [
        (0, 7, 0, 0),
        (1, 2, 1, 0),
        (3, 2, 2, 2),
        (5, 2, 3, 2),
        (7, 2, 4, 4),
        (66_5, 10, 67, 66),
        (4, 3, 1, 1),
        (5, 3, 2, 2),
        (6, 3, 2, 2),
    ],
)
def test_a_half_goes_up_or_to_the_even_neighbour(
    numerator: int, denominator: int, half_up: int, half_even: int
) -> None:
    """
    Only an exact half tells the two ways of rounding apart.
    """
    assert half_up == divide_half_up(numerator, denominator)
    assert half_even == divide_half_even(numerator, denominator)


@pytest.mark.parametrize(
    ("numerator", "expected"), [(-1, 0), (-3, -2), (-5, -2), (-7, -4)]
)
def test_half_even_takes_negative_numerators(numerator: int, expected: int) -> None:
    """
    A rounding difference may be negative; its half goes to the even side as well.
    """
    assert expected == divide_half_even(numerator, 2)
