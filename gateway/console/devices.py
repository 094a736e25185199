"""
`scrip device`: what holds a certificate, and what it may speak for.
"""

from enum import StrEnum
from typing import Annotated, Final

import typer

from gateway.books.admin import one_transaction
from gateway.books.admin_devices import (
    NewDevice,
    TerminalName,
    devices,
    insert_certificates,
    insert_devices,
    known_devices,
    known_terminals,
    revoke_certificates,
    revoke_device,
)
from gateway.books.admin_parties import StoreName, known_stores
from gateway.console.credentials import credential_folder, require_no_credentials
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code
from gateway.console.options import (
    AsJson,
    DeviceArgument,
    MerchantOption,
    OutFolder,
    StoreOption,
    read_device_name,
)
from gateway.console.screen import Column, progress, say, show_rows
from gateway.console.session import session_of
from gateway.domain.policy import DeviceKind, DeviceName

app = typer.Typer(no_args_is_help=True, help="Devices: what holds a certificate.")

_COLUMNS: Final = (
    Column(title="Merchant", key="merchant"),
    Column(title="Store", key="store"),
    Column(title="Device", key="code"),
    Column(title="Kind", key="kind"),
    Column(title="Terminal", key="terminal"),
    Column(title="Revoked", key="revoked", show=lambda yes: "yes" if yes else ""),
    Column(title="Certificates", key="certificates", is_figure=True),
)


class Kind(StrEnum):
    """
    What a device may speak for.
    """

    CONTROLLER = "controller"
    TERMINAL = "terminal"


@app.command()
def create(
    context: typer.Context,
    name: DeviceArgument,
    out: OutFolder,
    kind: Annotated[
        Kind,
        typer.Option(
            metavar="controller|terminal",
            help="A controller speaks for every terminal of its store.",
        ),
    ] = Kind.CONTROLLER,
    terminal: Annotated[
        str | None,
        typer.Option(
            parser=read_code,
            metavar="CODE",
            help="The terminal that a device of kind terminal speaks for.",
        ),
    ] = None,
) -> None:
    """
    Create a device and issue its certificate: a controller, or a second device.
    """
    session = session_of(context)
    if (kind is Kind.TERMINAL) != (terminal is not None):
        raise BadInputError(
            "--terminal: give it with --kind terminal, and only with that"
        )
    require_no_credentials(out, [name])
    kind_of_device = DeviceKind[kind.name]
    with session.books() as books:
        if not known_stores(books, [StoreName(name.merchant, name.store)]):
            raise BadInputError(
                f"MERCHANT/STORE/DEVICE: there is no store {name.merchant}/"
                f"{name.store}: see `scrip store list`"
            )
        if known_devices(books, [name]):
            raise BadInputError(
                f"MERCHANT/STORE/DEVICE: there is a device {'/'.join(name)}: choose "
                "another code, or `scrip device renew` it"
            )
        if terminal is not None:
            place = TerminalName(name.merchant, name.store, terminal)
            if not known_terminals(books, [place]):
                raise BadInputError(
                    f"--terminal: there is no terminal {'/'.join(place)}: "
                    "see `scrip terminal list`"
                )
        with credential_folder(
            out,
            authority=session.authority(),
            trust_domain=session.settings.grpc.trust_domain,
        ) as credentials:
            sha256 = credentials.issue(name, kind_of_device)
            new = NewDevice(name=name, kind=kind_of_device, terminal=terminal)
            with one_transaction(books):
                insert_devices(books, [new])
                insert_certificates(books, [(name, sha256)])
            credentials.put_in_place(replace=False)
    say(f"device {'/'.join(name)} created; its credentials are in {out}")


@app.command()
def renew(
    context: typer.Context,
    names: Annotated[
        list[DeviceName],
        typer.Argument(
            parser=read_device_name,
            metavar="MERCHANT/STORE/DEVICE...",
            help="The devices, as nile-retail/cairo-1/till-1.",
        ),
    ],
    out: OutFolder,
    *,
    revoke_old: Annotated[
        bool,
        typer.Option(
            "--revoke-old",
            help="Take the certificates of before back at once, not when they expire.",
        ),
    ] = False,
) -> None:
    """
    Issue new certificates to devices; files of before in FOLDER are replaced.

    A certificate holds for 30 days. The one of before holds until it expires, so that a
    till can change over between two sales.
    """
    session = session_of(context)
    wanted = [*dict.fromkeys(names)]
    with session.books() as books:
        known = known_devices(books, wanted)
        for name in wanted:
            if name not in known or known[name].revoked:
                raise BadInputError(
                    f"MERCHANT/STORE/DEVICE: there is no working device "
                    f"{'/'.join(name)}: see `scrip device list`"
                )
        with credential_folder(
            out,
            authority=session.authority(),
            trust_domain=session.settings.grpc.trust_domain,
        ) as credentials:
            certificates = []
            with progress("issuing certificates", len(wanted)) as advance:
                for name in wanted:
                    sha256 = credentials.issue(name, known[name].kind)
                    certificates.append((name, sha256))
                    advance(1)
            with one_transaction(books):
                insert_certificates(books, certificates)
                if revoke_old:
                    kept = [sha256 for _, sha256 in certificates]
                    revoke_certificates(books, wanted, kept=kept)
            credentials.put_in_place(replace=True)
    say(f"{len(wanted)} devices renewed; their credentials are in {out}")


@app.command()
def revoke(context: typer.Context, name: DeviceArgument) -> None:
    """
    Take a device's access away for good: stolen, lost or scrapped.

    Its terminal stays: `scrip device create --kind terminal --terminal CODE` gives it
    another device.
    """
    with session_of(context).change() as books:
        if not revoke_device(books, name):
            raise BadInputError(
                f"MERCHANT/STORE/DEVICE: there is no device {'/'.join(name)}: "
                "see `scrip device list`"
            )
    say(f"device {'/'.join(name)} is revoked")


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    merchant: MerchantOption = None,
    store: StoreOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List all devices, with how many of their certificates hold.
    """
    with session_of(context).books() as books:
        rows = devices(books, merchant, store)
    named = [{**row, "kind": DeviceKind(row["kind"]).name} for row in rows]
    show_rows(named, _COLUMNS, as_json=as_json)


APPS = {"device": app}
