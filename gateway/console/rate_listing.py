"""
`scrip rates list` and `scrip rates tables`.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import typer

from currency import Currency, RateBook, UsdRate
from gateway.books.admin_rates import clock, currency_rules, rate_tables, rates_of
from gateway.console.fields import read_currency, read_moment
from gateway.console.options import AsJson
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.console.wording import Wording, write_duration

MAX_TABLES: Final = 1_000


def list_rates(
    context: typer.Context,
    *,
    currency: Annotated[
        list[Currency] | None,
        typer.Option(
            parser=read_currency,
            metavar="CODE",
            help="Only these; may stand several times.",
        ),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=read_moment, metavar="TIME", help="In force then; else now."
        ),
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="All rows, past and future.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    List the rates in force, by the gateway's clock.
    """
    session = session_of(context)
    codes = [item.code for item in currency] if currency else None
    with session.books() as books:
        table = rates_of(books, codes)
        rules = currency_rules(books)
        moment = at or clock(books).now
    shown: list[UsdRate] = list(table)
    if not all_rows:
        book = RateBook.of(table)
        found = [
            book.rate_at(code, moment)
            for code in sorted({rate.currency_code for rate in table})
        ]
        shown = [rate for rate in found if rate is not None]
    rows = [
        {
            "currency": rate.currency_code,
            "usd_per_unit": rate.usd_per_unit,
            "effective_from": rate.effective_from,
            "as_of": rate.as_of,
            "max_age_s": rules.get(rate.currency_code),
            "version": rate.version,
            "source": rate.source,
        }
        for rate in shown
    ]
    show_rows(rows, _rate_columns(session.wording), as_json=as_json)
    coming = sum(rate.effective_from > moment for rate in table)
    if coming and not all_rows and not as_json:
        say(f"{session.wording.count(coming)} more come into force later: --all")


def list_tables(context: typer.Context, *, as_json: AsJson = False) -> None:
    """
    List the imports, newest first: who loaded them and who approved.
    """
    session = session_of(context)
    with session.books() as books:
        rows = rate_tables(books, limit=MAX_TABLES)
    columns = (
        Column(title="Version", key="version", is_figure=True),
        Column(title="Rates", key="rates", is_figure=True),
        Column(title="Loaded", key="loaded_at", show=session.wording.moment),
        Column(title="By", key="loaded_by"),
        Column(title="Approved by", key="approved_by"),
        Column(title="Source", key="source"),
    )
    show_rows(rows, columns, as_json=as_json)


def _rate_columns(wording: Wording) -> tuple[Column, ...]:
    def length(value: Any) -> str:  # noqa: ANN401 -- a cell's value
        return write_duration(value) if isinstance(value, timedelta) else ""

    return (
        Column(title="Currency", key="currency"),
        Column(
            title="USD per unit", key="usd_per_unit", show=wording.rate, is_figure=True
        ),
        Column(title="In force from", key="effective_from", show=wording.moment),
        Column(title="As of", key="as_of", show=wording.moment),
        Column(title="Holds", key="max_age_s", show=length),
        Column(title="Version", key="version", is_figure=True),
        Column(title="Source", key="source"),
    )
