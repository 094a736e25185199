"""
`scrip card`: make cards in bulk, and look at one.

No command here gives a card value: that comes by Activate and Load, through the money
path, where it is recorded and limited.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from currency import Currency
from gateway.books.admin import AdminConnection
from gateway.books.admin_cards import cards, products
from gateway.console.asked_card import NO_SUCH_CARD, asked_card_index, find_card
from gateway.console.card_issue import CardIssue, PinIssue
from gateway.console.card_number_file import CardNumberFile
from gateway.console.card_restricting import (
    LiftOption,
    RestrictionOption,
    list_batches,
    require_set,
    restrict_batch,
    restrict_one_card,
)
from gateway.console.faults import BadInputError
from gateway.console.options import AsJson, ProductName, ProductOption
from gateway.console.screen import Column, progress, say, show_rows, warn
from gateway.console.session import session_of
from gateway.console.wording import Wording
from gateway.domain.cards import BlockReason, CardState
from gateway.vault.numbers import NumberVault
from gateway.vault.pins import PIN_MAX_DIGITS, PIN_MIN_DIGITS, PinVault

app = typer.Typer(no_args_is_help=True, help="Cards: make them, look at one.")

MAX_COUNT: Final = 10_000_000
MAX_SHOWN_CARDS: Final = 50
_LAST_FOUR: Final = 4
# Enough that three guesses an hour find none, few enough to be remembered.
_PIN_DIGITS: Final = 6


PinsOption = Annotated[
    bool, typer.Option("--pins", help="Give each card a PIN of its own.")
]
PinDigitsOption = Annotated[
    int,
    typer.Option(
        min=PIN_MIN_DIGITS,
        max=PIN_MAX_DIGITS,
        metavar="N",
        help="How many digits a PIN has.",
    ),
]
OutFile = Annotated[
    Path,
    typer.Option(
        metavar="FILE.csv",
        help="Where the numbers are written (card_id,card_number), with --pins the "
        "PINs too (,pin), for their owner only. It is the only place where they "
        "stand in clear.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    product: ProductOption,
    count: Annotated[
        int, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="How many.")
    ],
    out: OutFile,
    *,
    prefix: Annotated[
        str,
        typer.Option(metavar="DIGITS", help="What every number begins with."),
    ] = "",
    length: Annotated[
        int,
        typer.Option(min=12, max=19, metavar="N", help="How many digits a number has."),
    ] = 19,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with FILE.csv of a run that was interrupted, up to --count.",
        ),
    ] = False,
    restriction: RestrictionOption = None,
    pins: PinsOption = False,
    pin_digits: PinDigitsOption = _PIN_DIGITS,
) -> None:
    """
    Make cards: PENDING and empty, until a till activates them.

    Each batch is one transaction, and its numbers are on the disk before it commits: an
    interrupted run can be resumed with --resume and loses none. Each run is an issue
    batch of its own; a resumed one goes on with its batch.
    """
    session = session_of(context)
    key_ring = session.key_ring()
    vault = NumberVault(key_ring)
    with session.books() as books:
        issue = CardIssue(
            books,
            vault,
            product_id=_product_id(books, product),
            prefix=prefix,
            length=length,
            restriction_set_id=None
            if restriction is None
            else require_set(books, product.program, restriction),
            pins=PinIssue(PinVault(key_ring), pin_digits) if pins else None,
        )
        issue.check_room(count)
        with CardNumberFile.open(out, resume=resume, pins=pins) as file:
            done = issue.settle(file)
            if done > count:
                raise BadInputError(
                    f"--count: {out} holds {done} cards already: ask for more"
                )
            if done:
                say(f"{out} holds {session.wording.count(done)} cards; going on")
            with progress("making cards", count) as advance:
                advance(done)
                issue.make(count - done, file, advance)
    say(f"{session.wording.count(count)} cards of {'/'.join(product)} are in {out}")


@app.command()
def show(
    context: typer.Context,
    last_four: Annotated[
        str | None,
        typer.Argument(
            metavar="[LAST4]",
            help="The last four digits. Without them the whole number is read from "
            "standard input, where it is not echoed.",
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """
    Show cards, their numbers masked: by the last four digits, or one by its number.
    """
    session = session_of(context)
    if last_four is None:
        number_index = asked_card_index(session)
    elif len(last_four) == _LAST_FOUR and last_four.isascii() and last_four.isdigit():
        number_index = None
    else:
        # Somebody typed a whole number where others can read it: it is not repeated.
        raise BadInputError(
            "LAST4: write the last four digits alone; a whole number is read from "
            "standard input: scrip card show < FILE"
        )
    with session.books() as books:
        rows = cards(
            books,
            number_index=number_index,
            last_four=last_four,
            limit=MAX_SHOWN_CARDS,
        )
    if not rows:
        raise BadInputError(NO_SUCH_CARD)
    shown = [_shown(row, session.wording, as_json=as_json) for row in rows]
    show_rows(shown, _COLUMNS, as_json=as_json)
    if len(rows) == MAX_SHOWN_CARDS:
        warn(f"these are the first {MAX_SHOWN_CARDS}: give the whole number for one")


@app.command()
def restrict(
    context: typer.Context,
    *,
    restriction: RestrictionOption = None,
    lift: LiftOption = False,
) -> None:
    """
    Give one card a restriction set of its own, or take it away.

    Its number is read from standard input, where it is not echoed.
    """
    session = session_of(context)
    number_index = asked_card_index(session)
    with session.change() as books:
        card = find_card(books, number_index)
        restrict_one_card(
            books,
            card_id=card["card_id"],
            program=card["program"],
            restriction=restriction,
            lift=lift,
        )
    say(f"card {card['card_id']} has {restriction or 'no restriction'} of its own")


app.command("batches")(list_batches)
app.command("restrict-batch")(restrict_batch)

_COLUMNS: Final = (
    Column(title="Card", key="card_id", is_figure=True),
    Column(title="Number", key="number"),
    Column(title="Product", key="product"),
    Column(title="State", key="state"),
    Column(title="Balance", key="balance", is_figure=True),
    Column(title="Available", key="available", is_figure=True),
    Column(title="Expires", key="expires_on"),
    Column(title="Last transaction", key="last_transaction_at"),
    Column(title="Version", key="version", is_figure=True),
    Column(title="Batch", key="issue_batch_id", is_figure=True),
    Column(title="Restriction", key="restriction"),
    Column(title="PIN", key="pin"),
)


def _shown(row: dict[str, Any], wording: Wording, *, as_json: bool) -> dict[str, Any]:
    held_minor = row["held_minor"] + row["unconfirmed_minor"]
    state = CardState(row["state"]).name
    if row["block_reason"] is not None:
        state = f"{state} ({BlockReason(row['block_reason']).name})"
    shown = {
        "card_id": row["card_id"],
        "number": f"••••{row['last_four']}",
        "product": f"{row['program']}/{row['product']}",
        "state": state,
        "currency": row["currency"],
        "balance_minor": row["balance_minor"],
        "available_minor": row["balance_minor"] - held_minor,
        "expires_on": row["expires_on"],
        "last_transaction_at": row["last_transaction_at"],
        "version": row["version"],
        "issue_batch_id": row["issue_batch_id"],
        "restriction": row["restriction"],
        "has_pin": row["has_pin"],
        "pin_tries": row["pin_tries"],
    }
    if as_json:
        return shown
    currency = Currency.of(row["currency"])
    at, day = shown["last_transaction_at"], shown["expires_on"]
    return {
        **shown,
        "pin": _pin_of(shown),
        "balance": wording.money(shown["balance_minor"], currency),
        "available": wording.money(shown["available_minor"], currency),
        "expires_on": None if day is None else wording.day(day),
        "last_transaction_at": None if at is None else wording.moment(at),
    }


def _pin_of(shown: dict[str, Any]) -> str | None:
    """
    Say whether a card has a PIN, and how often it was wrong of late.
    """
    if not shown["has_pin"]:
        return None
    tries = shown["pin_tries"]
    return f"set, wrong {tries} times" if tries else "set"


def _product_id(books: AdminConnection, name: ProductName) -> int:
    rows = products(books, name.program, name.product)
    if not rows:
        raise BadInputError(
            f"--product: there is no product {'/'.join(name)}: see `scrip product list`"
        )
    product_id: int = rows[0]["product_id"]
    return product_id


APPS = {"card": app}
