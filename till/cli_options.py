"""
What a person gives `scrip till`, and how it is read.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec, cast
from uuid import UUID

import typer

from currency import Currency, CurrencyError, Money
from till.card_number import CardNumber, CardNumberError
from till.client import TillClient
from till.connection import DEFAULT_TIMEOUT_S, Connection, CredentialError
from till.pin import MAX_DIGITS, MIN_DIGITS, Pin, PinError
from till.requests import new_request_id

Parameters = ParamSpec("Parameters")

MAX_TYPED_CHARACTERS: Final = 100
_ASK: Final = "ask"
DEFAULT_ADDRESS: Final = "127.0.0.1:7443"

Address = Annotated[
    str,
    typer.Option(
        "--address", envvar="TILL_ADDRESS", help="Host and port of the gateway."
    ),
]
CertificateFile = Annotated[
    Path,
    typer.Option(
        "--cert", envvar="TILL_CERT", help="The device's certificate, PEM.", exists=True
    ),
]
KeyFile = Annotated[
    Path,
    typer.Option("--key", envvar="TILL_KEY", help="Its private key, PEM.", exists=True),
]
AuthorityFile = Annotated[
    Path,
    typer.Option(
        "--ca",
        envvar="TILL_CA",
        help="The authority of the gateway's certificate, PEM.",
        exists=True,
    ),
]
TerminalId = Annotated[
    str,
    typer.Option(
        "--terminal",
        envvar="TILL_TERMINAL",
        help="The terminal to speak for; only with a controller's certificate.",
    ),
]
TimeoutS = Annotated[
    float,
    typer.Option(
        "--timeout", min=0.1, max=60.0, help="Seconds to wait for the answer."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the answer as JSON, for programs.")
]
CardText = Annotated[
    str | None,
    typer.Option(
        "--card",
        help="The card's number; '-' or nothing: read it from standard input, where "
        "it is not echoed.",
        show_default=False,
    ),
]
PinSource = Annotated[
    str | None,
    typer.Option(
        "--pin",
        metavar="ask|FILE",
        help="Where the card's PIN is: 'ask' asks for it, unseen, or reads the line of "
        "standard input behind the number's; else a file that holds it. Never itself.",
        show_default=False,
    ),
]
AmountText = Annotated[
    str,
    typer.Option(
        "--amount", help="With exactly the currency's digits: 10.000 KWD, 10 JPY."
    ),
]
CurrencyCode = Annotated[
    str,
    typer.Option(
        "--currency", envvar="TILL_CURRENCY", help="Three capital letters, as KWD."
    ),
]
OriginalTerminal = Annotated[
    str, typer.Option(help="Its terminal, if it is another of the same store.")
]
RequestIdText = Annotated[
    str | None,
    typer.Option(
        "--request-id",
        help="The UUID of an earlier attempt, to send it again; else a new one.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TillOptions:
    """
    Be what all commands of a till have in common.
    """

    address: str
    certificate_file: Path
    key_file: Path
    authority_file: Path
    terminal_id: str
    timeout_s: float
    as_json: bool

    def open_client(self) -> TillClient:
        """
        Open a client, or end as a usage error that names the file.
        """
        connection = Connection(
            address=self.address,
            certificate_file=self.certificate_file,
            key_file=self.key_file,
            authority_file=self.authority_file,
        )
        try:
            return TillClient.open(
                connection, terminal_id=self.terminal_id, timeout_s=self.timeout_s
            )
        except CredentialError as error:
            raise typer.BadParameter(
                str(error), param_hint="--cert, --key or --ca"
            ) from error


def collect_options(
    *,
    cert: CertificateFile,
    key: KeyFile,
    ca: AuthorityFile,
    address: Address = DEFAULT_ADDRESS,
    terminal: TerminalId = "",
    timeout: TimeoutS = DEFAULT_TIMEOUT_S,
    as_json: AsJson = False,
) -> TillOptions:
    """
    Gather what all commands have in common.
    """
    return TillOptions(
        address=address,
        certificate_file=cert,
        key_file=key,
        authority_file=ca,
        terminal_id=terminal,
        timeout_s=timeout,
        as_json=as_json,
    )


def with_till_options(
    command: Callable[Concatenate[TillOptions, Parameters], None],
) -> Callable[..., None]:
    """
    Give a command the options of `collect_options` beside its own.

    typer reads a command's options from its signature, so the wrapper carries both;
    they stand behind the command's name, where people type them.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    common = inspect.signature(collect_options, eval_str=True).parameters.values()

    @functools.wraps(command)
    def run(**values: Any) -> None:  # noqa: ANN401 -- typer passes what it parsed
        till = collect_options(**{each.name: values.pop(each.name) for each in common})
        rest = cast("Callable[..., None]", functools.partial(command, till))
        rest(**values)

    both = [each.replace(kind=each.KEYWORD_ONLY) for each in (*own, *common)]
    run.__annotations__ = {each.name: each.annotation for each in both}
    run.__signature__ = inspect.Signature(both)  # type: ignore[attr-defined]
    del run.__wrapped__
    return run


def read_pin(source: str | None) -> Pin | None:
    """
    Read the PIN from a hidden prompt, a line of input or a file; None: there is none.
    """
    if source is None:
        return None
    try:
        if source != _ASK:
            text = Path(source).read_text(encoding="ascii")[:MAX_TYPED_CHARACTERS]
        elif sys.stdin.isatty():
            text = typer.prompt("PIN", hide_input=True, type=str)
        else:
            text = sys.stdin.readline(MAX_TYPED_CHARACTERS)
        return Pin(text)
    except OSError as error:
        # What was typed may be the PIN itself, so it is not said again.
        message = f"the file cannot be read ({error.strerror})"
        raise typer.BadParameter(message, param_hint="--pin") from None
    except (PinError, UnicodeDecodeError):
        message = f"a PIN is {MIN_DIGITS} to {MAX_DIGITS} digits, on a line of its own"
        raise typer.BadParameter(message, param_hint="--pin") from None


def read_card(text: str | None) -> CardNumber:
    """
    Read the card's number from the option, a hidden prompt or a line of input.
    """
    if text is None or text == "-":
        if sys.stdin.isatty():
            text = typer.prompt("Card number", hide_input=True, type=str)
        else:
            text = sys.stdin.readline(MAX_TYPED_CHARACTERS)
    try:
        return CardNumber(str(text))
    except CardNumberError as error:
        raise typer.BadParameter(str(error), param_hint="--card") from error


def read_amount(text: str, code: str) -> Money:
    """
    Read an amount in the currency's digits; nothing is sent that has others.
    """
    if not code:
        raise typer.BadParameter(
            "an amount needs its currency, as --currency KWD", param_hint="--currency"
        )
    try:
        currency = Currency.of(code)
    except CurrencyError as error:
        raise typer.BadParameter(str(error), param_hint="--currency") from error
    try:
        return Money.parse(text, currency)
    except CurrencyError as error:
        raise typer.BadParameter(str(error), param_hint="--amount") from error


def read_request_id(text: str | None, *, option: str = "--request-id") -> UUID:
    """
    Read a request id, or make one.
    """
    if text is None:
        return new_request_id()
    try:
        return UUID(text)
    except ValueError as error:
        raise typer.BadParameter(
            "write the UUID that the attempt had", param_hint=option
        ) from error
