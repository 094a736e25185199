"""
Say in the end what the stories did, apart from the shoppers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from currency import Currency, Money
from till.demo.figures import count_text, money_text
from till.stories.record import MoneyMoved, Record
from till.stories.script import DOLLAR
from till.stories.steps import Story

# A figure and its result stay on one line.
_GLUE: Final = "\N{NO-BREAK SPACE}"
_FIGURES: Final = ("times", "in its money", "on the cards")


def story_tables(record: Record) -> Iterator[Table]:
    """
    Show what was asked in each story, the money it moved, and what it left to people.
    """
    if record.stories:
        yield _answers(record)
        yield _money(record)
    if any(story.exceptions for story in record.stories):
        yield _exceptions(record)


def stories_facts(record: Record) -> dict[str, Any]:
    """
    Give the same to programs; amounts in minor units.
    """
    return {story.name: _facts(record, story) for story in record.stories}


def _answers(record: Record) -> Table:
    table = _table("Stories beside the shoppers", "operation", "answers")
    for story in record.stories:
        table.add_row(Text(story.name, style="bold"), "", Text(story.title))
        for operation, counts in _nested(record, story).items():
            table.add_row(
                "",
                operation,
                ", ".join(
                    f"{count_text(count)}{_GLUE}{result}"
                    for result, count in counts.items()
                ),
            )
        table.add_section()
    return table


def _money(record: Record) -> Table:
    table = _table("Money of the stories", "what", figures=_FIGURES)
    for story in record.stories:
        name = story.name
        for (kind, _), moved in sorted(record.money(story).items(), key=_by_kind):
            table.add_row(
                name,
                kind,
                count_text(moved.count),
                money_text(moved.amount),
                money_text(moved.on_card),
            )
            name = ""
        table.add_section()
    return table


def _exceptions(record: Record) -> Table:
    table = _table("Exceptions that people must look at", "kind", figures=_FIGURES)
    worth, count = Money(0, DOLLAR), 0
    for story in record.stories:
        for each in story.exceptions:
            reason = "" if each.reason is None else f"\n{each.reason.name}"
            on_card = Money(each.cents, DOLLAR)
            worth, count = worth + on_card, count + 1
            table.add_row(
                story.name,
                f"{each.kind}{reason}",
                "1",
                money_text(each.amount),
                money_text(on_card),
            )
    table.add_section()
    table.add_row("all", "", count_text(count), "", money_text(worth))
    return table


def _table(title: str, *texts: str, figures: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("story")
    for text in texts:
        table.add_column(text)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _by_kind(item: tuple[tuple[str, Currency], MoneyMoved]) -> tuple[str, str]:
    (kind, currency), _ = item
    return kind, currency.code


def _nested(record: Record, story: Story) -> dict[str, dict[str, int]]:
    answers: dict[str, dict[str, int]] = {}
    for (operation, result), count in sorted(record.results(story).items()):
        answers.setdefault(operation, {})[result] = count
    return answers


def _facts(record: Record, story: Story) -> dict[str, Any]:
    money: dict[str, dict[str, dict[str, int]]] = {}
    for (kind, currency), moved in record.money(story).items():
        money.setdefault(kind, {})[currency.code] = {
            "count": moved.count,
            "minor_units": moved.amount.minor_units,
            "cents": moved.on_card.minor_units,
        }
    return {
        "answers": _nested(record, story),
        "money": money,
        "exceptions": [
            {
                "kind": each.kind,
                "reason": None if each.reason is None else each.reason.name,
                "currency": each.amount.currency.code,
                "minor_units": each.amount.minor_units,
                "cents": each.cents,
            }
            for each in story.exceptions
        ],
        "cards": {purse.holder: purse.ledger_cents for purse in story.purses},
    }
