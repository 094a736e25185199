"""
Hold a card's number without ever showing it.
"""

from __future__ import annotations

from typing import Final, final

MAX_DIGITS: Final = 32


class CardNumberError(ValueError):
    """
    Say that a text is no card number; the text itself is not repeated.
    """


@final
class CardNumber:
    """
    Be a card's number. Its repr and its text show the last four digits only.

    Only the form is checked: whether there is such a card the gateway knows.
    """

    __slots__ = ("_digits",)

    def __init__(self, text: str) -> None:
        """
        Take digits; blanks and hyphens, as printed on cards, are left out.
        """
        digits = text.strip().replace(" ", "").replace("-", "")
        if not (digits.isascii() and digits.isdigit()):
            raise CardNumberError("a card number is digits only")
        if len(digits) > MAX_DIGITS:
            raise CardNumberError(f"a card number has at most {MAX_DIGITS} digits")
        self._digits = digits

    @property
    def digits(self) -> str:
        """
        Give the number itself, for the request and nothing else.
        """
        return self._digits

    @property
    def last_four(self) -> str:
        """
        Give what may be shown.
        """
        return self._digits[-4:]

    def __repr__(self) -> str:
        return f"CardNumber(...{self.last_four})"

    def __str__(self) -> str:
        return f"...{self.last_four}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CardNumber):
            return NotImplemented
        return self._digits == other._digits

    def __hash__(self) -> int:
        return hash(self._digits)
