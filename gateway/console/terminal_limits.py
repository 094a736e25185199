"""
`scrip limit terminal`: how much and how often one terminal loads and sells in a day.
"""

from typing import Annotated, Any, Final

import typer

from currency import Currency
from gateway.books.admin_devices import known_terminals
from gateway.books.admin_limits import (
    NewLimits,
    count_terminal,
    insert_terminal_version,
    terminal_limits,
)
from gateway.console.faults import BadInputError
from gateway.console.fields import read_currency
from gateway.console.limit_terms import (
    Given,
    LoadCount,
    LoadDay,
    SpendCount,
    SpendDay,
    limits_text,
)
from gateway.console.options import (
    AsJson,
    MerchantOption,
    StoreOption,
    TerminalArgument,
)
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.console.wording import Wording

_COLUMNS: Final = (
    Column(title="Merchant", key="merchant"),
    Column(title="Store", key="store"),
    Column(title="Terminal", key="terminal"),
    Column(title="Version", key="version", is_figure=True),
    Column(title="Loads", key="loads_text"),
    Column(title="Sales", key="sales_text"),
    Column(title="Day", key="day"),
    Column(title="Loaded", key="loaded", is_figure=True),
    Column(title="Sold", key="sold", is_figure=True),
)


def limit_one_terminal(
    context: typer.Context,
    name: TerminalArgument,
    *,
    currency: Annotated[
        Currency | None,
        typer.Option(
            parser=read_currency,
            metavar="USD",
            help="What its amounts are in: named with its first limits, and kept.",
        ),
    ] = None,
    load_day: LoadDay = None,
    load_count: LoadCount = None,
    spend_day: SpendDay = None,
    spend_count: SpendCount = None,
    lift: Annotated[
        bool, typer.Option("--lift", help="Take its limits away; what it does counts.")
    ] = False,
) -> None:
    """
    Limit what a terminal does in a business day of its store: what is named, no more.

    It is in force with the next request, and counts from the first limits on.
    """
    given = Given(
        load_day=load_day,
        load_count=load_count,
        spend_day=spend_day,
        spend_count=spend_count,
    )
    if lift and any(given):
        raise BadInputError("--lift: name no limit with it")
    with session_of(context).change() as books:
        if not known_terminals(books, [name]):
            raise BadInputError(
                f"MERCHANT/STORE/TERMINAL: there is no terminal {'/'.join(name)}: "
                "see `scrip terminal list`"
            )
        rows = terminal_limits(books, **name._asdict())
        if not rows and (currency is None or lift):
            raise BadInputError(
                "--currency: name it with the terminal's first limits, as USD"
            )
        if not rows and currency is not None:
            count_terminal(books, name, currency.code)
            rows = terminal_limits(books, **name._asdict())
        own = Currency.of(rows[0]["currency"])
        if currency not in {None, own}:
            raise BadInputError(
                f"--currency: the terminal's limits are in {own.code}, and stay so"
            )
        limits = NewLimits() if lift else given.read(own)
        version = insert_terminal_version(books, rows[0]["terminal_id"], limits)
    say(f"the limits of terminal {'/'.join(name)} are at version {version}")


def list_terminals(
    context: typer.Context,
    *,
    merchant: MerchantOption = None,
    store: StoreOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List the terminals that have limits, and what they did on their last day.
    """
    session = session_of(context)
    with session.books() as books:
        rows = terminal_limits(books, merchant=merchant, store=store)
    if as_json:
        show_rows(rows, (), as_json=True)
        return
    show_rows([_shown(row, session.wording) for row in rows], _COLUMNS, as_json=False)


def _shown(row: dict[str, Any], wording: Wording) -> dict[str, Any]:
    currency = Currency.of(row["currency"])
    return {
        **row,
        "loads_text": limits_text(row, "load", wording),
        "sales_text": limits_text(row, "spend", wording),
        "day": None if row["counted_on"] is None else wording.day(row["counted_on"]),
        "loaded": f"{wording.money(row['load_minor'], currency)} ({row['loads']})",
        "sold": f"{wording.money(row['spend_minor'], currency)} ({row['spends']})",
    }
