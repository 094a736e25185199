"""
`scrip demo`: real shoppers at 453 stores, against a gateway started for it.
"""

from __future__ import annotations

import asyncio
import signal
from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop
from rich.console import Console

from till.demo.folder import DEFAULT_FOLDER, DemoError, DemoFolder
from till.demo.invitation import invitation
from till.demo.run import Demo, DemoOptions
from till.demo.summary import Outcome
from till.simulation.purchases import FIRST_DAY, LAST_DAY
from till.simulation.replay import DEFAULT_IN_FLIGHT

ALL_MONTHS: Final = 18
MAX_IN_FLIGHT: Final = 512
INTERRUPTED: Final = 130
_MONTHS_A_YEAR: Final = 12

demo_app = typer.Typer(
    name="demo",
    help="Start everything and let 453 stores trade.",
    add_completion=False,
)


@demo_app.callback(invoke_without_command=True)
def demo(
    *,
    months: Annotated[
        int,
        typer.Option(min=1, max=ALL_MONTHS, help="How many months of purchases."),
    ] = 1,
    everything: Annotated[
        bool, typer.Option("--all", help="All eighteen months.")
    ] = False,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=31, help="Only the first days.", show_default=False),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(help="Where all of it is kept; an earlier demo there is deleted."),
    ] = DEFAULT_FOLDER,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Gateway processes.")] = 1,
    in_flight: Annotated[
        int,
        typer.Option(min=1, max=MAX_IN_FLIGHT, help="Shoppers at tills at once."),
    ] = DEFAULT_IN_FLIGHT,
    once: Annotated[
        bool,
        typer.Option(
            "--once", envvar="DEMO_ONCE", help="End after the summary (DEMO_ONCE=1)."
        ),
    ] = False,
) -> None:
    """
    Start a gateway on stores of its own, and let 453 stores trade on it.

    The shoppers are real: the purchases of a shop of 1997 and 1998, moved to 2025 and
    2026. The exit code is 1 when the books or a single cent are not right.
    """
    options = DemoOptions(
        folder=folder,
        last_day=last_day_of(ALL_MONTHS if everything else months, days),
        workers=workers,
        in_flight=in_flight,
    )
    console = Console(highlight=False)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            good = runner.run(_demo(options, console, once=once))
    except DemoError as error:
        console.print(f"demo: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        raise typer.Exit(INTERRUPTED) from error
    raise typer.Exit(0 if good else 1)


def last_day_of(months: int, days: int | None) -> date:
    """
    Give the last day of so many months, or of the first days.
    """
    if days is not None:
        return date(FIRST_DAY.year, FIRST_DAY.month, days)
    years, month = divmod(months - 1, _MONTHS_A_YEAR)
    year, month = FIRST_DAY.year + years, month + 1
    return min(date(year, month, monthrange(year, month)[1]), LAST_DAY)


async def _demo(options: DemoOptions, console: Console, *, once: bool) -> bool:
    """
    Run it, and serve on; whatever happens the gateway is stopped in the end.
    """
    folder = DemoFolder(options.folder)
    _end_gently_on_signals()
    with folder.make_anew():
        demo = Demo(options, folder, console)
        try:
            outcome = await demo.run()
            if not once:
                await _serve_on(demo, outcome, folder, console)
        except* DemoError as group:
            raise _first(group) from group
        finally:
            await demo.stop()
    return outcome.good


async def _serve_on(
    demo: Demo, outcome: Outcome, folder: DemoFolder, console: Console
) -> None:
    """
    Say how to reach it, and wait until somebody ends it.
    """
    for line in invitation(
        folder,
        address=demo.address,
        visits=demo.visits,
        cards=demo.cards.of_customers,
        stories=outcome.stories,
    ):
        console.print(line, markup=False, soft_wrap=True)
    console.print("\nScrip goes on serving. Ctrl-C ends it.")
    try:
        await demo.wait()
    except asyncio.CancelledError:
        # Ctrl-C is how it is meant to end: the summary alone decides the exit code.
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()


def _end_gently_on_signals() -> None:
    """
    Let SIGTERM and a closed terminal end it as Ctrl-C does, gateway and all.
    """
    task = asyncio.current_task()
    if task is not None:
        for name in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(name, task.cancel)


def _first(group: BaseExceptionGroup[DemoError]) -> DemoError:
    """
    Give the first of the errors that tasks side by side ended with.
    """
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("a group holds at least one error")
