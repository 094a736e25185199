"""
`scrip staff`: the people at desks, their certificates and what they may do.
"""

from enum import StrEnum
from typing import Annotated, Final

import typer

from gateway.books.admin import one_transaction
from gateway.books.admin_devices import (
    TerminalName,
    insert_certificates,
    insert_terminals,
    known_devices,
    known_terminals,
    revoke_device,
)
from gateway.books.admin_parties import StoreName, known_stores
from gateway.books.admin_staff import insert_staff, is_staff, staff
from gateway.console.credentials import credential_folder, require_no_credentials
from gateway.console.faults import BadInputError
from gateway.console.options import (
    AsJson,
    MerchantOption,
    OutFolder,
    StoreOption,
    read_device_name,
)
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.domain.policy import DeviceKind, DeviceName
from gateway.domain.staff import StaffRole

app = typer.Typer(no_args_is_help=True, help="Staff: who works at a desk.")

_COLUMNS: Final = (
    Column(title="Merchant", key="merchant"),
    Column(title="Desk", key="store"),
    Column(title="Staff", key="code"),
    Column(title="Roles", key="roles", show=" ".join),
    Column(title="Revoked", key="revoked", show=lambda yes: "yes" if yes else ""),
    Column(title="Certificates", key="certificates", is_figure=True),
)

StaffArgument = Annotated[
    DeviceName,
    typer.Argument(
        parser=read_device_name,
        metavar="MERCHANT/STORE/STAFF",
        help="The staff member, as scrip-desk/beirut/amira.",
    ),
]


class Role(StrEnum):
    """
    What a staff member is trusted with.
    """

    CALL_CENTRE = "call-centre"
    OPERATOR = "operator"


@app.command()
def add(
    context: typer.Context,
    name: StaffArgument,
    out: OutFolder,
    roles: Annotated[
        list[Role],
        typer.Option(
            "--role",
            metavar="call-centre|operator",
            help="What they are trusted with; give it twice for both.",
        ),
    ],
) -> None:
    """
    Add a staff member with a desk of their own, and issue their certificate.

    The desk is a store of the operator's own merchant. STAFF names the person: give
    the same one at every desk where they work, and never to two people.
    """
    session = session_of(context)
    require_no_credentials(out, [name])
    with session.books() as books:
        if not known_stores(books, [StoreName(name.merchant, name.store)]):
            raise BadInputError(
                f"MERCHANT/STORE/STAFF: there is no store {name.merchant}/{name.store}:"
                " see `scrip store list`"
            )
        desk = TerminalName(*name)
        if known_terminals(books, [desk]) or known_devices(books, [name]):
            raise BadInputError(
                f"MERCHANT/STORE/STAFF: there is a terminal or device {'/'.join(name)}:"
                " choose another code, or `scrip device renew` it"
            )
        with credential_folder(
            out,
            authority=session.authority(),
            trust_domain=session.settings.grpc.trust_domain,
        ) as credentials:
            sha256 = credentials.issue(name, DeviceKind.STAFF)
            with one_transaction(books):
                insert_terminals(books, [desk])
                insert_staff(books, name, {StaffRole[role.name] for role in roles})
                insert_certificates(books, [(name, sha256)])
            credentials.put_in_place(replace=False)
    say(f"staff {'/'.join(name)} added; their credentials are in {out}")


@app.command()
def revoke(context: typer.Context, name: StaffArgument) -> None:
    """
    Take a staff member's access away for good, from the next call on.
    """
    with session_of(context).change() as books:
        if not is_staff(books, name):
            raise BadInputError(
                f"MERCHANT/STORE/STAFF: there is no staff member {'/'.join(name)}: "
                "see `scrip staff list`"
            )
        revoke_device(books, name)
    say(f"staff {'/'.join(name)} is revoked")


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    merchant: MerchantOption = None,
    store: StoreOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List all staff with their roles.
    """
    with session_of(context).books() as books:
        rows = staff(books, merchant, store)
    named = [
        {**row, "roles": [StaffRole(role).name for role in row["roles"]]}
        for row in rows
    ]
    show_rows(named, _COLUMNS, as_json=as_json)


APPS: Final = {"staff": app}
