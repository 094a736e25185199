"""
`scrip product`: what a kind of card may do.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from currency import Currency
from gateway.books.admin_cards import NewProduct, insert_product, products
from gateway.books.admin_parties import known_programs
from gateway.books.admin_restrictions import restrict_product
from gateway.console.card_restricting import (
    LiftOption,
    RestrictionOption,
    require_set,
    wanted_set,
)
from gateway.console.faults import BadInputError, FieldError
from gateway.console.fields import read_amount, read_currency
from gateway.console.hold_terms import DEFAULT_TTL_S, HoldTtlOption, change_holds
from gateway.console.options import AsJson, ProductArgument, ProgramOption
from gateway.console.product_pins import (
    PinForOption,
    PinLockOption,
    PinMaxTriesOption,
    ask_pins,
    required_for,
)
from gateway.console.screen import Column, say, show_rows
from gateway.console.session import session_of
from gateway.console.wording import Wording
from gateway.domain.policy import DEFAULT_PIN_LOCK_S, DEFAULT_PIN_MAX_TRIES
from gateway.domain.results import ActivityType

app = typer.Typer(no_args_is_help=True, help="Products: what a kind of card may do.")


class Activity(StrEnum):
    """
    What a card of the product may be used for.
    """

    ACTIVATE = "activate"
    LOAD = "load"
    REDEEM = "redeem"
    BALANCE = "balance"
    CASH_OUT = "cash-out"
    AUTHORIZE = "authorize"
    BLOCK = "block"
    TRANSFER_BALANCE_FROM = "transfer-from"
    TRANSFER_BALANCE_TO = "transfer-to"
    DEACTIVATE = "deactivate"


# What a product permits unless it says otherwise: not that money leaves a card for
# another one, nor that a till closes cards (docs/adr/0017).
_USUAL: Final = (
    Activity.ACTIVATE,
    Activity.LOAD,
    Activity.REDEEM,
    Activity.BALANCE,
    Activity.CASH_OUT,
    Activity.AUTHORIZE,
    Activity.BLOCK,
)


def _amount_option(text: str) -> Any:  # noqa: ANN401 -- each is an option of its own
    return typer.Option(metavar="AMOUNT", help=f"{text}, in the card's currency.")


ValidityDays = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=32_767,
        metavar="N",
        help="How many days a card holds from its activation; else for ever.",
    ),
]


ReloadableOption = Annotated[
    bool,
    typer.Option(
        "--reloadable/--single-use",
        help="A single-use card takes one load and may be spent in several sales.",
    ),
]
PermitOption = Annotated[
    list[Activity] | None,
    typer.Option(
        metavar="ACTIVITY",
        help=f"What its cards may be used for: {', '.join(Activity)}; may stand "
        "several times. Else all but transfers and deactivate.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    name: ProductArgument,
    currency: Annotated[
        Currency,
        typer.Option(
            parser=read_currency, metavar="USD", help="What its cards' value is in."
        ),
    ],
    *,
    reloadable: ReloadableOption = True,
    permit: PermitOption = None,
    fixed_amount: Annotated[
        str | None, _amount_option("The one amount that a card is sold with")
    ] = None,
    max_load: Annotated[str | None, _amount_option("The most of one load")] = None,
    max_redeem: Annotated[str | None, _amount_option("The most of one sale")] = None,
    max_balance: Annotated[str | None, _amount_option("The most on a card")] = None,
    validity_days: ValidityDays = None,
    cash_out_limit: Annotated[
        str | None, _amount_option("The largest balance that is paid out everywhere")
    ] = None,
    restriction: RestrictionOption = None,
    pin_for: PinForOption = None,
    pin_max_tries: PinMaxTriesOption = DEFAULT_PIN_MAX_TRIES,
    pin_lock_s: PinLockOption = DEFAULT_PIN_LOCK_S,
    hold_ttl: HoldTtlOption = DEFAULT_TTL_S,
) -> None:
    """
    Create a product.
    """
    activities = [ActivityType[item.name] for item in permit or _USUAL]
    new = NewProduct(
        program=name.program,
        code=name.product,
        currency=currency.code,
        reloadable=reloadable,
        permitted=tuple(sorted({int(activity) for activity in activities})),
        fixed_amount_minor=_minor("--fixed-amount", fixed_amount, currency),
        max_load_minor=_minor("--max-load", max_load, currency),
        max_redeem_minor=_minor("--max-redeem", max_redeem, currency),
        max_balance_minor=_minor("--max-balance", max_balance, currency),
        validity_days=validity_days,
        cash_out_limit_minor=_minor("--cash-out-limit", cash_out_limit, currency),
        pin_required_for=required_for(pin_for),
        pin_max_tries=pin_max_tries,
        pin_lock_s=pin_lock_s,
        hold_ttl_s=hold_ttl,
    )
    _check_limits(new)
    with session_of(context).change() as books:
        if not known_programs(books, [name.program]):
            raise BadInputError(
                f"PROGRAM/PRODUCT: there is no programme {name.program}: "
                "see `scrip program list`"
            )
        if products(books, name.program, name.product):
            raise BadInputError(
                f"PROGRAM/PRODUCT: there is a product {'/'.join(name)}: choose another"
            )
        if restriction is not None:
            set_id = require_set(books, name.program, restriction)
            new = replace(new, restriction_set_id=set_id)
        insert_product(books, new)
    say(f"product {'/'.join(name)} created")


@app.command()
def restrict(
    context: typer.Context,
    name: ProductArgument,
    *,
    restriction: RestrictionOption = None,
    lift: LiftOption = False,
) -> None:
    """
    Give a product a restriction set, or take it away: in force with the next request.
    """
    with session_of(context).change() as books:
        set_id = wanted_set(books, name.program, restriction, lift=lift)
        if not restrict_product(
            books, program=name.program, product=name.product, set_id=set_id
        ):
            raise BadInputError(
                f"PROGRAM/PRODUCT: there is no product {'/'.join(name)}: "
                "see `scrip product list`"
            )
    say(f"product {'/'.join(name)} has {restriction or 'no restriction'}")


app.command("pin")(ask_pins)
app.command("holds")(change_holds)


@app.command("list")
def list_all(
    context: typer.Context,
    *,
    program: ProgramOption = None,
    as_json: AsJson = False,
) -> None:
    """
    List all products.
    """
    session = session_of(context)
    with session.books() as books:
        rows = products(books, program)
    if as_json:
        named = [
            {**row, **{key: _names(row[key]) for key in ("permitted", _PIN_FOR)}}
            for row in rows
        ]
        show_rows(named, (), as_json=True)
        return
    show_rows([_shown(row, session.wording) for row in rows], _COLUMNS, as_json=False)


_PIN_FOR: Final = "pin_required_for"
_AMOUNTS: Final = {
    "fixed_amount_minor": "Fixed amount",
    "max_load_minor": "Most of a load",
    "max_redeem_minor": "Most of a sale",
    "max_balance_minor": "Most on a card",
    "cash_out_limit_minor": "Paid out up to",
}
_COLUMNS: Final = (
    Column(title="Programme", key="program"),
    Column(title="Product", key="code"),
    Column(title="Currency", key="currency"),
    Column(title="Loads", key="loads"),
    Column(title="Permitted", key="permitted"),
    *(Column(title=title, key=key, is_figure=True) for key, title in _AMOUNTS.items()),
    Column(title="Days", key="validity_days", is_figure=True),
    Column(title="Restriction", key="restriction"),
    Column(title="PIN for", key=_PIN_FOR),
    Column(title="Held for s", key="hold_ttl_s", is_figure=True),
)


def _shown(row: dict[str, Any], wording: Wording) -> dict[str, Any]:
    currency = Currency.of(row["currency"])
    amounts = {
        key: None if row[key] is None else wording.money(row[key], currency)
        for key in _AMOUNTS
    }
    return {
        **row,
        **amounts,
        "loads": "reloadable" if row["reloadable"] else "single use",
        "permitted": _spoken(row["permitted"]),
        _PIN_FOR: _spoken(row[_PIN_FOR]),
    }


def _names(activities: list[int]) -> list[str]:
    return [ActivityType(item).name for item in activities]


def _spoken(activities: list[int]) -> str:
    return " ".join(name.lower().replace("_", "-") for name in _names(activities))


def _minor(option: str, text: str | None, currency: Currency) -> int | None:
    if text is None:
        return None
    try:
        return read_amount(text, currency)
    except FieldError as error:
        raise BadInputError(f"{option}: {error.message}") from error


def _check_limits(new: NewProduct) -> None:
    """
    Refuse limits under which no card could ever be sold.
    """
    fixed = new.fixed_amount_minor
    for option, limit in (
        ("--max-load", new.max_load_minor),
        ("--max-balance", new.max_balance_minor),
    ):
        if fixed is not None and limit is not None and limit < fixed:
            raise BadInputError(
                f"{option}: is below --fixed-amount, so no card could be sold: raise it"
            )


APPS = {"product": app}
