"""
Name what can be wrong with money, currencies and rates.

Each error says what was given, why it is refused and what to do instead, because
most of them are read by a person at a command line or in a till's log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_SHOWN_CHARACTERS = 40


def shown(text: str) -> str:
    """
    Quote foreign text for a message, with a bound.

    What is refused may be a megabyte or hold control characters; neither may reach
    a terminal or a log line.
    """
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return repr(text)
    return f"{text[:MAX_SHOWN_CHARACTERS]!r}... ({len(text)} characters)"


class CurrencyError(ValueError):
    """
    Stand for everything this package refuses.

    It is a ValueError, so that a caller who only wants "bad value" need not know us.
    """


class UnknownCurrencyError(CurrencyError):
    """
    Say that a code names no currency that money can be counted in.

    Either ISO 4217 does not list it, or it has no minor unit (XAU, XXX).
    """

    def __init__(self, code: str) -> None:
        """
        Keep the code, so that a caller can name the field it came from.
        """
        self.code = code
        super().__init__(
            f"{shown(code)} is not a currency of ISO 4217 with a minor unit: "
            "write its three capital letters, for example KWD"
        )

    def __reduce__(self) -> tuple[type[UnknownCurrencyError], tuple[str]]:
        """
        Rebuild from the code, not from the message that Exception would pass.
        """
        return (UnknownCurrencyError, (self.code,))


class CurrencyMismatchError(CurrencyError):
    """
    Say that two currencies met where only one may be.
    """


class MoneyFormatError(CurrencyError):
    """
    Say that a text is no exact amount in its currency.
    """


class RateFormatError(CurrencyError):
    """
    Say that a value is no rate that NUMERIC(20,12) holds exactly.
    """


class RateConflictError(CurrencyError):
    """
    Say that two rates claim the same place in a table.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RateProblem:
    """
    Point at one fault of a file of rates: where, and what to do.

    Lines count from 1; line 0 means the file as a whole.
    """

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        """
        Give one line for a terminal.
        """
        place = f"line {self.line}, {self.field}" if self.line else self.field
        return f"{place}: {self.message}"


class RateImportError(CurrencyError):
    """
    Refuse a file of rates as a whole, with every fault that was found.

    Half a table is worse than none, so one fault imports nothing.
    """

    def __init__(self, problems: Sequence[RateProblem], *, more: bool = False) -> None:
        """
        Keep the problems; `more` says that the reader stopped at its bound.
        """
        self.problems = tuple(problems)
        self.more = more
        lines = ["nothing was imported", *map(str, self.problems)]
        if more:
            lines.append("there are more problems; repair these and import again")
        super().__init__("\n".join(lines))

    @classmethod
    def of_file(cls, message: str) -> RateImportError:
        """
        Refuse the file for one reason that has no line.
        """
        return cls([RateProblem(line=0, field="file", message=message)])
