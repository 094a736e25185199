import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from gateway.vault.card_batch import generate_card_numbers

PREFIX = "6398"
COUNT = 1_000_000
RANDOM_DIGITS = 14


@pytest.fixture(scope="module")
def bodies() -> Sequence[str]:
    """
    The random digits and check digit of a million numbers from a fixed seed.

    A seed, because a test of chance would otherwise fail by chance: what is judged
    is what the generator makes of an even source.
    """
    source = random.Random(20250101)
    numbers = generate_card_numbers(PREFIX, count=COUNT, randbelow=source.randrange)
    return [number.digits[len(PREFIX) :] for number in numbers]


def test_every_digit_is_evenly_spread(bodies: Sequence[str]) -> None:
    """
    Chi squared of each place, the check digit's too, is that of chance.

    With 9 degrees of freedom it is above 45 once in a million times.
    """
    text = "".join(bodies)
    places = [text[place :: RANDOM_DIGITS + 1] for place in range(RANDOM_DIGITS + 1)]
    expected = COUNT / 10
    chi_squared = [
        sum((place.count(digit) - expected) ** 2 / expected for digit in "0123456789")
        for place in places
    ]

    assert max(chi_squared) < 45


def test_a_number_says_nothing_about_the_next(bodies: Sequence[str]) -> None:
    """
    The correlation of neighbours is below four standard errors.
    """
    values = [int(body[:-1]) / 10**RANDOM_DIGITS - 0.5 for body in bodies]
    squares = sum(value * value for value in values)
    products = sum(a * b for a, b in pairwise(values))

    assert abs(products / squares) < 4 / COUNT**0.5


def test_no_two_numbers_are_closer_than_chance_predicts(bodies: Sequence[str]) -> None:
    """
    Of a million sorted gaps about 1,000 are below a thousandth of the mean gap.
    """
    values = sorted(int(body[:-1]) for body in bodies)
    close = 10**RANDOM_DIGITS // COUNT // 1_000
    close_pairs = sum(b - a < close for a, b in pairwise(values))

    assert 1_000 - 150 < close_pairs < 1_000 + 150
