"""
Say in the end what happened, for people and for programs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from babel.numbers import format_decimal
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from currency import Currency, Money
from till.demo.audit import AuditResult
from till.demo.figures import LOCALE, count_text, money_text
from till.demo.story_summary import stories_facts, story_tables
from till.simulation.places import COUNTRIES, Country
from till.simulation.tally import Tally
from till.stories.record import Record

SHOWN_DIFFERENCES: Final = 20
PERCENTILES: Final = (50, 90, 99, 100)

_DOLLAR: Final = Currency.of("USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    Be all that a demo found out.
    """

    tally: Tally
    audit: AuditResult
    stories: Record
    replay_s: Decimal
    total_s: Decimal
    connections: int
    streams: int
    books_clean: bool
    books_text: str

    @property
    def good(self) -> bool:
        """
        Tell whether everything is as it should be.
        """
        return (
            self.books_clean
            and self.audit.equal
            and not self.tally.difference_count
            and not self.stories.difference_count
        )

    @property
    def per_second(self) -> int:
        """
        Give the answers in a second of the replay.
        """
        return int(self.tally.operations / self.replay_s) if self.replay_s else 0


@dataclass(frozen=True, slots=True)
class CountrySales:
    """
    Be the sales of a country, in its money and on the cards.
    """

    country: Country
    sales: int
    local: Money
    dollars: Money


def sales_by_country(tally: Tally) -> list[CountrySales]:
    """
    Add up the approved sales, in minor units.
    """
    count: dict[str, int] = defaultdict(int)
    local: dict[str, int] = defaultdict(int)
    cents: dict[str, int] = defaultdict(int)
    for sale in tally.sales.values():
        code = sale.visit.store.country.code
        count[code] += 1
        local[code] += sale.visit.amount.minor_units
        cents[code] += sale.card_cents
    return [
        CountrySales(
            country,
            count[country.code],
            Money(local[country.code], country.currency),
            Money(cents[country.code], _DOLLAR),
        )
        for country in COUNTRIES
    ]


def show(outcome: Outcome, console: Console) -> None:
    """
    Print the summary.
    """
    for table in (
        _operations(outcome.tally),
        _troubles(outcome.tally),
        _rates(outcome.tally),
        _countries(outcome.tally),
        *story_tables(outcome.stories),
        _speed(outcome),
    ):
        console.print()
        console.print(table)
    console.print()
    _verdict(outcome, console)


def write_json(outcome: Outcome) -> str:
    """
    Write the summary for programs; amounts in minor units.
    """
    tally, audit = outcome.tally, outcome.audit
    return json.dumps(
        {
            "good": outcome.good,
            "books_clean": outcome.books_clean,
            "purchases": tally.visits,
            "source": {"sales": audit.source_sales, "cents": audit.source_cents},
            "recorded": {"sales": audit.recorded_sales, "cents": audit.recorded_cents},
            "empty_purchases_refused": tally.refused_empty,
            "balances_read": audit.balances_read,
            "differences": [
                *tally.differences,
                *audit.differences,
                *outcome.stories.differences,
            ],
            "answers": _nested(tally.answers),
            "without_answer": _nested(tally.failures),
            "replays": tally.replays,
            "operations": tally.operations,
            "operations_per_second": outcome.per_second,
            "replay_s": str(outcome.replay_s),
            "total_s": str(outcome.total_s),
            "latency_ms": {str(p): str(tally.latency_ms(p)) for p in PERCENTILES},
            "sales_by_country": {
                each.country.code: {
                    "sales": each.sales,
                    "currency": each.local.currency.code,
                    "minor_units": each.local.minor_units,
                    "cents": each.dollars.minor_units,
                }
                for each in sales_by_country(tally)
            },
            "stories": stories_facts(outcome.stories),
        },
        indent=2,
    )


def _operations(tally: Tally) -> Table:
    table = _table("Operations by result", "operation", "result", figures=["answers"])
    for (operation, result), count in sorted(tally.answers.items()):
        table.add_row(operation, result, count_text(count))
    for (operation, what), count in sorted(tally.failures.items()):
        table.add_row(operation, Text(f"({what})", style="dim"), count_text(count))
    table.add_section()
    table.add_row("all", "answers", count_text(tally.operations))
    table.add_row("", "of them replays", count_text(tally.replays))
    return table


