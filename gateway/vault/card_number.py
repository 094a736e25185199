"""
Carry a card number through the program without letting it out by accident.
"""

from typing import Final, NoReturn, Self

from gateway.vault.errors import CardNumberError, CardNumberProblem
from gateway.vault.luhn import is_luhn_valid

CARD_NUMBER_MIN_DIGITS: Final = 12
CARD_NUMBER_MAX_DIGITS: Final = 19

_READ_MAX_DIGITS: Final = 32
_LAST_DIGITS: Final = 4
_MASK: Final = "••••"


class CardNumber:
    """
    Hold the digits of one card, shown only through `digits`.

    Whatever prints, formats or logs it gets the mask; pickle refuses it. It is no
    dataclass, because printers and serializers look into the fields of those.
    """

    __slots__ = ("_digits",)

    _digits: str

    def __new__(cls, digits: str) -> Self:
        """
        Take a number as it may be issued: 12 to 19 digits, the last a check digit.

        Raises CardNumberError.
        """
        problem = _problem_when_read(digits) or _problem_when_issued(digits)
        if problem is not None:
            # A traceback may print the variables of its frames.
            del digits
            raise CardNumberError(problem)
        return cls._holding(digits)

    @classmethod
    def read(cls, text: str) -> Self:
        """
        Take a number as a till may send it: 1 to 32 digits, whatever they are.

        One of a length or check digit that we never issue is an unknown card, which
        is recorded as a decline; only what is no number at all is refused here.
        Raises CardNumberError.
        """
        problem = _problem_when_read(text)
        if problem is not None:
            # A traceback may print the variables of its frames.
            del text
            raise CardNumberError(problem)
        return cls._holding(text)

    @classmethod
    def _holding(cls, digits: str) -> Self:
        number = object.__new__(cls)
        object.__setattr__(number, "_digits", digits)
        return number

    @property
    def digits(self) -> str:
        """
        Give the full number: only to hash it, encrypt it or hand it to its owner.
        """
        return self._digits

    @property
    def last_four(self) -> str:
        """
        Give the last four digits, empty for a number too short to hide the rest.
        """
        if len(self._digits) < CARD_NUMBER_MIN_DIGITS:
            return ""
        return self._digits[-_LAST_DIGITS:]

    @property
    def luhn_valid(self) -> bool:
        """
        Tell whether the last digit is the check digit of the others.
        """
        return is_luhn_valid(self._digits)

    def __eq__(self, other: object) -> bool:
        """
        Compare by digits.
        """
        if isinstance(other, CardNumber):
            return self._digits == other._digits
        return NotImplemented

    def __hash__(self) -> int:
        """
        Hash by digits (Python's hash of a text is keyed anew in each process).
        """
        return hash(self._digits)

    def __str__(self) -> str:
        """
        Show the mask and the last four digits.
        """
        return f"{_MASK}{self.last_four}"

    def __repr__(self) -> str:
        """
        Show the mask and the last four digits.
        """
        return f"CardNumber({self})"

    def __format__(self, format_spec: str) -> str:
        """
        Format the mask; no format shows the digits.
        """
        return format(str(self), format_spec)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """
        Refuse: a card number does not change.
        """
        del value
        raise AttributeError(f"CardNumber.{name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        """
        Refuse: a card number does not change.
        """
        raise AttributeError(f"CardNumber.{name} cannot be deleted")

    def __copy__(self) -> Self:
        """
        Give itself, as any immutable value does.
        """
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """
        Give itself, as any immutable value does.
        """
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """
        Refuse: a pickle holds the digits in clear.
        """
        raise TypeError("CardNumber is not pickled; send its ciphertext")


def _problem_when_read(text: object) -> CardNumberProblem | None:
    if not isinstance(text, str):
        return CardNumberProblem.NOT_TEXT
    if not text:
        return CardNumberProblem.EMPTY
    if not (text.isascii() and text.isdigit()):
        return CardNumberProblem.NOT_DIGITS
    if len(text) > _READ_MAX_DIGITS:
        return CardNumberProblem.TOO_LONG
    return None


def _problem_when_issued(digits: str) -> CardNumberProblem | None:
    if not CARD_NUMBER_MIN_DIGITS <= len(digits) <= CARD_NUMBER_MAX_DIGITS:
        return CardNumberProblem.WRONG_LENGTH
    if not is_luhn_valid(digits):
        return CardNumberProblem.CHECK_DIGIT
    return None
