"""
Be a till from the shell: `scrip till redeem --amount 10.000 --currency KWD`.

The exit code is for scripts: 0 approved, 1 declined, 2 wrong usage, 3 not applied, 4
outcome unknown. The request id is printed before anything is sent, because whoever
waits for an answer in vain needs it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Annotated, Final

import typer

from till.answer import Answer
from till.cli_holds import add_hold_commands
from till.cli_late import add_late_commands
from till.cli_lives import add_life_commands
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
from till.codes import LoadType, ReversalReason
from till.errors import Meaning, NotRecordedError, TillError
from till.printing import answer_json, answer_lines, error_json
from till.requests import (
    Activate,
    Advice,
    Block,
    CancelAuthorization,
    CashOut,
    Confirm,
    Deactivate,
    GetBalance,
    GetTransaction,
    Load,
    Redeem,
    Refund,
    Request,
    Reverse,
    TransferBalance,
    Void,
)

CONNECT_TIMEOUT_S: Final = 3.0

till_app = typer.Typer(
    name="till",
    help="Be a till: activate, load, redeem, cash out, refund, undo, confirm and ask "
    "over mutual TLS.",
    no_args_is_help=True,
    add_completion=False,
)


class Exit(IntEnum):
    """
    What the shell is told.
    """

    APPROVED = 0
    DECLINED = 1
    USAGE = 2
    NOT_APPLIED = 3
    UNKNOWN = 4


class LoadTypeName(Enum):
    """
    Why value is added, as written in the shell.
    """

    SALE = "sale"
    MERCHANDISE_RETURN = "merchandise-return"
    PROMO = "promo"


class ReasonName(Enum):
    """
    Why a request is reversed, as written in the shell.
    """

    CUSTOMER_CANCELLATION = "customer-cancellation"
    RESPONSE_TOO_LATE = "response-too-late"
    INVALID_RESPONSE = "invalid-response"
    TIMEOUT = "timeout"


@till_app.command()
@with_till_options
def activate(
    till: TillOptions,
    *,
    card: CardText = None,
    amount: AmountText = "",
    currency: CurrencyCode = "",
    request_id: RequestIdText = None,
) -> None:
    """
    Make a pending card usable, with a first amount or none.
    """
    money = read_amount(amount, currency) if amount else None
    request = Activate(
        request_id=read_request_id(request_id),
        card_number=read_card(card),
        initial_amount=money,
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_stands)


@till_app.command()
@with_till_options
def load(
    till: TillOptions,
    *,
    amount: AmountText,
    currency: CurrencyCode = "",
    card: CardText = None,
    pin: PinSource = None,
    load_type: Annotated[LoadTypeName, typer.Option("--type")] = LoadTypeName.SALE,
    request_id: RequestIdText = None,
) -> None:
    """
    Add value to an active card.
    """
    request = Load(
        request_id=read_request_id(request_id),
        amount=read_amount(amount, currency),
        card_number=read_card(card),
        pin=read_pin(pin),
        load_type=LoadType[load_type.name],
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_stands)


@till_app.command()
@with_till_options
def redeem(
    till: TillOptions,
    *,
    amount: AmountText,
    currency: CurrencyCode = "",
    card: CardText = None,
    pin: PinSource = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take what the card has, if it is less.")
    ] = False,
    request_id: RequestIdText = None,
) -> None:
    """
    Spend from a card.
    """
    request = Redeem(
        request_id=read_request_id(request_id),
        amount=read_amount(amount, currency),
        card_number=read_card(card),
        pin=read_pin(pin),
        allow_partial=partial,
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_stands)


@till_app.command("cash-out")
@with_till_options
def cash_out(
    till: TillOptions,
    *,
    card: CardText = None,
    pin: PinSource = None,
    request_id: RequestIdText = None,
) -> None:
    """
    Pay the rest of a card out in cash, where law or program allow it.
    """
    request = CashOut(
        request_id=read_request_id(request_id),
        card_number=read_card(card),
        pin=read_pin(pin),
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_stands)


@till_app.command()
@with_till_options
def balance(till: TillOptions, *, card: CardText = None, pin: PinSource = None) -> None:
    """
    Read a card's balance. Nothing is recorded.
    """
    request = GetBalance(
        card_number=read_card(card),
        pin=read_pin(pin),
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_approved)


@till_app.command()
@with_till_options
def reverse(
    till: TillOptions,
    *,
    original: Annotated[
        str,
        typer.Option("--original", help="The request id to undo, done or not."),
    ],
    original_terminal: OriginalTerminal = "",
    reason: Annotated[ReasonName, typer.Option("--reason")] = ReasonName.TIMEOUT,
    request_id: RequestIdText = None,
) -> None:
    """
    Undo a request whose answer never came, whether or not it was ever done.

    Declined as ORIGINAL_NOT_FOUND it is final too: the original will never be done.
    """
    request = Reverse(
        request_id=read_request_id(request_id),
        original_request_id=read_request_id(original, option="--original"),
        original_terminal_id=original_terminal,
        reason=ReversalReason[reason.name],
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_approved)


@till_app.command()
@with_till_options
def refund(
    till: TillOptions,
    *,
    original: Annotated[
        str,
        typer.Option("--original", help="The request id of the sale."),
    ],
    amount: AmountText,
    currency: CurrencyCode = "",
    original_terminal: OriginalTerminal = "",
    request_id: RequestIdText = None,
) -> None:
    """
    Give back what a sale spent, wholly or in part, in the currency of the sale.
    """
    request = Refund(
        request_id=read_request_id(request_id),
        original_request_id=read_request_id(original, option="--original"),
        original_terminal_id=original_terminal,
        amount=read_amount(amount, currency),
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_stands)


@till_app.command()
@with_till_options
def void(
    till: TillOptions,
    *,
    original: Annotated[
        str,
        typer.Option("--original", help="The request id of what is to be undone."),
    ],
    original_terminal: OriginalTerminal = "",
    request_id: RequestIdText = None,
) -> None:
    """
    Undo what was approved on this business day; later, refund it.
    """
    request = Void(
        request_id=read_request_id(request_id),
        original_request_id=read_request_id(original, option="--original"),
        original_terminal_id=original_terminal,
        terminal_id=till.terminal_id,
    )
    _ask(till, request, paid=_stands)


@till_app.command()
@with_till_options
def status(
    till: TillOptions,
    *,
    request_id: Annotated[
        str, typer.Option("--request-id", help="The request id to ask about.")
    ],
) -> None:
    """
    Ask what is recorded for a request id. That nothing is, is not final.
    """
    request = GetTransaction(
        request_id=read_request_id(request_id), terminal_id=till.terminal_id
    )
    _ask(till, request, paid=_stands)


def _stands(answer: Answer) -> bool:
    return answer.stands


def _approved(answer: Answer) -> bool:
    return answer.approved


def _ask(
    till: TillOptions, request: Request, *, paid: Callable[[Answer], bool]
) -> None:
    """
    Send it, show what came back, and end with the exit code of it.
    """
    try:
        answer = asyncio.run(_send(till, request))
    except TillError as error:
        if till.as_json:
            typer.echo(error_json(error))
        else:
            typer.echo("\n".join([str(error), *_next_steps(request, error)]), err=True)
        raise typer.Exit(_exit_of(error)) from error
    if till.as_json:
        typer.echo(answer_json(answer))
    else:
        typer.echo("\n".join(answer_lines(answer)))
    raise typer.Exit(Exit.APPROVED if paid(answer) else Exit.DECLINED)


async def _send(till: TillOptions, request: Request) -> Answer:
    async with till.open_client() as client:
        await client.connect(timeout_s=min(CONNECT_TIMEOUT_S, till.timeout_s))
        if not isinstance(request, GetBalance | GetTransaction):
            # Whoever waits in vain needs it, so it comes before anything is sent.
            typer.echo(f"request id {request.request_id}", err=True)
        return await client.send(request)


def _next_steps(request: Request, error: TillError) -> list[str]:
    """
    Give the commands that bring an open request to its end.
    """
    if error.meaning is Meaning.REFUSED or isinstance(request, GetBalance):
        return []
    if isinstance(request, GetTransaction):
        return [f"to shut it out: scrip till reverse --original {request.request_id}"]
    again = f"again: the same command with --request-id {request.request_id}"
    kept = Block | TransferBalance | Deactivate
    done = Confirm | Advice  # what is done already is told until it is answered
    if isinstance(request, Reverse | Void | CancelAuthorization | kept | done):
        return [again]
    return [
        again,
        f"or give up: scrip till reverse --original {request.request_id}",
    ]


def _exit_of(error: TillError) -> Exit:
    if isinstance(error, NotRecordedError):
        return Exit.DECLINED if error.final else Exit.UNKNOWN
    if error.meaning is Meaning.NOT_APPLIED:
        return Exit.NOT_APPLIED
    if error.meaning is Meaning.REFUSED:
        return Exit.USAGE if error.status == "INVALID_ARGUMENT" else Exit.NOT_APPLIED
    return Exit.UNKNOWN


add_hold_commands(till_app, functools.partial(_ask, paid=_stands))
add_life_commands(till_app, functools.partial(_ask, paid=_stands))
add_late_commands(till_app, functools.partial(_ask, paid=_stands))
