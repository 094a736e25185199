"""
`scrip merchant`: who accepts cards and is paid for it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.books.admin import AdminConnection
from gateway.books.admin_parties import (
    NewMerchant,
    accept_programs,
    insert_merchants,
    known_merchants,
    known_programs,
    merchants,
    refuse_program,
    set_merchant_state,
)
from gateway.console.csv_file import CsvFaults, read_csv
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code, read_name
from gateway.console.options import AsJson, MerchantArgument
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.console.states import STATE_COLUMN, with_states
from gateway.domain.policy import PartyState

app = typer.Typer(no_args_is_help=True, help="Merchants: who accepts cards.")

_COLUMNS: Final = (
    Column(title="Merchant", key="code"),
    Column(title="Name", key="name"),
    STATE_COLUMN,
    Column(title="Programmes", key="programs", show=" ".join),
    Column(title="Stores", key="stores", is_figure=True),
)

_NONE: Final[tuple[str, ...]] = ()

ProgramArgument = Annotated[
    str, typer.Argument(parser=read_code, metavar="PROGRAM", help="The programme.")
]


@app.command()
def create(
    context: typer.Context,
    code: Annotated[
        str, typer.Option(parser=read_code, metavar="CODE", help="Its short name.")
    ],
    name: Annotated[
        str, typer.Option(parser=read_name, metavar="NAME", help="Its name for people.")
    ],
    program: Annotated[
        list[str] | None,
        typer.Option(
            parser=read_code,
            metavar="CODE",
            help="A programme whose cards it accepts; may stand several times.",
        ),
    ] = None,
) -> None:
    """
    Create a merchant.
    """
    programs = tuple(dict.fromkeys(program or ()))
    with session_of(context).change() as books:
        _require_programs(books, programs, "--program")
        if known_merchants(books, [code]):
            raise BadInputError(f"--code: there is a merchant {code}: choose another")
        new = NewMerchant(code=code, name=name, programs=programs)
        insert_merchants(books, [new])
    say(f"merchant {code} created")


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="Columns: code,name and, if wanted, programs (divided by blanks).",
        ),
    ],
) -> None:
    """
    Create merchants from a CSV file: all of it, or with any fault nothing.
    """
    faults = CsvFaults(file)
    found: dict[str, tuple[int, NewMerchant]] = {}
    for row in read_csv(
        file, faults, required=("code", "name"), optional=("programs",)
    ):
        code = row.read("code", read_code)
        name = row.read("name", read_name)
        programs = row.read_optional("programs", _read_programs, _NONE)
        if code is not None and code in found:
            row.refuse("code", f"{code} stands in line {found[code][0]} already")
        elif code is not None and name is not None and programs is not None:
            new = NewMerchant(code=code, name=name, programs=programs)
            found[code] = (row.line, new)
    with session_of(context).change() as books:
        _check_against_books(books, found, faults)
        faults.raise_if_any()
        insert_merchants(books, [new for _, new in found.values()])
    say(f"{len(found)} merchants created")


@app.command("list")
def list_all(context: typer.Context, *, as_json: AsJson = False) -> None:
    """
    List all merchants.
    """
    with session_of(context).books() as books:
        rows = merchants(books)
    show_rows(with_states(rows), _COLUMNS, as_json=as_json)


@app.command()
def accept(
    context: typer.Context, merchant: MerchantArgument, program: ProgramArgument
) -> None:
    """
    Let a merchant accept the cards of a programme.
    """
    with session_of(context).change() as books:
        _require_programs(books, [program], "PROGRAM")
        if not known_merchants(books, [merchant]):
            raise BadInputError(_no_merchant(merchant))
        accept_programs(books, [(program, merchant)])
    say(f"{merchant} accepts {program}")


@app.command()
def refuse(
    context: typer.Context, merchant: MerchantArgument, program: ProgramArgument
) -> None:
    """
    Take a programme back from a merchant: its cards are unknown there from now on.
    """
    with session_of(context).change() as books:
        if not refuse_program(books, program=program, merchant=merchant):
            raise BadInputError(
                f"{merchant} does not accept {program}: see `scrip merchant list`"
            )
    say(f"{merchant} no longer accepts {program}")


@app.command()
def suspend(context: typer.Context, merchant: MerchantArgument) -> None:
    """
    Decline what is new at all its stores (03) until it is activated again.
    """
    _set_state(context, merchant, PartyState.SUSPENDED)


@app.command()
def activate(context: typer.Context, merchant: MerchantArgument) -> None:
    """
    Take a suspension back.
    """
    _set_state(context, merchant, PartyState.ACTIVE)


@app.command()
def close(context: typer.Context, merchant: MerchantArgument) -> None:
    """
    Close a merchant for good.
    """
    _set_state(context, merchant, PartyState.CLOSED)


def _set_state(context: typer.Context, merchant: str, state: PartyState) -> None:
    with session_of(context).change() as books:
        if not set_merchant_state(books, merchant, state):
            raise BadInputError(_no_merchant(merchant))
    say(f"merchant {merchant} is {state.name}")


def _no_merchant(merchant: str) -> str:
    return f"MERCHANT: there is no open merchant {merchant}: see `scrip merchant list`"


def _read_programs(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read_code(code) for code in text.split()))


def _require_programs(
    books: AdminConnection, programs: Sequence[str], option: str
) -> None:
    missing = sorted(set(programs) - known_programs(books, programs))
    if missing:
        raise BadInputError(
            f"{option}: there is no programme {', '.join(missing)}: "
            "see `scrip program list`"
        )


def _check_against_books(
    books: AdminConnection,
    found: dict[str, tuple[int, NewMerchant]],
    faults: CsvFaults,
) -> None:
    existing = known_merchants(books, list(found))
    programs = {code for _, new in found.values() for code in new.programs}
    known = known_programs(books, programs)
    for line, new in found.values():
        if new.code in existing:
            faults.add(line, "code", f"there is a merchant {new.code}: remove the row")
        for code in new.programs:
            if code not in known:
                faults.add(
                    line,
                    "programs",
                    f"there is no programme {code}: create it first",
                )


APPS = {"merchant": app}
