"""
`scrip store`: where cards are accepted.
"""

from datetime import time
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from currency import Currency
from gateway.books.admin import AdminConnection
from gateway.books.admin_cash_out import set_store_jurisdiction
from gateway.books.admin_parties import (
    NewStore,
    StoreName,
    insert_stores,
    known_merchants,
    known_stores,
    set_store_category,
    set_store_state,
    stores,
)
from gateway.console.csv_file import CsvFaults, CsvRow, read_csv
from gateway.console.faults import BadInputError, FieldError
from gateway.console.fields import (
    currency_of_country,
    read_category,
    read_code,
    read_country,
    read_currencies,
    read_currency,
    read_cut_off,
    read_name,
    read_state,
    read_time_zone,
)
from gateway.console.options import AsJson, MerchantOption, StoreArgument
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.console.states import STATE_COLUMN, with_states
from gateway.domain.policy import PartyState

app = typer.Typer(no_args_is_help=True, help="Stores: where cards are accepted.")

REQUIRED: Final = ("merchant", "store", "country", "time_zone")
OPTIONAL: Final = (
    "name",
    "currencies",
    "cut_off",
    "jurisdiction",
    "merchant_category",
)
STATE: Final = typer.Option(
    "--jurisdiction",
    parser=read_state,
    metavar="CC-XX",
    help="The part of its country whose law holds there, as US-CA; else its country's.",
)

_MIDNIGHT: Final = time(0, 0)
_NOT_SAID: Final[tuple[str, ...]] = ()
_COLUMNS: Final = (
    Column(title="Merchant", key="merchant"),
    Column(title="Store", key="code"),
    Column(title="Name", key="name"),
    Column(title="Country", key="country"),
    Column(title="Law", key="jurisdiction"),
    Column(title="Currencies", key="currencies"),
    Column(title="Time zone", key="time_zone"),
    Column(title="Cut-off", key="cut_off", show=lambda at: f"{at:%H:%M}"),
    Column(title="Category", key="merchant_category"),
    STATE_COLUMN,
    Column(title="Terminals", key="terminals", is_figure=True),
)

CutOffOption = Annotated[
    time | None,
    typer.Option(
        parser=read_cut_off,
        metavar="HH:MM",
        help="The local time at which its business day begins; else midnight.",
    ),
]
CategoryOption = Annotated[
    str | None,
    typer.Option(
        parser=read_category,
        metavar="DIGITS",
        help="What it sells: its merchant category, as ISO 18245 has it.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    name: StoreArgument,
    *,
    country: Annotated[
        str,
        typer.Option(
            parser=read_country, metavar="CC", help="Its country, as ISO 3166 has it."
        ),
    ],
    time_zone: Annotated[
        ZoneInfo,
        typer.Option(
            parser=read_time_zone, metavar="ZONE", help="IANA name of its time zone."
        ),
    ],
    title: Annotated[
        str | None,
        typer.Option("--name", parser=read_name, metavar="NAME", help="For people."),
    ] = None,
    currency: Annotated[
        list[Currency] | None,
        typer.Option(
            parser=read_currency,
            metavar="CODE",
            help="A currency that it takes, may stand several times; else its "
            "country's.",
        ),
    ] = None,
    cut_off: CutOffOption = None,
    jurisdiction: Annotated[str | None, STATE] = None,
    category: CategoryOption = None,
) -> None:
    """
    Create a store.
    """
    try:
        named = tuple(dict.fromkeys(item.code for item in currency or ()))
        taken = named or (currency_of_country(country),)
    except FieldError as error:
        raise BadInputError(f"--currency: {error.message}") from error
    _check_jurisdiction(jurisdiction, country)
    new = NewStore(
        name=name,
        title=title or "",
        country=country,
        currencies=taken,
        time_zone=time_zone.key,
        cut_off=cut_off or _MIDNIGHT,
        jurisdiction=jurisdiction,
        merchant_category=category,
    )
    with session_of(context).change() as books:
        if not known_merchants(books, [name.merchant]):
            raise BadInputError(
                f"MERCHANT/STORE: there is no merchant {name.merchant}: "
                "see `scrip merchant list`"
            )
        if known_stores(books, [name]):
            raise BadInputError(
                f"MERCHANT/STORE: there is a store {'/'.join(name)}: choose another"
            )
        insert_stores(books, [new])
    say(f"store {'/'.join(name)} created; it takes {' '.join(taken)}")


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help=f"Columns: {','.join(REQUIRED)} and, if wanted, {','.join(OPTIONAL)}.",
        ),
    ],
) -> None:
    """
    Create stores from a CSV file: all of it, or with any fault nothing.

    `currencies` are divided by blanks; without them a store takes its country's.
    """
    faults = CsvFaults(file)
    found: dict[StoreName, tuple[int, NewStore]] = {}
    for row in read_csv(file, faults, required=REQUIRED, optional=OPTIONAL):
        new = _read_row(row)
        if new is None:
            continue
        if new.name in found:
            row.refuse(
                "store", f"{new.name.store} stands in line {found[new.name][0]} already"
            )
            continue
        found[new.name] = (row.line, new)
    with session_of(context).change() as books:
        _check_against_books(books, found, faults)
        faults.raise_if_any()
        insert_stores(books, [new for _, new in found.values()])
    say(f"{len(found)} stores created")


