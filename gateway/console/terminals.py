"""
`scrip terminal`: on what cards are used, each with a device that holds a certificate.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from currency import Currency
from gateway.books.admin import AdminConnection, Row, one_transaction
from gateway.books.admin_devices import (
    NewDevice,
    TerminalName,
    insert_certificates,
    insert_devices,
    insert_terminals,
    known_devices,
    known_terminals,
    set_terminal_state,
    terminals,
)
from gateway.books.admin_parties import StoreName, known_stores
from gateway.console.credentials import (
    CredentialFolder,
    credential_folder,
    require_no_credentials,
)
from gateway.console.csv_file import CsvFaults, read_csv
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code
from gateway.console.options import (
    AsJson,
    MerchantOption,
    OutFolder,
    StoreOption,
    TerminalArgument,
)
from gateway.console.screen import Column, progress, say, show_rows
from gateway.console.session import Session, session_of
from gateway.console.states import STATE_COLUMN, with_states
from gateway.console.terminal_terms import set_terms
from gateway.console.wording import Wording
from gateway.domain.policy import DeviceKind, DeviceName, PartyState

app = typer.Typer(no_args_is_help=True, help="Terminals: on what cards are used.")

REQUIRED: Final = ("merchant", "store", "terminal")
_COLUMNS: Final = (
    Column(title="Merchant", key="merchant"),
    Column(title="Store", key="store"),
    Column(title="Terminal", key="code"),
    STATE_COLUMN,
    Column(title="Messages", key="messages"),
    Column(title="Floor limit", key="floor_limit", is_figure=True),
    Column(title="Devices", key="devices", show=" ".join),
)


@app.command()
def create(context: typer.Context, name: TerminalArgument, out: OutFolder) -> None:
    """
    Create a terminal and its device, and issue the device's certificate.
    """
    session = session_of(context)
    require_no_credentials(out, [DeviceName(*name)])
    with session.books() as books:
        if not known_stores(books, [StoreName(name.merchant, name.store)]):
            raise BadInputError(
                f"MERCHANT/STORE/TERMINAL: there is no store {name.merchant}/"
                f"{name.store}: see `scrip store list`"
            )
        if known_terminals(books, [name]) or known_devices(books, [DeviceName(*name)]):
            raise BadInputError(
                f"MERCHANT/STORE/TERMINAL: there is a terminal or device "
                f"{'/'.join(name)}: choose another code"
            )
        _create(session, books, [name], out)
    say(f"terminal {'/'.join(name)} created; its credentials are in {out}")


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help=f"Columns: {','.join(REQUIRED)}."),
    ],
    out: OutFolder,
) -> None:
    """
    Create terminals from a CSV file, each with a device and its certificate.

    All of the file is imported, or with any fault nothing.
    """
    session = session_of(context)
    faults = CsvFaults(file)
    found: dict[TerminalName, int] = {}
    for row in read_csv(file, faults, required=REQUIRED):
        merchant = row.read("merchant", read_code)
        store = row.read("store", read_code)
        terminal = row.read("terminal", read_code)
        if merchant is None or store is None or terminal is None:
            continue
        name = TerminalName(merchant, store, terminal)
        if name in found:
            row.refuse("terminal", f"{terminal} stands in line {found[name]} already")
        else:
            found[name] = row.line
    require_no_credentials(out, [DeviceName(*name) for name in found])
    with session.books() as books:
        _check_against_books(books, found, faults)
        faults.raise_if_any()
        _create(session, books, list(found), out)
    say(f"{len(found)} terminals created; their credentials are in {out}")


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    merchant: MerchantOption = None,
    store: StoreOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List all terminals with their working devices.
    """
    session = session_of(context)
    with session.books() as books:
        rows = terminals(books, merchant, store)
    if not as_json:
        rows = [_shown(row, session.wording) for row in rows]
    show_rows(with_states(rows), _COLUMNS, as_json=as_json)


@app.command()
def suspend(context: typer.Context, name: TerminalArgument) -> None:
    """
    Decline what is new there (58) until it is activated again.
    """
    _set_state(context, name, PartyState.SUSPENDED)


@app.command()
def activate(context: typer.Context, name: TerminalArgument) -> None:
    """
    Take a suspension back.
    """
    _set_state(context, name, PartyState.ACTIVE)


@app.command()
def close(context: typer.Context, name: TerminalArgument) -> None:
    """
    Close a terminal for good.
    """
    _set_state(context, name, PartyState.CLOSED)


def _shown(row: Row, wording: Wording) -> Row:
    """
    Give a terminal for a person.
    """
    code, limit = row["floor_limit_currency"], row["floor_limit_minor"]
    return {
        **row,
        "messages": "two" if row["two_message"] else "one",
        "floor_limit": None
        if code is None
        else wording.money(limit, Currency.of(code)),
    }


def _set_state(context: typer.Context, name: TerminalName, state: PartyState) -> None:
    with session_of(context).change() as books:
        if not set_terminal_state(books, name, state):
            raise BadInputError(
                f"MERCHANT/STORE/TERMINAL: there is no open terminal {'/'.join(name)}: "
                "see `scrip terminal list`"
            )
    say(f"terminal {'/'.join(name)} is {state.name}")


def _create(
    session: Session, books: AdminConnection, names: list[TerminalName], out: Path
) -> None:
    """
    Issue all certificates, then tell the books, then hand out the files.
    """
    devices = [DeviceName(*name) for name in names]
    with credential_folder(
        out,
        authority=session.authority(),
        trust_domain=session.settings.grpc.trust_domain,
    ) as credentials:
        certificates = _issue(credentials, devices)
        with one_transaction(books):
            insert_terminals(books, names)
            insert_devices(
                books,
                [
                    NewDevice(
                        name=device, kind=DeviceKind.TERMINAL, terminal=device.device
                    )
                    for device in devices
                ],
            )
            insert_certificates(books, certificates)
        credentials.put_in_place(replace=False)


def _issue(
    credentials: CredentialFolder, devices: list[DeviceName]
) -> list[tuple[DeviceName, bytes]]:
    certificates = []
    with progress("issuing certificates", len(devices)) as advance:
        for device in devices:
            certificates.append(
                (device, credentials.issue(device, DeviceKind.TERMINAL))
            )
            advance(1)
    return certificates


def _check_against_books(
    books: AdminConnection, found: dict[TerminalName, int], faults: CsvFaults
) -> None:
    stores = known_stores(books, {StoreName(*name[:2]) for name in found})
    existing = known_terminals(books, list(found))
    devices = known_devices(books, [DeviceName(*name) for name in found])
    for name, line in found.items():
        if StoreName(*name[:2]) not in stores:
            message = f"there is no store {name.merchant}/{name.store}: create it first"
            faults.add(line, "store", message)
        elif name in existing or DeviceName(*name) in devices:
            message = f"there is a terminal or device {'/'.join(name)}: remove the row"
            faults.add(line, "terminal", message)


app.command("set")(set_terms)

APPS = {"terminal": app}
