"""
What a command prints: tables, JSON, progress, sentences.

Results go to standard output, everything about them to standard error, so that a
command can be piped. Text is never read as markup: a store may be called "[/]".
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

# A table in a pipe is for a program or a pager: nothing in it may be cut.
_WIDTH_OF_A_PIPE: Final = 10_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    One column of a listing: its title, the row's key, how a person sees the value.
    """

    title: str
    key: str
    show: Callable[[Any], str] = str
    is_figure: bool = False


def say(text: str) -> None:
    """
    Tell the person what was done.
    """
    _errors().print(Text(text), soft_wrap=True)


def warn(text: str) -> None:
    """
    Tell the person what to look at although it was done.
    """
    _errors().print(Text(text, style="yellow"), soft_wrap=True)


def complain(text: str, lines: Sequence[str] = ()) -> None:
    """
    Tell the person why it was not done.
    """
    console = _errors()
    console.print(Text("scrip: ", style="bold red") + Text(text), soft_wrap=True)
    for line in lines:
        console.print(Text(f"  {line}"), soft_wrap=True)


def answer(text: str) -> None:
    """
    Print a result.
    """
    _results().print(Text(text), soft_wrap=True)


def show_rows(rows: Sequence[Row], columns: Sequence[Column], *, as_json: bool) -> None:
    """
    Print rows as a table for people, or all they hold as JSON for a program.
    """
    if as_json:
        _results().print(
            Text(json.dumps(list(rows), default=_plain, ensure_ascii=False, indent=2)),
            soft_wrap=True,
        )
        return
    if not rows:
        say("none")
        return
    console = _results()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_figure else "left",
            no_wrap=not console.is_terminal,
        )
    for row in rows:
        table.add_row(
            *(
                Text("" if row[column.key] is None else column.show(row[column.key]))
                for column in columns
            )
        )
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_PIPE
    console.print(table)


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """
    Show how far long work is; give the function that is told of each step.
    """
    display = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_errors(),
        transient=True,
    )
    with display:
        task = display.add_task(description, total=total)
        yield lambda count: display.advance(task, count)


def _results() -> Console:
    return Console(highlight=False)


def _errors() -> Console:
    return Console(stderr=True, highlight=False)


def _plain(value: object) -> object:
    """
    Give the JSON form of a value that JSON does not know.
    """
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)
