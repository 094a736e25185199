"""
`scrip limit`: how much and how often cards are loaded and used.

A set belongs to a programme and is given to products, issue batches and cards; a
terminal has limits of its own. Both are changed whole, by a new version.
"""

from typing import Annotated, Any, Final

import typer

from currency import Currency
from gateway.books.admin import AdminConnection
from gateway.books.admin_limits import (
    LimitSetName,
    insert_limit_set,
    insert_set_version,
    limit_sets,
)
from gateway.books.admin_parties import known_programs
from gateway.console.faults import BadInputError
from gateway.console.fields import read_currency
from gateway.console.limit_giving import give_batch, give_card, give_product
from gateway.console.limit_terms import (
    Given,
    LoadAmount,
    LoadCount,
    LoadDay,
    LoadWindow,
    SpendAmount,
    SpendCount,
    SpendDay,
    SpendWindow,
    limits_text,
    read_limit_set_name,
)
from gateway.console.options import AsJson, ProgramOption
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.console.terminal_limits import limit_one_terminal, list_terminals
from gateway.console.wording import Wording

app = typer.Typer(
    no_args_is_help=True, help="Limits: how much and how often cards are used."
)

NameArgument = Annotated[
    LimitSetName,
    typer.Argument(
        parser=read_limit_set_name,
        metavar="PROGRAM/SET",
        help="The limit set, as gift/everyday.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    name: NameArgument,
    currency: Annotated[
        Currency,
        typer.Option(
            parser=read_currency,
            metavar="USD",
            help="What its amounts are in: the currency of the cards it is for.",
        ),
    ],
    *,
    load_amount: LoadAmount = None,
    load_day: LoadDay = None,
    load_count: LoadCount = None,
    load_window: LoadWindow = None,
    spend_amount: SpendAmount = None,
    spend_day: SpendDay = None,
    spend_count: SpendCount = None,
    spend_window: SpendWindow = None,
) -> None:
    """
    Create a limit set. It limits nothing until it is given to cards.
    """
    limits = Given(
        *(load_amount, load_day, load_count, load_window),
        *(spend_amount, spend_day, spend_count, spend_window),
    ).read(currency)
    with session_of(context).change() as books:
        if not known_programs(books, [name.program]):
            raise BadInputError(
                f"PROGRAM/SET: there is no programme {name.program}: "
                "see `scrip program list`"
            )
        if limit_sets(books, program=name.program, code=name.code):
            raise BadInputError(
                f"PROGRAM/SET: there is a set {'/'.join(name)}: change it by "
                "`scrip limit change`"
            )
        insert_limit_set(books, name, currency.code, limits)
    say(f"limit set {'/'.join(name)} created")


@app.command()
def change(
    context: typer.Context,
    name: NameArgument,
    *,
    load_amount: LoadAmount = None,
    load_day: LoadDay = None,
    load_count: LoadCount = None,
    load_window: LoadWindow = None,
    spend_amount: SpendAmount = None,
    spend_day: SpendDay = None,
    spend_count: SpendCount = None,
    spend_window: SpendWindow = None,
) -> None:
    """
    Change a limit set: from now on it is what is named here, and nothing else.

    It is in force with the next request.
    """
    given = Given(
        *(load_amount, load_day, load_count, load_window),
        *(spend_amount, spend_day, spend_count, spend_window),
    )
    with session_of(context).change() as books:
        row = _require(books, name)
        limits = given.read(Currency.of(row["currency"]))
        version = insert_set_version(books, row["limit_set_id"], limits)
    say(f"limit set {'/'.join(name)} is at version {version}")


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    program: ProgramOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List all limit sets, with what is in force and where they stand.
    """
    session = session_of(context)
    with session.books() as books:
        rows = limit_sets(books, program=program)
    _show(rows, session.wording, as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    name: NameArgument,
    *,
    version: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="An older version; else that in force."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Show one limit set.
    """
    session = session_of(context)
    with session.books() as books:
        row = _require(books, name, version)
    _show([row], session.wording, as_json=as_json)


app.command("product")(give_product)
app.command("batch")(give_batch)
app.command("card")(give_card)
app.command("terminal")(limit_one_terminal)
app.command("terminals")(list_terminals)

_COLUMNS: Final = (
    Column(title="Programme", key="program"),
    Column(title="Set", key="code"),
    Column(title="Version", key="version", is_figure=True),
    Column(title="Since", key="since"),
    Column(title="Loads", key="loads"),
    Column(title="Sales", key="sales"),
    Column(title="Products", key="products", show=" ".join),
    Column(title="Batches", key="batches"),
)


def _show(rows: list[dict[str, Any]], wording: Wording, *, as_json: bool) -> None:
    if as_json:
        show_rows(rows, (), as_json=True)
        return
    shown = [
        {
            **row,
            "since": wording.moment(row["made_at"]),
            "loads": limits_text(row, "load", wording),
            "sales": limits_text(row, "spend", wording),
            "batches": " ".join(map(str, row["issue_batches"])),
        }
        for row in rows
    ]
    show_rows(shown, _COLUMNS, as_json=False)


def _require(
    books: AdminConnection, name: LimitSetName, version: int | None = None
) -> dict[str, Any]:
    rows = limit_sets(books, program=name.program, code=name.code, version=version)
    if not rows:
        raise BadInputError(
            f"PROGRAM/SET: there is no set {'/'.join(name)}, or not that version: see "
            "`scrip limit list`"
        )
    return rows[0]


APPS = {"limit": app}
