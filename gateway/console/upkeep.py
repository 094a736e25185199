"""
`scrip migrate`, `scrip check-config` and `scrip version`.
"""

import asyncio
import platform
from importlib.metadata import version as version_of

import typer

from gateway.books.migrate import MigrationError, migrate, pending_migrations
from gateway.console.faults import CommandRefusedError
from gateway.console.screen import answer, say
from gateway.console.session import session_of
from gateway.runtime.settings_view import describe


def migrate_books(
    context: typer.Context,
    *,
    pending: bool = typer.Option(
        False, "--pending", help="Only tell what is still to be applied."
    ),
) -> None:
    """
    Bring the books to the tables of this release.

    `scrip serve` does it by itself for embedded stores. Forward only; each step is one
    transaction, and what was applied already is left alone.
    """
    address = session_of(context).books_address()
    try:
        if pending:
            names = asyncio.run(pending_migrations(address))
        else:
            names = asyncio.run(migrate(address))
    except MigrationError as error:
        raise CommandRefusedError(str(error)) from error
    for name in names:
        answer(name)
    done = "still to be applied" if pending else "applied"
    say(f"{len(names)} {done}" if names else "the books are up to date")


def check_config(context: typer.Context) -> None:
    """
    Show all settings, secrets masked, or all that is wrong with them.

    A star marks what is not the default.
    """
    answer(describe(session_of(context).settings))


def version() -> None:
    """
    Show the version of Scrip.
    """
    answer(f"scrip {version_of('scrip')} (Python {platform.python_version()})")


APPS = {"migrate": migrate_books, "check-config": check_config, "version": version}
