"""
Make card numbers that nobody can guess from others.
"""

import secrets
from collections.abc import Callable
from typing import Final

from gateway.vault.card_number import (
    CARD_NUMBER_MAX_DIGITS,
    CARD_NUMBER_MIN_DIGITS,
    CardNumber,
)
from gateway.vault.errors import CardBatchError
from gateway.vault.luhn import luhn_check_digit

BATCH_MAX_NUMBERS: Final = 1_000_000
# A guesser must find at most one live card in this many numbers.
NUMBERS_PER_CARD_MIN: Final = 100_000

# With that density one number in 200,000 collides; a source that collides more
# than this is broken, and the search for distinct numbers ends.
_SPARE_DRAWS_FIXED: Final = 16
_DRAWS_PER_SPARE: Final = 1_000


def generate_card_numbers(
    prefix: str,
    *,
    count: int,
    length: int = CARD_NUMBER_MAX_DIGITS,
    randbelow: Callable[[int], int] = secrets.randbelow,
) -> list[CardNumber]:
    """
    Give distinct numbers: the prefix, random digits, a check digit.

    Nothing in them counts or depends on another number. They are distinct within
    the batch; against all other cards the unique index in the books decides.
    Raises CardBatchError, also when the length leaves fewer than 100,000 numbers
    for each card of the batch.
    """
    random_digits = length - len(prefix) - 1
    _check_arguments(
        prefix=prefix, count=count, length=length, random_digits=random_digits
    )
    ceiling = 10**random_digits
    numbers: dict[CardNumber, None] = {}
    for _ in range(count + count // _DRAWS_PER_SPARE + _SPARE_DRAWS_FIXED):
        if len(numbers) == count:
            break
        numbers[_card_number(f"{prefix}{randbelow(ceiling):0{random_digits}d}")] = None
    if len(numbers) < count:
        raise CardBatchError("the random source repeats itself far more than chance")
    return list(numbers)


def _card_number(body: str) -> CardNumber:
    return CardNumber(body + luhn_check_digit(body))


def _check_arguments(
    *, prefix: str, count: int, length: int, random_digits: int
) -> None:
    if prefix and not (prefix.isascii() and prefix.isdigit()):
        raise CardBatchError("the prefix holds something other than the digits 0 to 9")
    if not 0 <= count <= BATCH_MAX_NUMBERS:
        raise CardBatchError(f"the count is not from 0 to {BATCH_MAX_NUMBERS}")
    if not CARD_NUMBER_MIN_DIGITS <= length <= CARD_NUMBER_MAX_DIGITS:
        raise CardBatchError(
            f"the length is not from {CARD_NUMBER_MIN_DIGITS} "
            f"to {CARD_NUMBER_MAX_DIGITS} digits"
        )
    if random_digits < 1 or count * NUMBERS_PER_CARD_MIN > 10**random_digits:
        raise CardBatchError(
            f"the prefix leaves {max(random_digits, 0)} random digits: too few for "
            f"{count} cards at one card in {NUMBERS_PER_CARD_MIN} numbers"
        )
