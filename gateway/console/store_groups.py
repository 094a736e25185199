"""
`scrip store-group`: stores that restrictions name together.
"""

from typing import Annotated, Final

import typer

from gateway.books.admin import AdminConnection
from gateway.books.admin_parties import (
    StoreName,
    known_merchants,
    known_programs,
    known_stores,
)
from gateway.books.admin_store_groups import (
    GroupName,
    group_stores,
    insert_store_group,
    store_groups,
    ungroup_stores,
)
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code
from gateway.console.options import AsJson, read_store_name
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of

app = typer.Typer(
    no_args_is_help=True, help="Store groups: stores that restrictions name together."
)

_COLUMNS: Final = (
    Column(title="Programme", key="program"),
    Column(title="Merchant", key="merchant"),
    Column(title="Group", key="code"),
    Column(title="Stores", key="stores", show=" ".join),
)

GroupArgument = Annotated[
    str, typer.Argument(parser=read_code, metavar="GROUP", help="The store group.")
]
ProgramOwner = Annotated[
    str | None,
    typer.Option(
        "--program",
        parser=read_code,
        metavar="CODE",
        help="The programme that it is of: it may hold any store.",
    ),
]
MerchantOwner = Annotated[
    str | None,
    typer.Option(
        "--merchant",
        parser=read_code,
        metavar="CODE",
        help="The merchant that it is of: it may hold that merchant's stores.",
    ),
]
StoresArgument = Annotated[
    list[StoreName],
    typer.Argument(
        parser=read_store_name,
        metavar="MERCHANT/STORE...",
        help="The stores, as nile-retail/cairo-1.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    group: GroupArgument,
    *,
    program: ProgramOwner = None,
    merchant: MerchantOwner = None,
) -> None:
    """
    Create a store group, of a programme or of a merchant.
    """
    name = _name(group, program, merchant)
    with session_of(context).change() as books:
        if program is not None and not known_programs(books, [program]):
            raise BadInputError(
                f"--program: there is no programme {program}: see `scrip program list`"
            )
        if merchant is not None and not known_merchants(books, [merchant]):
            raise BadInputError(
                f"--merchant: there is no merchant {merchant}: "
                "see `scrip merchant list`"
            )
        if store_groups(books, **name._asdict()):
            raise BadInputError(f"GROUP: there is a group {group}: choose another")
        insert_store_group(books, name)
    say(f"store group {group} created")


@app.command()
def add(
    context: typer.Context,
    group: GroupArgument,
    stores: StoresArgument,
    *,
    program: ProgramOwner = None,
    merchant: MerchantOwner = None,
) -> None:
    """
    Put stores into a group.
    """
    with session_of(context).change() as books:
        group_id = _group_id(books, _name(group, program, merchant))
        _require_stores(books, stores, merchant)
        count = group_stores(books, group_id, stores)
    say(f"{count} stores added to {group}")


@app.command()
def remove(
    context: typer.Context,
    group: GroupArgument,
    stores: StoresArgument,
    *,
    program: ProgramOwner = None,
    merchant: MerchantOwner = None,
) -> None:
    """
    Take stores out of a group.
    """
    with session_of(context).change() as books:
        group_id = _group_id(books, _name(group, program, merchant))
        _require_stores(books, stores, merchant)
        count = ungroup_stores(books, group_id, stores)
    say(f"{count} stores taken out of {group}")


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    program: ProgramOwner = None,
    merchant: MerchantOwner = None,
    as_json: AsJson = False,
) -> None:
    """
    List all store groups with their stores, or one programme's or merchant's.
    """
    with session_of(context).books() as books:
        rows = store_groups(books, program=program, merchant=merchant)
    show_rows(rows, _COLUMNS, as_json=as_json)


def _name(group: str, program: str | None, merchant: str | None) -> GroupName:
    if (program is None) == (merchant is None):
        raise BadInputError("--program, --merchant: name one that the group is of")
    return GroupName(program, merchant, group)


def _group_id(books: AdminConnection, name: GroupName) -> int:
    rows = store_groups(books, **name._asdict())
    if not rows:
        raise BadInputError(
            f"GROUP: there is no such group {name.code}: see `scrip store-group list`"
        )
    group_id: int = rows[0]["store_group_id"]
    return group_id


def _require_stores(
    books: AdminConnection, stores: list[StoreName], merchant: str | None
) -> None:
    missing = sorted(set(stores) - known_stores(books, stores))
    if missing:
        names = ", ".join(map("/".join, missing))
        raise BadInputError(
            f"MERCHANT/STORE: there is no store {names}: see `scrip store list`"
        )
    foreign = sorted({name for name in stores if merchant not in {None, name.merchant}})
    if foreign:
        names = ", ".join(map("/".join, foreign))
        raise BadInputError(
            f"MERCHANT/STORE: {names}: a merchant's group holds its own stores; "
            "make a programme's group"
        )


APPS = {"store-group": app}
