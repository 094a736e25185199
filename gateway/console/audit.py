"""
`scrip audit`: what staff did, and whether its record still is what was written.
"""

from typing import Annotated, Final

import typer

from gateway.books.admin import one_transaction
from gateway.books.admin_staff import audit_chain, audit_rows
from gateway.books.audit_chain import BrokenChainError, ChainEnd, verify_chain
from gateway.console.faults import CommandRefusedError, FieldError
from gateway.console.fields import read_code
from gateway.console.options import AsJson
from gateway.console.screen import Column, answer, say, show_rows
from gateway.console.session import session_of
from gateway.domain.results import Channel, Result
from gateway.domain.staff import StaffOperation, StaffRole

app = typer.Typer(no_args_is_help=True, help="The audit: what staff did.")

_HASH_BYTES: Final = 32
_COLUMNS: Final = (
    Column(title="Row", key="audit_id", is_figure=True),
    Column(title="Time", key="host_time"),
    Column(title="Desk", key="desk"),
    Column(title="Staff", key="staff"),
    Column(title="Role", key="role"),
    Column(title="Operation", key="operation"),
    Column(title="Card", key="card"),
    Column(title="Result", key="result"),
    Column(title="Again", key="replayed", show=lambda yes: "yes" if yes else ""),
    Column(title="Transaction", key="transaction_id"),
)


def read_end(text: str) -> ChainEnd:
    """
    Read `1042:9f…`, as `scrip audit verify` writes it.
    """
    number, _, digits = text.partition(":")
    try:
        found = ChainEnd(audit_id=int(number), hash=bytes.fromhex(digits))
    except ValueError:
        found = None
    if found is None or len(found.hash) != _HASH_BYTES:
        raise FieldError("give ROW:HASH as an earlier run printed it")
    return found


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    staff: Annotated[
        str | None,
        typer.Option(parser=read_code, metavar="STAFF", help="Only this person's."),
    ] = None,
    card: Annotated[
        int | None,
        typer.Option(metavar="CARD_ID", min=1, help="Only what this card met with."),
    ] = None,
    most: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=10_000, help="How many rows at most."),
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """
    List what staff did, the newest first.
    """
    with session_of(context).books() as books:
        rows = audit_rows(books, most=most, staff=staff, card_id=card)
    named = [
        {
            **row,
            "desk": f"{row['merchant']}/{row['store']}",
            "host_time": row["host_time"].isoformat(timespec="seconds"),
            "role": StaffRole(row["role"]).name,
            "operation": StaffOperation(row["operation"]).name,
            "channel": Channel(row["channel"]).name,
            "card": f"…{row['last_four']}" if row["last_four"] else "",
            "result": Result(row["result"]).name,
        }
        for row in rows
    ]
    show_rows(named, _COLUMNS, as_json=as_json)


@app.command()
def verify(
    context: typer.Context,
    since: Annotated[
        ChainEnd | None,
        typer.Option(
            parser=read_end,
            metavar="ROW:HASH",
            help="Where an earlier run ended: it must lie on the chain.",
        ),
    ] = None,
) -> None:
    """
    Compute every hash of the audit again, and print where the chain ends.

    Keep what it prints outside of this machine: with --since a later run also finds
    rows that were taken from the end. Ends with 1 at the first row that is wrong.
    """
    with session_of(context).books() as books, one_transaction(books):
        try:
            end = verify_chain(audit_chain(books), since)
        except BrokenChainError as error:
            raise CommandRefusedError(f"the audit does not hold: {error}") from error
    say(f"the audit holds: {end.audit_id} rows")
    answer(f"{end.audit_id}:{end.hash.hex()}")


APPS: Final = {"audit": app}
