"""
`scrip cash-out`: where a small rest of a card is paid out in cash.
"""

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from currency import Currency
from gateway.books.admin_cards import products
from gateway.books.admin_cash_out import (
    SourcedRule,
    cash_out_rules,
    forbid_cash_out,
    permit_cash_out,
    put_cash_out_rules,
)
from gateway.console.cash_out_file import (
    CARDS,
    KINDS,
    OPTIONAL,
    REQUIRED,
    read_cash_out_rules,
)
from gateway.console.faults import BadInputError, FieldError
from gateway.console.fields import read_amount, read_jurisdiction
from gateway.console.options import AsJson, ProductName, read_product_name
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import Session, session_of
from gateway.console.wording import Wording
from gateway.domain.cash_out_rules import RuledCards, RuleKind

app = typer.Typer(
    no_args_is_help=True, help="Cash-out: where a small rest is paid out in cash."
)

ProductArgument = Annotated[
    ProductName,
    typer.Argument(
        parser=read_product_name,
        metavar="PROGRAM/PRODUCT",
        help="The product, as gift/standard.",
    ),
]
_CARD_NAMES: Final = {int(cards): name for name, cards in CARDS.items()}
_KIND_NAMES: Final = {int(kind): name for name, kind in KINDS.items()}


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv",
            help=f"Columns: {','.join(REQUIRED)} and, as the rule needs them, "
            f"{','.join(OPTIONAL)}.",
        ),
    ],
) -> None:
    """
    Load rules of law from a CSV file: all of it, or with any fault nothing.

    `cards` is any, single-load or reloadable. `rule` is below or up-to (an amount and
    its currency), used (a percentage of what was loaded), or never. A rule for the same
    place, day and cards replaces the one before.
    """
    _put(session_of(context), read_cash_out_rules(file))


@app.command()
def official(context: typer.Context) -> None:
    """
    Load the packaged rules of those states of the USA that have any.

    They are no legal advice: each names its source, to be read before it is relied on.
    """
    packaged = files("gateway.console").joinpath("data", "cash_out_rules.csv")
    with as_file(packaged) as file:
        rules = read_cash_out_rules(file)
    _put(session_of(context), rules)


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    jurisdiction: Annotated[
        str | None,
        typer.Option(
            parser=read_jurisdiction, metavar="CODE", help="Only this one's, as US-CA."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    List the rules of law, oldest first.
    """
    session = session_of(context)
    with session.books() as books:
        rows = cash_out_rules(books, jurisdiction)
    if as_json:
        show_rows([_named(row) for row in rows], (), as_json=True)
        return
    shown = [_shown(row, session.wording) for row in rows]
    show_rows(shown, _columns(session.wording), as_json=False)


@app.command()
def allow(
    context: typer.Context,
    name: ProductArgument,
    *,
    up_to: Annotated[
        str | None,
        typer.Option(
            "--up-to",
            metavar="AMOUNT",
            help="Pay such a balance out wherever the card is taken, in the card's "
            "currency; else only where the law says so.",
        ),
    ] = None,
) -> None:
    """
    Let the cards of a product be paid out.
    """
    with session_of(context).change() as books:
        found = products(books, *name)
        if not found:
            raise _no_product(name)
        limit = _minor(up_to, Currency.of(found[0]["currency"]))
        permit_cash_out(
            books, program=name.program, product=name.product, limit_minor=limit
        )
    where = "by law" if up_to is None else f"by law, and up to {up_to} everywhere"
    say(f"cards of {'/'.join(name)} are paid out {where}")


@app.command()
def forbid(context: typer.Context, name: ProductArgument) -> None:
    """
    Let the cards of a product be paid out nowhere.
    """
    with session_of(context).change() as books:
        if not forbid_cash_out(books, program=name.program, product=name.product):
            raise _no_product(name)
    say(f"cards of {'/'.join(name)} are not paid out")


def _put(session: Session, rules: Sequence[SourcedRule]) -> None:
    with session.change() as books:
        put_cash_out_rules(books, rules)
    places = {rule.jurisdiction for rule, _ in rules}
    say(f"{len(rules)} rules of {len(places)} jurisdictions loaded")


def _no_product(name: ProductName) -> BadInputError:
    return BadInputError(
        f"PROGRAM/PRODUCT: there is no product {'/'.join(name)}: see `scrip product "
        "list`"
    )


def _minor(text: str | None, currency: Currency) -> int | None:
    if text is None:
        return None
    try:
        return read_amount(text, currency)
    except FieldError as error:
        raise BadInputError(f"--up-to: {error.message}") from error


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """
    Give a rule for a program: its codes as the file has them.
    """
    kind, cards = _KIND_NAMES[row["kind"]], _CARD_NAMES[row["cards"]]
    return {**row, "cards": cards, "kind": kind}


def _shown(row: dict[str, Any], wording: Wording) -> dict[str, Any]:
    """
    Give a rule for a person: which rest it pays out.
    """
    return {
        **row,
        "cards": RuledCards(row["cards"]).name.lower().replace("_", " "),
        "rest": _rest(row, wording),
    }


def _rest(row: dict[str, Any], wording: Wording) -> str:
    kind = RuleKind(row["kind"])
    if kind is RuleKind.NEVER:
        return "none"
    if kind is RuleKind.USED:
        return f"when {row['used_percent']} % is used"
    amount = wording.money(row["limit_minor"], Currency.of(row["currency"]))
    return f"below {amount}" if kind is RuleKind.BELOW else f"up to {amount}"


def _columns(wording: Wording) -> tuple[Column, ...]:
    return (
        Column(title="Jurisdiction", key="jurisdiction"),
        Column(title="From", key="effective_from", show=wording.day),
        Column(title="Cards", key="cards"),
        Column(title="Paid out", key="rest"),
        Column(title="Source", key="source"),
    )


APPS = {"cash-out": app}
