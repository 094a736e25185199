import random
import secrets
from inspect import signature

import pytest

from gateway.vault.card_batch import generate_card_numbers
from gateway.vault.errors import CardBatchError


@pytest.mark.parametrize(
    ("prefix", "length"), [("", 12), ("63", 16), ("639812", 19), ("0", 13)]
)
def test_numbers_are_valid_distinct_and_of_the_prefix(prefix: str, length: int) -> None:
    """
    Each number has the prefix, the length and a check digit, and none comes twice.
    """
    numbers = generate_card_numbers(prefix, count=200, length=length)

    assert len(set(numbers)) == 200
    assert all(number.luhn_valid for number in numbers)
    assert {len(number.digits) for number in numbers} == {length}
    assert all(number.digits.startswith(prefix) for number in numbers)


def test_the_default_source_is_the_system_one() -> None:
    """
    Without another source numbers come from the operating system's randomness.
    """
    randbelow = signature(generate_card_numbers).parameters["randbelow"].default

    assert randbelow is secrets.randbelow


def test_the_body_is_the_drawn_number_and_nothing_else() -> None:
    """
    There is no serial part: the digits between prefix and check digit are the draw.
    """
    draws = [7, 123456789012, 0]
    source = iter(draws)

    numbers = generate_card_numbers(
        "639812", count=3, randbelow=lambda ceiling: next(source) % ceiling
    )

    assert draws == [int(number.digits[6:-1]) for number in numbers]


def test_a_repeated_draw_is_drawn_again() -> None:
    """
    A collision inside the batch costs one more draw, not a shorter batch.
    """
    source = iter([5, 5, 6])

    numbers = generate_card_numbers("6398", count=2, randbelow=lambda _: next(source))

    assert len(set(numbers)) == 2


def test_a_broken_source_ends_in_an_error() -> None:
    """
    A source that always gives the same number does not keep the search going.
    """
    with pytest.raises(CardBatchError, match="repeats itself"):
        generate_card_numbers("6398", count=2, randbelow=lambda _: 5)


def test_no_number_is_a_batch() -> None:
    """
    An empty batch draws nothing.
    """
    assert generate_card_numbers("6398", count=0) == []


@pytest.mark.parametrize(
    ("prefix", "count", "length", "message"),
    [
        ("63x8", 1, 19, "prefix"),
        ("\u0666\u0663", 1, 19, "prefix"),
        ("6398", -1, 19, "count"),
        ("6398", 1_000_001, 19, "count"),
        ("6398", 1, 11, "length"),
        ("6398", 1, 20, "length"),
        ("639812345678901234", 1, 19, "0 random digits"),
        ("6398123456789012345678", 1, 19, "0 random digits"),
        ("639812", 1_000_000, 16, "9 random digits"),
        ("639812", 2, 12, "5 random digits"),
    ],
)
def test_a_batch_that_could_be_guessed_is_refused(
    prefix: str, count: int, length: int, message: str
) -> None:
    """
    Fewer than 100,000 numbers for each card would let a guesser find live ones.
    """
    with pytest.raises(CardBatchError, match=message):
        generate_card_numbers(prefix, count=count, length=length)


def test_the_same_source_gives_the_same_numbers() -> None:
    """
    All chance comes in through `randbelow`, so that a demo can be run again.
    """
    first, second = (
        generate_card_numbers("63", count=20, randbelow=random.Random(4).randrange)
        for _ in range(2)
    )

    assert first == second
