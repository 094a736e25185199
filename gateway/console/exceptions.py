"""
`scrip exceptions`: what the books cannot settle by themselves.
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import typer

from currency import Money, find_currency
from gateway.books.admin import READER_ROLE, Row
from gateway.books.admin_exceptions import (
    MOST_EXCEPTIONS,
    ExceptionFilter,
    exceptions,
)
from gateway.books.admin_parties import StoreName
from gateway.console.faults import BadInputError
from gateway.console.fields import read_moment
from gateway.console.options import AsJson, read_store_name
from gateway.console.screen import Column, show_rows, warn
from gateway.console.session import session_of
from gateway.console.wording import Wording
from gateway.domain.exceptions import ExceptionKind
from gateway.domain.results import ActivityType, Result

app = typer.Typer(no_args_is_help=True)

# As the JSON and the CSV name them, in this order.
_FIELDS: Final = (
    "kind",
    "opened_at",
    "closed_at",
    "merchant",
    "store",
    "terminal",
    "transaction_id",
    "request_id",
    "activity",
    "reason",
    "amount",
    "currency",
    "requested",
    "approved",
    "card_last_four",
    "host_time",
    "local_time",
    "merchant_reference",
    "cashier_id",
)
# A spreadsheet would run what begins so.
_RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r")


@app.callback()
def of_the_books() -> None:
    """
    See what people must look at.
    """


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    store: Annotated[
        StoreName | None,
        typer.Option(
            parser=read_store_name,
            metavar="MERCHANT/STORE",
            help="Only this store's, as nile-retail/cairo-1.",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=read_moment, metavar="TIME", help="Only those opened since."
        ),
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Also those that are over.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    List open exceptions, the newest first.

    ADVICE_NOT_PAID: what a card did not pay of a sale made offline. LOAD_NOT_REVERSED:
    a load that its till took back, but whose money was spent. UNCONFIRMED: what a
    terminal of two messages neither confirmed nor reversed for 24 hours.
    """
    if as_csv and as_json:
        raise BadInputError("--csv: it is either this or --json")
    session = session_of(context)
    wanted = ExceptionFilter(
        merchant=store.merchant if store else None,
        store=store.store if store else None,
        since=since,
        closed=all_rows,
    )
    with session.books(READER_ROLE) as books:
        rows = exceptions(books, wanted)
    if len(rows) > MOST_EXCEPTIONS:
        rows = rows[:MOST_EXCEPTIONS]
        warn(f"only the newest {MOST_EXCEPTIONS}: name a store, or a time by --since")
    if as_csv:
        typer.echo(_csv(map(_named, rows)), nl=False)
    else:
        shown = rows if as_json else [_shown(row, session.wording) for row in rows]
        show_rows(
            list(map(_named, rows)) if as_json else shown,
            _columns(session.wording),
            as_json=as_json,
        )


def _named(row: Row) -> dict[str, Any]:
    """
    Give an exception for a program.
    """
    named = {
        **row,
        "kind": ExceptionKind(row["kind"]).name,
        "activity": ActivityType(row["activity"]).name,
        "reason": None if row["reason"] is None else Result(row["reason"]).name,
        "amount": _amount(row, "amount_minor"),
        "requested": _amount(row, "requested_minor"),
        "approved": _amount(row, "approved_minor"),
    }
    return {field: named[field] for field in _FIELDS}


def _amount(row: Row, name: str) -> str | None:
    """
    Write an amount with the currency's digits, or with the till's own.
    """
    code, minor = row["currency"], row[name]
    if code is None or minor is None:
        return None
    currency = find_currency(code)
    if currency is not None:
        return Money(minor, currency).to_decimal_text()
    return f"{Decimal(minor).scaleb(-(row['requested_exponent'] or 0)):f}"


def _shown(row: Row, wording: Wording) -> dict[str, Any]:
    """
    Give an exception for a person.
    """
    currency = find_currency(row["currency"] or "")
    text = _amount(row, "amount_minor")
    if currency is not None:
        text = wording.money(row["amount_minor"], currency)
    elif text is not None:
        text = f"{row['currency']} {text}"
    return {
        **_named(row),
        "place": "/".join((row["merchant"], row["store"], row["terminal"])),
        "money": text,
        "state": "open" if row["closed_at"] is None else "over",
    }


def _columns(wording: Wording) -> tuple[Column, ...]:
    return (
        Column(title="Opened", key="opened_at", show=wording.moment),
        Column(title="Kind", key="kind"),
        Column(title="Terminal", key="place"),
        Column(title="Amount", key="money", is_figure=True),
        Column(title="Reason", key="reason"),
        Column(title="Card", key="card_last_four"),
        Column(title="Reference", key="merchant_reference"),
        Column(title="State", key="state"),
        Column(title="Transaction", key="transaction_id"),
    )


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    """
    Write CSV as RFC 4180 has it; nothing in it is run by a spreadsheet.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_FIELDS)
    for row in rows:
        writer.writerow([_cell(row[field]) for field in _FIELDS])
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(_RUN_BY_SPREADSHEETS) else text


APPS: Final = {"exceptions": app}
