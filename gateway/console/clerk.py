"""
`scrip clerk`: release the holds that nobody touches, in a process of its own.
"""

import typer

from gateway.clerk import run_clerk
from gateway.console.session import session_of


def clerk(context: typer.Context) -> None:
    """
    Run a clerk until Ctrl-C or SIGTERM, beside gateways that run already.

    `scrip serve` runs one by itself. Another, on a machine of its own or where
    SCRIP_CLERK__ENABLED is false, shares the work: a hold ends once, whoever comes
    first. Without SCRIP_POSTGRES__URL it uses the stores that run from the data folder.
    """
    settings = session_of(context).settings
    postgres = settings.postgres.model_copy(update={"owner_url": None})
    raise typer.Exit(run_clerk(settings.model_copy(update={"postgres": postgres})))


APPS = {"clerk": clerk}
