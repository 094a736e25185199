"""
Tell how far the demo is: live bars at a terminal, plain lines elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from types import TracebackType
from typing import Final, Self

from babel.dates import format_date
from babel.numbers import format_decimal
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from till.simulation.plan import Visit
from till.simulation.tally import Tally

LOCALE: Final = "en"
_LINE_EVERY_S: Final = 10.0


class Reporter:
    """
    Show steps, then the replay's days, then questions to the gateway.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._started_s = time.monotonic()
        self._line_due_s = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """
        Print a line with the time since the start.
        """
        elapsed_s = time.monotonic() - self._started_s
        self._bars.console.print(
            f"{elapsed_s:6.1f} s  {text}", highlight=False, markup=False
        )

    def counting(self, what: str, total: int) -> Callable[[], None]:
        """
        Show a bar; give the function that moves it by one.
        """
        task = self._bars.add_task(what, total=total, note="")
        left = total

        def advance() -> None:
            nonlocal left
            left -= 1
            self._bars.advance(task)
            if not left:
                self._bars.remove_task(task)

        return advance

    def replaying(self, total: int, tally: Tally) -> Callable[[Visit], None]:
        """
        Show the day, the purchases and the answers so far; give what is told of each.
        """
        task = self._bars.add_task("", total=total, note="")
        began_s = time.monotonic()
        self._line_due_s = began_s + _LINE_EVERY_S

        def served(visit: Visit) -> None:
            now_s = time.monotonic()
            self._show(task, visit.at.date(), tally, now_s - began_s)
            if not self._console.is_terminal and now_s >= self._line_due_s:
                self._line_due_s = now_s + _LINE_EVERY_S
                self.say(
                    f"{_day(visit.at.date())}: {_count(tally.visits)} of "
                    f"{_count(total)} purchases"
                )
            if tally.visits == total:
                self._bars.remove_task(task)

        return served

    def _show(self, task: TaskID, day: date, tally: Tally, elapsed_s: float) -> None:
        # Rates of display, not of money: a float does no harm.
        per_second = int(tally.operations / elapsed_s) if elapsed_s else 0
        self._bars.update(
            task,
            advance=1,
            description=_day(day),
            note=(
                f"{_count(tally.operations)} answers, {_count(per_second)}/s, "
                f"{_count(tally.replays)} replays"
            ),
        )


def _day(day: date) -> str:
    return format_date(day, "EEE d MMM y", locale=LOCALE)


def _count(number: int) -> str:
    return format_decimal(number, locale=LOCALE)
