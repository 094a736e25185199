"""
Say in the end what the stories did, apart from the shoppers.
"""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from currency import Money
from till.demo.figures import count_text, money_text
from till.stories.record import Record
from till.stories.script import DOLLAR
from till.stories.steps import Story


def stories_table(record: Record) -> Table:
    """
    Show each story: its answers by result, and the money it moved.
    """
    table = Table(
        title="Stories beside the shoppers", title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("story")
    table.add_column("what happened", no_wrap=True)
    for figure in ("answers", "in its money", "on the cards"):
        table.add_column(figure, justify="right", no_wrap=True)
    for story in record.stories:
        _add_story(table, record, story)
    return table


def stories_facts(record: Record) -> dict[str, Any]:
    """
    Give the same to programs; amounts in minor units.
    """
    return {story.name: _facts(record, story) for story in record.stories}


def _add_story(table: Table, record: Record, story: Story) -> None:
    table.add_row(story.name, Text(story.title, style="bold"))
    for (operation, result), count in sorted(record.results(story).items()):
        table.add_row("", f"{operation} {result}", count_text(count))
    for (kind, _), moved in sorted(
        record.money(story).items(), key=lambda each: (each[0][0], each[0][1].code)
    ):
        table.add_row(
            "",
            Text(kind, style="dim"),
            "",
            money_text(moved.amount),
            money_text(moved.on_card),
        )
    for expected in story.exceptions:
        reason = "" if expected.reason is None else f", {expected.reason.name}"
        table.add_row(
            "",
            Text(f"exception {expected.kind}{reason}", style="yellow"),
            "",
            money_text(expected.amount),
            money_text(Money(expected.cents, DOLLAR)),
        )
    table.add_section()


def _facts(record: Record, story: Story) -> dict[str, Any]:
    answers: dict[str, dict[str, int]] = {}
    for (operation, result), count in sorted(record.results(story).items()):
        answers.setdefault(operation, {})[result] = count
    money: dict[str, dict[str, dict[str, int]]] = {}
    for (kind, currency), moved in record.money(story).items():
        money.setdefault(kind, {})[currency.code] = {
            "count": moved.count,
            "minor_units": moved.amount.minor_units,
            "cents": moved.on_card.minor_units,
        }
    return {
        "answers": answers,
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
