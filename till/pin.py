"""
Hold a card's PIN without ever showing it.
"""

from __future__ import annotations

from typing import Final, final

MIN_DIGITS: Final = 4
MAX_DIGITS: Final = 12


class PinError(ValueError):
    """
    Say that a text is no PIN; the text itself is not repeated.
    """


@final
class Pin:
    """
    Be a PIN that somebody entered. Its repr and its text show nothing of it.

    It goes with one request and is kept nowhere: a journal holds none.
    """

    __slots__ = ("_digits",)

    def __init__(self, text: str) -> None:
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit()) or not (
            MIN_DIGITS <= len(digits) <= MAX_DIGITS
        ):
            message = f"a PIN is {MIN_DIGITS} to {MAX_DIGITS} digits"
            # A traceback may print the variables of its frames.
            del text, digits
            raise PinError(message)
        self._digits = digits

    @property
    def digits(self) -> str:
        """
        Give the PIN itself, for the request and nothing else.
        """
        return self._digits

    def __repr__(self) -> str:
        return "Pin(...)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pin):
            return NotImplemented
        return self._digits == other._digits

    def __hash__(self) -> int:
        return hash(self._digits)
