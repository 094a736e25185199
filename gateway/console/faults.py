"""
What a command refuses, and the exit code that says so.

0 done · 1 could not be done, or a check failed · 2 the input is wrong.
"""

from collections.abc import Sequence
from typing import Final

import typer

EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2


class FieldError(typer.BadParameter):
    """
    Refuse a value; the message says what would be right.

    As an option it is reported under the option's name, in a CSV under line and field.
    """


class CommandRefusedError(Exception):
    """
    End a command with one sentence and, where a file was read, its faults.
    """

    exit_code: int = EXIT_FAILED

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.lines = tuple(lines)


class BadInputError(CommandRefusedError):
    """
    Refuse what was given; nothing was changed.
    """

    exit_code = EXIT_BAD_INPUT
