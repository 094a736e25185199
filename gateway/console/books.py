"""
`scrip books`: whether the books hold.
"""

import asyncio
from typing import Any, Final

import typer

from gateway.books.check import RULES, Violation, check_books
from gateway.console.faults import EXIT_FAILED, CommandRefusedError
from gateway.console.options import AsJson
from gateway.console.screen import Column, answer, complain, progress, say, show_rows
from gateway.console.session import session_of
from gateway.domain.errors import DependencyError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def books() -> None:
    """
    Tell whether the books hold.
    """


@app.command()
def check(context: typer.Context, *, as_json: AsJson = False) -> None:
    """
    Check every rule of the books in one snapshot, beside the tills.

    Ends with 1 when a rule does not hold, and shows rows that break it.
    """
    address = session_of(context).books_address(to_read=True)
    try:
        violations = _check(address)
    except DependencyError as error:
        raise CommandRefusedError(str(error)) from error
    if as_json:
        show_rows([_as_row(violation) for violation in violations], (), as_json=True)
    else:
        for violation in violations:
            _show(violation)
    if violations:
        complain(f"{len(violations)} of {len(RULES)} rules do not hold")
        raise typer.Exit(EXIT_FAILED)
    say(f"the books hold: {len(RULES)} rules")


def _check(address: str) -> list[Violation]:
    with progress("checking the books", len(RULES)) as advance:

        def step(done: int, total: int, rule: str) -> None:
            del done, total, rule
            advance(1)

        return asyncio.run(check_books(address, step))


def _as_row(violation: Violation) -> dict[str, Any]:
    return {
        "rule": violation.rule,
        "about": violation.about,
        "rows": list(violation.rows),
        "more": violation.more,
    }


def _show(violation: Violation) -> None:
    answer(f"{violation.rule}: does not hold. {violation.about}")
    names = list(violation.rows[0]) if violation.rows else []
    columns = [Column(title=name, key=name, show=_written) for name in names]
    show_rows(violation.rows, columns, as_json=False)
    if violation.more:
        answer("and more")
    answer("")


def _written(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


APPS: Final = {"books": app}
