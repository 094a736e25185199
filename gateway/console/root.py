"""
The `scrip` command: its groups, those that other packages add, and its exit codes.

A group is imported when it is asked for: `scrip version` does not load a database
driver, and a package that cannot be loaded does not take the others with it.
"""

import importlib
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from currency import CurrencyError
from gateway.books.admin import AdminError, ConflictError
from gateway.console.faults import EXIT_BAD_INPUT, EXIT_FAILED, CommandRefusedError
from gateway.console.screen import complain
from gateway.console.session import Session
from gateway.runtime.core_dumps import forbid_core_dumps
from gateway.runtime.embedded import EmbeddedServerError
from gateway.runtime.settings import SettingsError
from gateway.vault.errors import VaultError

ENTRY_POINTS: Final = "scrip.commands"

OWN_COMMANDS: Final = {
    "serve": "gateway.console.serve",
    "clerk": "gateway.console.clerk",
    "migrate": "gateway.console.upkeep",
    "check-config": "gateway.console.upkeep",
    "version": "gateway.console.upkeep",
    "program": "gateway.console.programs",
    "merchant": "gateway.console.merchants",
    "store": "gateway.console.stores",
    "store-group": "gateway.console.store_groups",
    "terminal": "gateway.console.terminals",
    "device": "gateway.console.devices",
    "staff": "gateway.console.staff",
    "restriction": "gateway.console.restrictions",
    "limit": "gateway.console.limits",
    "product": "gateway.console.products",
    "card": "gateway.console.cards",
    "rates": "gateway.console.rates",
    "cash-out": "gateway.console.cash_out",
    "clock": "gateway.console.clock",
    "books": "gateway.console.books",
    "exceptions": "gateway.console.exceptions",
    "explain": "gateway.console.explain",
    "audit": "gateway.console.audit",
}


class RootGroup(TyperGroup):
    """
    Find commands by name when they are asked for, and end each with its exit code.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 -- typer's own type is private
        """
        Name all commands: ours, then those of other packages.
        """
        del ctx
        return [*OWN_COMMANDS, *_added()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 -- as above
        """
        Load one command.
        """
        del ctx
        if cmd_name in OWN_COMMANDS:
            module = importlib.import_module(OWN_COMMANDS[cmd_name])
            return _command_of(module.APPS[cmd_name], cmd_name)
        point = _added().get(cmd_name)
        return None if point is None else _load(point)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 -- as above
        """
        Show help in colours; faults stay plain lines, which no frame breaks.
        """
        self.rich_markup_mode = "rich"
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 -- as above
        """
        Run a command; what it refuses becomes a sentence and an exit code.
        """
        try:
            return super().invoke(ctx)
        except CommandRefusedError as error:
            complain(error.message, error.lines)
            raise typer.Exit(error.exit_code) from error
        except (SettingsError, CurrencyError, ConflictError) as error:
            first, *rest = str(error).splitlines()
            complain(first, rest)
            raise typer.Exit(EXIT_BAD_INPUT) from error
        except BrokenPipeError:
            # Whoever read our output has enough: typer ends this quietly.
            raise
        except (AdminError, EmbeddedServerError, VaultError, OSError) as error:
            complain(str(error))
            raise typer.Exit(EXIT_FAILED) from error


app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # A traceback with the variables of its frames could show what must not be shown.
    pretty_exceptions_enable=False,
)


@app.callback()
def scrip(
    context: typer.Context,
    data_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where embedded stores, keys and certificates are kept "
            "(instead of SCRIP_DATA_FOLDER).",
        ),
    ] = None,
) -> None:
    """
    Run and keep a gift-card and stored-value gateway.

    Settings come from the environment: see `scrip check-config`. A command ends with 0
    when done, 2 when what it was given is wrong, and 1 when it could not be done.
    """
    context.obj = Session(data_folder)


def main() -> None:
    """
    Run the command that the arguments name.
    """
    forbid_core_dumps()
    app(prog_name="scrip")


def _added() -> dict[str, EntryPoint]:
    """
    Find the commands of other packages; ours cannot be replaced.
    """
    points = entry_points(group=ENTRY_POINTS)
    return {point.name: point for point in points if point.name not in OWN_COMMANDS}


def _load(point: EntryPoint) -> object:
    """
    Load a command of another package: a typer application, or a function.
    """
    try:
        found = point.load()
    except ImportError as error:
        return _broken(point.name, str(error))
    return _command_of(found, point.name)


def _command_of(found: object, name: str) -> Any:  # noqa: ANN401 -- as above
    if isinstance(found, typer.Typer):
        application = found
    else:
        application = typer.Typer(add_completion=False)
        application.command(name)(found)  # type: ignore[type-var]
    command = typer.main.get_command(application)
    command.name = name
    return command


def _broken(name: str, why: str) -> object:
    """
    Stand in for a command that cannot be loaded, so that it says why.
    """

    def broken() -> None:
        complain(f"`scrip {name}` cannot be loaded: {why}")
        sys.exit(EXIT_FAILED)

    broken.__doc__ = f"(cannot be loaded: {why})"
    return _command_of(broken, name)