@app.command("list")
def list_all(
    context: typer.Context, *, merchant: MerchantOption = None, as_json: AsJson = False
) -> None:
    """
    List all stores, or one merchant's.
    """
    with session_of(context).books() as books:
        rows = stores(books, merchant)
    show_rows(with_states(rows), _COLUMNS, as_json=as_json)


@app.command("category")
def set_category(
    context: typer.Context,
    name: StoreArgument,
    category: Annotated[
        str | None,
        typer.Argument(
            parser=read_category,
            metavar="[DIGITS]",
            help="Its merchant category, as ISO 18245 has it; without it, none.",
        ),
    ] = None,
) -> None:
    """
    Say what a store sells: restrictions may allow or deny it.
    """
    with session_of(context).change() as books:
        if not set_store_category(books, name, category):
            raise BadInputError(
                f"MERCHANT/STORE: there is no store {'/'.join(name)}: "
                "see `scrip store list`"
            )
    say(f"store {'/'.join(name)} is of category {category or 'none'}")


@app.command()
def suspend(context: typer.Context, name: StoreArgument) -> None:
    """
    Decline what is new there (03) until it is activated again.
    """
    _set_state(context, name, PartyState.SUSPENDED)


@app.command()
def activate(context: typer.Context, name: StoreArgument) -> None:
    """
    Take a suspension back.
    """
    _set_state(context, name, PartyState.ACTIVE)


@app.command()
def close(context: typer.Context, name: StoreArgument) -> None:
    """
    Close a store for good.
    """
    _set_state(context, name, PartyState.CLOSED)


@app.command("jurisdiction")
def change_jurisdiction(
    context: typer.Context,
    name: StoreArgument,
    jurisdiction: Annotated[str | None, STATE] = None,
) -> None:
    """
    Say whose law holds in a store: a part's of its country, or its country's alone.
    """
    with session_of(context).change() as books:
        found = [row for row in stores(books, name.merchant) if row["code"] == name[1]]
        if not found:
            raise BadInputError(
                f"MERCHANT/STORE: there is no store {'/'.join(name)}: "
                "see `scrip store list`"
            )
        _check_jurisdiction(jurisdiction, found[0]["country"])
        set_store_jurisdiction(books, name, jurisdiction)
    say(f"in {'/'.join(name)} holds the law of {jurisdiction or found[0]['country']}")


def _check_jurisdiction(jurisdiction: str | None, country: str) -> None:
    if jurisdiction is not None and jurisdiction[:2] != country:
        raise BadInputError(
            f"--jurisdiction: {jurisdiction} is no part of {country}: write one"
        )


def _set_state(context: typer.Context, name: StoreName, state: PartyState) -> None:
    with session_of(context).change() as books:
        if not set_store_state(books, name, state):
            raise BadInputError(
                f"MERCHANT/STORE: there is no open store {'/'.join(name)}: "
                "see `scrip store list`"
            )
    say(f"store {'/'.join(name)} is {state.name}")


def _read_row(row: CsvRow) -> NewStore | None:
    merchant = row.read("merchant", read_code)
    store = row.read("store", read_code)
    title = row.read_optional("name", read_name, "")
    country = row.read("country", read_country)
    time_zone = row.read("time_zone", read_time_zone)
    currencies = row.read_optional("currencies", read_currencies, _NOT_SAID)
    cut_off = row.read_optional("cut_off", read_cut_off, _MIDNIGHT)
    jurisdiction = row.read_optional("jurisdiction", read_state, None)
    if jurisdiction is not None and country not in {None, jurisdiction[:2]}:
        row.refuse("jurisdiction", f"{jurisdiction} is no part of {country}")
    category = row.read_optional("merchant_category", read_category, "")
    if country is not None and currencies == ():
        try:
            currencies = (currency_of_country(country),)
        except FieldError as error:
            row.refuse("currencies", error.message)
    if (
        merchant is None
        or store is None
        or title is None
        or country is None
        or time_zone is None
        or not currencies
        or cut_off is None
        or not row.is_good
        or category is None
    ):
        return None
    return NewStore(
        name=StoreName(merchant, store),
        title=title,
        country=country,
        currencies=currencies,
        time_zone=time_zone.key,
        cut_off=cut_off,
        jurisdiction=jurisdiction,
        merchant_category=category or None,
    )


def _check_against_books(
    books: AdminConnection,
    found: dict[StoreName, tuple[int, NewStore]],
    faults: CsvFaults,
) -> None:
    merchants = known_merchants(books, {name.merchant for name in found})
    existing = known_stores(books, list(found))
    for name, (line, _) in found.items():
        if name.merchant not in merchants:
            faults.add(
                line,
                "merchant",
                f"there is no merchant {name.merchant}: create it first",
            )
        elif name in existing:
            faults.add(line, "store", f"there is a store {'/'.join(name)}: remove it")


APPS = {"store": app}
