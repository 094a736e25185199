"""
Collect the faults of a file up to a bound.
"""

from __future__ import annotations

from typing import Final

from currency.errors import RateImportError, RateProblem

MAX_PROBLEMS: Final = 50


class ProblemLog:
    """
    Gather every fault, so that one look at the file repairs them all.

    A file of another kind has a fault in every line: after the bound it is full.
    """

    def __init__(self) -> None:
        """
        Start with none.
        """
        self._problems: list[RateProblem] = []
        self._more = False

    @property
    def full(self) -> bool:
        """
        Say whether a fault came that no longer fits: reading on is of no use.
        """
        return self._more

    def add(self, line: int, field: str, message: str) -> None:
        """
        Keep one fault, or only that there are more.
        """
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(RateProblem(line=line, field=field, message=message))
        else:
            self._more = True

    def raise_if_any(self) -> None:
        """
        Refuse the file when it has a fault.
        """
        if self._problems:
            raise RateImportError(self._problems, more=self._more)