def _troubles(tally: Tally) -> Table:
    table = _table("What happened to the requests", "trouble", figures=["requests"])
    for trouble, count in tally.troubles.most_common():
        table.add_row(trouble, count_text(count))
    return table


def _rates(tally: Tally) -> Table:
    table = _table(
        "Rates used, USD for one unit",
        "currency",
        figures=["lowest", "highest", "sales"],
    )
    for code, seen in sorted(tally.rates.items()):
        table.add_row(
            code, _rate(seen.lowest), _rate(seen.highest), count_text(seen.sales)
        )
    return table


def _countries(tally: Tally) -> Table:
    table = _table(
        "Approved sales by country",
        "country",
        figures=["stores", "sales", "in its money", "on the cards"],
    )
    found = sales_by_country(tally)
    for each in found:
        table.add_row(
            each.country.name,
            count_text(each.country.stores),
            count_text(each.sales),
            money_text(each.local),
            money_text(each.dollars),
        )
    table.add_section()
    table.add_row(
        "all",
        count_text(sum(each.country.stores for each in found)),
        count_text(sum(each.sales for each in found)),
        "",
        money_text(sum((each.dollars for each in found), start=Money(0, _DOLLAR))),
    )
    return table


def _speed(outcome: Outcome) -> Table:
    tally = outcome.tally
    table = _table("Speed", "", figures=[""])
    table.show_header = False
    seconds = format_decimal(outcome.replay_s, format="0.0", locale=LOCALE)
    table.add_row("replay", f"{seconds} s")
    table.add_row("answers in a second", count_text(outcome.per_second))
    for percent in PERCENTILES:
        name = "slowest answer" if percent == 100 else f"p{percent}"  # noqa: PLR2004 -- all of them
        table.add_row(name, f"{tally.latency_ms(percent).quantize(Decimal('0.1'))} ms")
    table.add_row("tills and gateway", "on one machine")
    table.add_row("connections", count_text(outcome.connections))
    table.add_row("of them streams", count_text(outcome.streams))
    return table


def _verdict(outcome: Outcome, console: Console) -> None:
    audit = outcome.audit
    _line(console, outcome.books_clean, "books check", outcome.books_text)
    source = Money(audit.source_cents, _DOLLAR)
    recorded = Money(audit.recorded_cents, _DOLLAR)
    _line(
        console,
        audit.equal,
        "approved sales against the source",
        f"{count_text(audit.recorded_sales)} sales of {money_text(recorded)} recorded, "
        f"{count_text(audit.source_sales)} of {money_text(source)} in the source",
    )
    _line(
        console,
        not outcome.tally.difference_count,
        "everything as planned",
        f"{count_text(outcome.tally.visits)} purchases, "
        f"{outcome.tally.refused_empty} of 0.00 declined with 13, "
        f"{audit.balances_read} balances read",
    )
    told = outcome.stories
    _line(
        console,
        not told.difference_count,
        "the stories as told",
        f"{len(told.stories)} stories, {count_text(len(told.played))} answers as "
        "expected, recorded so, and each card with what was counted for it",
    )
    differences = [
        *outcome.tally.differences,
        *audit.differences,
        *told.differences,
    ]
    for difference in differences[:SHOWN_DIFFERENCES]:
        console.print(Text(f"  {difference}", style="red"))
    more = len(differences) - SHOWN_DIFFERENCES
    if more > 0:
        console.print(Text(f"  and {count_text(more)} more", style="red"))


def _line(console: Console, good: object, what: str, text: str) -> None:
    mark = Text("ok    ", style="green") if good else Text("FAILED", style="bold red")
    console.print(mark, Text(f"{what}: {text}"), soft_wrap=True)


def _table(title: str, *texts: str, figures: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for text in texts:
        table.add_column(text)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _nested(counts: dict[tuple[str, str], int]) -> dict[str, Any]:
    nested: dict[str, dict[str, int]] = {}
    for (operation, result), count in sorted(counts.items()):
        nested.setdefault(operation, {})[result] = count
    return nested


def _rate(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
