"""
`scrip till authorize`, `increment`, `capture` and `cancel`: amounts held for later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from till.cli_options import (
    AmountText,
    CardText,
    CurrencyCode,
    OriginalTerminal,
    PinSource,
    RequestIdText,
    TillOptions,
    read_amount,
    read_card,
    read_pin,
    read_request_id,
    with_till_options,
)
from till.requests import (
    Authorize,
    CancelAuthorization,
    Capture,
    IncrementAuthorization,
    Request,
)

Ask = Callable[[TillOptions, Request], None]
OriginalHold = Annotated[
    str, typer.Option("--original", help="The request id of the authorize.")
]


def add_hold_commands(app: typer.Typer, ask: Ask) -> None:
    """
    Add the commands; `ask` sends, shows what came back, and ends with its exit code.
    """
    _add_placing(app, ask)
    _add_ending(app, ask)


def _add_placing(app: typer.Typer, ask: Ask) -> None:
    @app.command()
    @with_till_options
    def authorize(
        till: TillOptions,
        *,
        amount: AmountText,
        currency: CurrencyCode = "",
        card: CardText = None,
        pin: PinSource = None,
        partial: Annotated[
            bool,
            typer.Option("--partial", help="Hold what the card has, if it is less."),
        ] = False,
        live_s: Annotated[
            int | None,
            typer.Option(
                "--live",
                min=1,
                max=31_622_400,
                metavar="SECONDS",
                help="How long it is held at most, if that is shorter than the "
                "product says.",
            ),
        ] = None,
        request_id: RequestIdText = None,
    ) -> None:
        """
        Hold an amount for a later capture.
        """
        request = Authorize(
            request_id=read_request_id(request_id),
            amount=read_amount(amount, currency),
            card_number=read_card(card),
            pin=read_pin(pin),
            allow_partial=partial,
            time_to_live_s=live_s,
            terminal_id=till.terminal_id,
        )
        ask(till, request)

    @app.command()
    @with_till_options
    def increment(
        till: TillOptions,
        *,
        original: OriginalHold,
        amount: AmountText,
        currency: CurrencyCode = "",
        original_terminal: OriginalTerminal = "",
        request_id: RequestIdText = None,
    ) -> None:
        """
        Hold more under an open hold, in its currency and at its rate.
        """
        request = IncrementAuthorization(
            request_id=read_request_id(request_id),
            original_request_id=read_request_id(original, option="--original"),
            original_terminal_id=original_terminal,
            amount=read_amount(amount, currency),
            terminal_id=till.terminal_id,
        )
        ask(till, request)


def _add_ending(app: typer.Typer, ask: Ask) -> None:
    @app.command()
    @with_till_options
    def capture(
        till: TillOptions,
        *,
        original: OriginalHold,
        amount: Annotated[
            str,
            typer.Option(
                "--amount", help="How much; without it all that is left of the hold."
            ),
        ] = "",
        currency: CurrencyCode = "",
        keep_open: Annotated[
            bool,
            typer.Option("--keep-open", help="Keep the rest for further captures."),
        ] = False,
        original_terminal: OriginalTerminal = "",
        request_id: RequestIdText = None,
    ) -> None:
        """
        Spend from a hold; the rest of it is free again at once.
        """
        request = Capture(
            request_id=read_request_id(request_id),
            original_request_id=read_request_id(original, option="--original"),
            original_terminal_id=original_terminal,
            amount=read_amount(amount, currency) if amount else None,
            keep_open=keep_open,
            terminal_id=till.terminal_id,
        )
        ask(till, request)

    @app.command()
    @with_till_options
    def cancel(
        till: TillOptions,
        *,
        original: OriginalHold,
        original_terminal: OriginalTerminal = "",
        request_id: RequestIdText = None,
    ) -> None:
        """
        Give up what is left of a hold.
        """
        request = CancelAuthorization(
            request_id=read_request_id(request_id),
            original_request_id=read_request_id(original, option="--original"),
            original_terminal_id=original_terminal,
            terminal_id=till.terminal_id,
        )
        ask(till, request)
