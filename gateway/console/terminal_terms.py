"""
`scrip terminal set`: how a terminal speaks with the gateway, and what it may do alone.
"""

from typing import Annotated

import typer

from currency import Currency
from gateway.books.admin_devices import TerminalName, TerminalTerms, set_terminal_terms
from gateway.console.faults import BadInputError, FieldError
from gateway.console.fields import read_amount, read_currency
from gateway.console.options import TerminalArgument
from gateway.console.screen import say
from gateway.console.session import session_of


def set_terms(
    context: typer.Context,
    name: TerminalArgument,
    *,
    two_message: Annotated[
        bool | None,
        typer.Option(
            "--two-message/--one-message",
            help="Whether it confirms each approval; a load counts only then.",
        ),
    ] = None,
    floor_limit: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="The most that a card pays of one sale made offline.",
        ),
    ] = None,
    currency: Annotated[
        Currency | None,
        typer.Option(
            parser=read_currency, metavar="CODE", help="The floor limit's currency."
        ),
    ] = None,
    no_floor_limit: Annotated[
        bool,
        typer.Option(
            "--no-floor-limit", help="Let cards pay nothing of what is sold offline."
        ),
    ] = False,
) -> None:
    """
    Say whether a terminal sends two messages, and up to what it may sell offline.
    """
    limit = _floor_limit(floor_limit, currency)
    if limit and no_floor_limit:
        raise BadInputError("--no-floor-limit: it is either this or --floor-limit")
    if two_message is None and limit is None and not no_floor_limit:
        raise BadInputError(
            "nothing to set: name --two-message, --one-message, --floor-limit or "
            "--no-floor-limit"
        )
    terms = TerminalTerms(
        two_message=two_message,
        sets_floor_limit=limit is not None or no_floor_limit,
        floor_limit_minor=limit[0] if limit else None,
        floor_limit_currency=limit[1].code if limit else None,
    )
    _set(context, name, terms)


def _floor_limit(
    text: str | None, currency: Currency | None
) -> tuple[int, Currency] | None:
    if text is None and currency is None:
        return None
    if text is None or currency is None:
        raise BadInputError(
            "--floor-limit: an amount needs its currency, as --floor-limit 50.00 "
            "--currency USD"
        )
    try:
        return read_amount(text, currency), currency
    except FieldError as error:
        raise BadInputError(f"--floor-limit: {error.message}") from error


def _set(context: typer.Context, name: TerminalName, terms: TerminalTerms) -> None:
    with session_of(context).change() as books:
        if not set_terminal_terms(books, name, terms):
            raise BadInputError(
                f"MERCHANT/STORE/TERMINAL: there is no open terminal {'/'.join(name)}: "
                "see `scrip terminal list`"
            )
    say(f"terminal {'/'.join(name)} is set")
