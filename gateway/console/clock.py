"""
`scrip clock`: the gateway's time, which tests and the demo may shift.
"""

import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from gateway.books.admin import OWNER_ROLE, one_transaction
from gateway.books.admin_rates import clock, shift_clock_by, shift_clock_to
from gateway.console.faults import BadInputError, CommandRefusedError, FieldError
from gateway.console.fields import read_duration, read_moment
from gateway.console.options import AsJson
from gateway.console.screen import Column, say, show_rows, warn
from gateway.console.session import Session, session_of
from gateway.console.wording import write_duration

app = typer.Typer(no_args_is_help=True, help="The gateway's time, for tests and demos.")


@app.command()
def show(context: typer.Context, *, as_json: AsJson = False) -> None:
    """
    Show the gateway's time and how far it is from the machine's.
    """
    session = session_of(context)
    with session.books() as books:
        found = clock(books)
    columns = (
        Column(title="Now", key="now", show=session.wording.moment),
        Column(title="Shifted by", key="shift_s", show=write_duration),
    )
    rows = [{"now": found.now, "shift_s": found.shift}]
    show_rows(rows, columns, as_json=as_json)


@app.command()
def shift(
    context: typer.Context,
    to: Annotated[
        datetime | None,
        typer.Option(
            parser=read_moment, metavar="TIME", help="As 2025-01-01T00:00:00Z."
        ),
    ] = None,
    by: Annotated[
        timedelta | None,
        typer.Option(
            parser=read_duration, metavar="1d12h", help="From where it stands now."
        ),
    ] = None,
) -> None:
    """
    Set the gateway's clock; it goes on from there.

    Only for a data folder that is marked for tests or a demo: start it as `scrip serve
    --demo`.
    """
    if (to is None) == (by is None):
        raise BadInputError("--to, --by: give one of the two")
    session = session_of(context)
    _require_marked(session)
    with session.change(role=OWNER_ROLE) as books:
        before = clock(books).now
        if to is not None:
            after = shift_clock_to(books, to)
        else:
            after = shift_clock_by(books, by or timedelta(0))
    if after.now < before:
        warn(
            "the clock went back: what was recorded since keeps its time, and cards "
            "that were used since stand at their last transaction's"
        )
    say(f"the gateway's time is {session.wording.moment(after.now)}")


@app.command()
def follow(context: typer.Context) -> None:
    """
    Set the gateway's clock to each time on standard input, one a line, until it ends.

    Each is printed when it is in force. A demo moves through its days this way, faster
    than commands start.
    """
    session = session_of(context)
    _require_marked(session)
    with session.books(role=OWNER_ROLE) as books:
        for line in sys.stdin:
            try:
                moment = read_moment(line.strip())
            except FieldError as error:
                raise BadInputError(f"standard input: {error.message}") from error
            with one_transaction(books):
                after = shift_clock_to(books, moment)
            typer.echo(after.now.isoformat())


def _require_marked(session: Session) -> None:
    """
    Refuse to move the time of real money.
    """
    if not session.folder.is_marked_for_tests():
        raise CommandRefusedError(
            f"{session.folder.path} is not marked for tests or a demo, so its clock "
            "stays: make a new data folder by `scrip serve --demo`"
        )


APPS = {"clock": app}
