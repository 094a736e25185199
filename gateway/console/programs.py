"""
`scrip program`: an issuer's rules for its cards.
"""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from gateway.books.admin_parties import (
    NewProgram,
    insert_program,
    known_programs,
    programs,
)
from gateway.console.faults import BadInputError
from gateway.console.fields import read_code, read_name, read_time_zone
from gateway.console.hold_terms import FirstTipOption, change_tips, spoken_percent
from gateway.console.options import AsJson
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of

app = typer.Typer(no_args_is_help=True, help="Programmes: an issuer's rules for cards.")

_COLUMNS: Final = (
    Column(title="Programme", key="code"),
    Column(title="Name", key="name"),
    Column(title="Time zone", key="time_zone"),
    Column(title="Tip", key="tip", is_figure=True),
    Column(title="Merchants", key="merchants", is_figure=True),
)


@app.command()
def create(
    context: typer.Context,
    code: Annotated[
        str, typer.Option(parser=read_code, metavar="CODE", help="Its short name.")
    ],
    name: Annotated[
        str, typer.Option(parser=read_name, metavar="NAME", help="Its name for people.")
    ],
    time_zone: Annotated[
        ZoneInfo,
        typer.Option(
            parser=read_time_zone,
            metavar="ZONE",
            help="IANA name of the zone in which a card's last day ends.",
        ),
    ],
    *,
    tip_tolerance: FirstTipOption = None,
) -> None:
    """
    Create a programme.
    """
    with session_of(context).change() as books:
        if known_programs(books, [code]):
            raise BadInputError(f"--code: there is a programme {code}: choose another")
        new = NewProgram(
            code=code,
            name=name,
            time_zone=time_zone.key,
            tip_tolerance_bps=tip_tolerance or 0,
        )
        insert_program(books, new)
    say(f"programme {code} created")


app.command("tips")(change_tips)


@app.command("list")
def list_all(context: typer.Context, *, as_json: AsJson = False) -> None:
    """
    List all programmes.
    """
    with session_of(context).books() as books:
        rows = programs(books)
    if not as_json:
        rows = [
            {**row, "tip": spoken_percent(row["tip_tolerance_bps"])} for row in rows
        ]
    show_rows(rows, _COLUMNS, as_json=as_json)


APPS = {"program": app}
