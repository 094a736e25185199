"""
`scrip till confirm` and `scrip till advice`: what is said after the fact.
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
    RequestIdText,
    TillOptions,
    read_amount,
    read_card,
    read_request_id,
    with_till_options,
)
from till.requests import Advice, Confirm, Request, TillContext

Ask = Callable[[TillOptions, Request], None]


def add_late_commands(app: typer.Typer, ask: Ask) -> None:
    """
    Add the commands; `ask` sends, shows what came back, and ends with its exit code.
    """

    @app.command()
    @with_till_options
    def confirm(
        till: TillOptions,
        *,
        original: Annotated[
            str,
            typer.Option("--original", help="The request id of what was approved."),
        ],
        original_terminal: OriginalTerminal = "",
        request_id: RequestIdText = None,
    ) -> None:
        """
        Confirm an approved request, at a terminal that sends two messages.
        """
        request = Confirm(
            request_id=read_request_id(request_id),
            original_request_id=read_request_id(original, option="--original"),
            original_terminal_id=original_terminal,
            terminal_id=till.terminal_id,
        )
        ask(till, request)

    @app.command()
    @with_till_options
    def advice(
        till: TillOptions,
        *,
        amount: AmountText,
        currency: CurrencyCode = "",
        card: CardText = None,
        local_time: Annotated[
            str,
            typer.Option(
                "--local-time", help="When it was sold, as 2026-03-01T10:00:00+02:00."
            ),
        ] = "",
        request_id: RequestIdText = None,
    ) -> None:
        """
        Tell of a sale that was made already, while the gateway could not be asked.

        It is approved whatever the card pays of it.
        """
        request = Advice(
            request_id=read_request_id(request_id),
            amount=read_amount(amount, currency),
            card_number=read_card(card),
            terminal_id=till.terminal_id,
            context=TillContext(local_time=local_time),
        )
        ask(till, request)
