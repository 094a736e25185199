"""
Compute the check digit that catches a mistyped card number.
"""

from typing import Final

_ASCII_DIGITS: Final = b"0123456789"
_PLAIN: Final = bytes.maketrans(_ASCII_DIGITS, bytes(range(10)))
# A doubled digit counts as the sum of its two digits: 6 -> 12 -> 1 + 2.
_DOUBLED: Final = bytes.maketrans(
    _ASCII_DIGITS, bytes(sum(divmod(2 * digit, 10)) for digit in range(10))
)


def luhn_check_digit(body: str) -> str:
    """
    Give the digit to append to a text of ASCII digits.
    """
    digits = body.encode("ascii")
    total = sum(digits[-1::-2].translate(_DOUBLED))
    total += sum(digits[-2::-2].translate(_PLAIN))
    return str(-total % 10)


def is_luhn_valid(digits: str) -> bool:
    """
    Tell whether the last of a text of ASCII digits is its check digit.
    """
    return len(digits) > 1 and luhn_check_digit(digits[:-1]) == digits[-1]
