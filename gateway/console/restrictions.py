"""
`scrip restriction`: where and when cards may be used.

A set belongs to a programme and is given to products, issue batches and cards. It is
changed whole, by a new version; what was decided under an old one stays as it was.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.books.admin import AdminConnection
from gateway.books.admin_parties import known_programs
from gateway.books.admin_restrictions import (
    ListedName,
    NewVersion,
    RestrictionName,
    insert_version,
    restriction_entries,
    restriction_windows,
    restrictions,
    unknown_listed,
)
from gateway.console.csv_file import CsvFaults, CsvRow, read_csv
from gateway.console.faults import BadInputError
from gateway.console.options import AsJson, ProgramOption
from gateway.console.restriction_terms import (
    HOURS,
    MAX_WINDOWS,
    listed_text,
    read_kind,
    read_listed,
    read_restriction_name,
    read_rule,
    read_term,
    read_window,
    window_text,
)
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.domain.restrictions import ListRule, Window

app = typer.Typer(
    no_args_is_help=True, help="Restrictions: where and when cards may be used."
)

COLUMNS: Final = ("set", "rule", "kind", "value")

NameArgument = Annotated[
    RestrictionName,
    typer.Argument(
        parser=read_restriction_name,
        metavar="PROGRAM/SET",
        help="The restriction set, as gift/canteen.",
    ),
]
_KIND_VALUE: Final = (
    "store=MERCHANT/STORE, group=GROUP of the programme or MERCHANT/GROUP, "
    "merchant=MERCHANT, country=CC or category=DIGITS; may stand several times."
)
_LISTED: Final = (
    Column(title="Rule", key="rule"),
    Column(title="Kind", key="kind"),
    Column(title="Value", key="value"),
)


@app.command()
def create(
    context: typer.Context,
    name: NameArgument,
    *,
    allow: Annotated[
        list[ListedName] | None,
        typer.Option(
            parser=read_term,
            metavar="KIND=VALUE",
            help=f"What is allowed, if nothing else of its kind is: {_KIND_VALUE}",
        ),
    ] = None,
    deny: Annotated[
        list[ListedName] | None,
        typer.Option(
            parser=read_term,
            metavar="KIND=VALUE",
            help="What is denied, whatever is allowed: as --allow.",
        ),
    ] = None,
    hours: Annotated[
        list[Window] | None,
        typer.Option(
            parser=read_window,
            metavar="WINDOW",
            help="When cards are valid by the store's clock, as 'mon-fri 11:30-14:00', "
            f"'fri 22:00-02:00' or 'sat,sun'; up to {MAX_WINDOWS} times.",
        ),
    ] = None,
) -> None:
    """
    Create a restriction set.

    Stores, groups and merchants are one list; countries and merchant categories are
    lists of their own, and each must let a card pass.
    """
    denied = [term._replace(rule=ListRule.DENY) for term in deny or ()]
    new = NewVersion(
        name=name,
        listed=tuple(dict.fromkeys([*(allow or ()), *denied])),
        windows=tuple(dict.fromkeys(hours or ())),
    )
    if not new.listed and not new.windows:
        raise BadInputError("--allow, --deny, --hours: give at least one")
    if len(new.windows) > MAX_WINDOWS:
        raise BadInputError(f"--hours: give at most {MAX_WINDOWS}")
    with session_of(context).change() as books:
        if not known_programs(books, [name.program]):
            raise BadInputError(_no_program(name))
        if restrictions(books, program=name.program, code=name.code):
            raise BadInputError(
                f"PROGRAM/SET: there is a set {'/'.join(name)}: change it by "
                "`scrip restriction import`"
            )
        unknown = unknown_listed(books, name.program, new.listed)
        if unknown:
            raise BadInputError(
                "--allow, --deny: what is named is not known",
                [_no_such(term) for term in unknown],
            )
        insert_version(books, new)
    say(f"restriction {'/'.join(name)} created")


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help="Columns: set,rule,kind,value, as gift/canteen,allow,store,nile/cairo-"
            "1 or gift/canteen,allow,hours,mon-fri 11:30-14:00.",
        ),
    ],
) -> None:
    """
    Create or change sets: each set in the file is from now on what the file says.

    All of it, or with any fault nothing. It is in force with the next request.
    """
    faults = CsvFaults(file)
    found = _read_file(file, faults)
    with session_of(context).change() as books:
        _check_against_books(books, found, faults)
        faults.raise_if_any()
        versions = {
            name: insert_version(
                books,
                NewVersion(
                    name=name,
                    listed=tuple(
                        item for item in lines if isinstance(item, ListedName)
                    ),
                    windows=tuple(item for item in lines if isinstance(item, Window)),
                ),
            )
            for name, lines in found.items()
        }
    for name, version in versions.items():
        say(f"restriction {'/'.join(name)} is at version {version}")


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    program: ProgramOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List all restriction sets, with their version in force and where they stand.
    """
    session = session_of(context)
    with session.books() as books:
        rows = restrictions(books, program=program)
    columns = (
        Column(title="Programme", key="program"),
        Column(title="Set", key="code"),
        Column(title="Version", key="version", is_figure=True),
        Column(title="Since", key="made_at", show=session.wording.moment),
        Column(title="Entries", key="entries", is_figure=True),
        Column(title="Windows", key="windows", is_figure=True),
        Column(title="Products", key="products", show=" ".join),
        Column(title="Issue batches", key="issue_batches", is_figure=True),
    )
    show_rows(rows, columns, as_json=as_json)


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
    Show what a restriction set lists, in the words of an import.
    """
    with session_of(context).books() as books:
        rows = restrictions(
            books, program=name.program, code=name.code, version=version
        )
        if not rows:
            raise BadInputError(
                f"PROGRAM/SET, --version: there is no such set or version of "
                f"{'/'.join(name)}: see `scrip restriction list`"
            )
        version_id = rows[0]["restriction_version_id"]
        listed = restriction_entries(books, version_id)
        windows = restriction_windows(books, version_id)
    shown: list[dict[str, Any]] = [
        {**row, "rule": ListRule(row["rule"]).name.lower()} for row in listed
    ]
    shown += [
        {"rule": "allow", "kind": HOURS, "value": window_text(window)}
        for window in windows
    ]
    show_rows(shown, _LISTED, as_json=as_json)


# What a file says of each set: each item with the line on which it stands.
Found = dict[RestrictionName, dict[ListedName | Window, int]]


def _read_file(file: Path, faults: CsvFaults) -> Found:
    found: Found = {}
    for row in read_csv(file, faults, required=COLUMNS):
        name = row.read("set", read_restriction_name)
        item = _read_item(row)
        if name is None or item is None:
            continue
        lines = found.setdefault(name, {})
        if item in lines:
            row.refuse("value", f"stands in line {lines[item]} already")
        lines[item] = row.line
        if sum(isinstance(one, Window) for one in lines) > MAX_WINDOWS:
            row.refuse("value", f"more than {MAX_WINDOWS} windows: join some")
    return found


def _read_item(row: CsvRow) -> ListedName | Window | None:
    rule = row.read("rule", read_rule)
    kind = row.read("kind", read_kind)
    if rule is None or kind is None:
        return None
    if kind != HOURS:
        return row.read("value", lambda text: read_listed(rule, kind, text))
    if rule is not ListRule.ALLOW:
        row.refuse("rule", "hours are allowed, never denied: write allow")
        return None
    return row.read("value", read_window)


def _check_against_books(
    books: AdminConnection, found: Found, faults: CsvFaults
) -> None:
    programs = known_programs(books, {name.program for name in found})
    for name, lines in found.items():
        if name.program not in programs:
            faults.add(min(lines.values()), "set", _no_program(name))
            continue
        listed = [item for item in lines if isinstance(item, ListedName)]
        for term in unknown_listed(books, name.program, listed):
            faults.add(lines[term], "value", _no_such(term))


def _no_program(name: RestrictionName) -> str:
    return (
        f"PROGRAM/SET: there is no programme {name.program}: see `scrip program list`"
    )


def _no_such(term: ListedName) -> str:
    listing = {"group": "store-group"}.get(term.kind, term.kind)
    kind = {"group": "store group"}.get(term.kind, term.kind)
    return f"there is no {kind} {listed_text(term)}: see `scrip {listing} list`"


APPS = {"restriction": app}
