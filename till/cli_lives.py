"""
`scrip till block`, `transfer` and `deactivate`: what becomes of a card.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated

import typer

from till.cli_options import (
    CardText,
    PinSource,
    RequestIdText,
    TillOptions,
    read_card,
    read_pin,
    read_request_id,
    with_till_options,
)
from till.codes import BlockReason
from till.requests import Block, Deactivate, Request, TransferBalance

Ask = Callable[[TillOptions, Request], None]


class BlockReasonName(Enum):
    """
    Name a reason as it is typed.
    """

    LOST = "lost"
    STOLEN = "stolen"
    FRAUD = "fraud"
    CUSTOMER = "customer"


def add_life_commands(app: typer.Typer, ask: Ask) -> None:
    """
    Add the commands; `ask` sends, shows what came back, and ends with its exit code.
    """

    @app.command()
    @with_till_options
    def block(
        till: TillOptions,
        *,
        reason: Annotated[BlockReasonName, typer.Option("--reason", help="Why.")],
        card: CardText = None,
        request_id: RequestIdText = None,
    ) -> None:
        """
        Block a card at once. Only the call centre can unblock it.
        """
        request = Block(
            request_id=read_request_id(request_id),
            card_number=read_card(card),
            reason=BlockReason[reason.name],
            terminal_id=till.terminal_id,
        )
        ask(till, request)

    @app.command()
    @with_till_options
    def transfer(
        till: TillOptions,
        *,
        to_card: Annotated[
            str,
            typer.Option("--to-card", help="The number of the card that receives it."),
        ],
        card: CardText = None,
        pin: PinSource = None,
        request_id: RequestIdText = None,
    ) -> None:
        """
        Move all that can be spent to another card of the same program.
        """
        request = TransferBalance(
            request_id=read_request_id(request_id),
            card_number=read_card(card),
            to_card_number=read_card(to_card),
            pin=read_pin(pin),
            terminal_id=till.terminal_id,
        )
        ask(till, request)

    @app.command()
    @with_till_options
    def deactivate(
        till: TillOptions, *, card: CardText = None, request_id: RequestIdText = None
    ) -> None:
        """
        Close an empty card for ever.
        """
        request = Deactivate(
            request_id=read_request_id(request_id),
            card_number=read_card(card),
            terminal_id=till.terminal_id,
        )
        ask(till, request)
