"""
`scrip product holds` and `scrip program tips`: how long holds live, and what a tip is.
"""

import re
from typing import Annotated, Final

import typer

from gateway.books.admin_holds import set_hold_ttl, set_tip_tolerance
from gateway.console.faults import BadInputError, FieldError
from gateway.console.fields import read_code
from gateway.console.options import ProductArgument
from gateway.console.screen import say
from gateway.console.session import session_of

LONGEST_TTL_S: Final = 31_622_400
DEFAULT_TTL_S: Final = 7 * 86_400
_PERCENT: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%?", re.ASCII)
_WHOLE_BPS: Final = 10_000


def read_percent(text: str) -> int:
    """
    Read a part of a hundred, as 20 or 12.5, in hundredths of a percent.
    """
    found = _PERCENT.fullmatch(text)
    bps = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
    if not 0 <= bps <= _WHOLE_BPS:
        message = "is no percentage from 0 to 100 with at most two decimals, as 12.5"
        raise FieldError(message)
    return bps


def spoken_percent(bps: int) -> str:
    """
    Write hundredths of a percent as people do.
    """
    text = f"{bps // 100}.{bps % 100:02}".rstrip("0").rstrip(".")
    return f"{text} %"


_TTL = typer.Option(
    "--hold-ttl",
    min=1,
    max=LONGEST_TTL_S,
    metavar="SECONDS",
    help="How long a hold lives at most; a request may ask for less.",
)
_TIP = typer.Option(
    "--tip-tolerance",
    parser=read_percent,
    metavar="PERCENT",
    help="How much more than its hold a capture may take, as 20 or 12.5.",
)
HoldTtlOption = Annotated[int, _TTL]
TipOption = Annotated[int, _TIP]
FirstTipOption = Annotated[int | None, _TIP]


def change_holds(
    context: typer.Context, name: ProductArgument, *, hold_ttl: HoldTtlOption
) -> None:
    """
    Say how long holds on a product's cards live: in force with the next request.

    Holds that are placed already keep their end.
    """
    with session_of(context).change() as books:
        if not set_hold_ttl(
            books, program=name.program, product=name.product, ttl_s=hold_ttl
        ):
            raise BadInputError(
                f"PROGRAM/PRODUCT: there is no product {'/'.join(name)}: "
                "see `scrip product list`"
            )
    say(f"holds on cards of {'/'.join(name)} live {hold_ttl} s")


def change_tips(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(parser=read_code, metavar="PROGRAM", help="The programme.")
    ],
    *,
    tip_tolerance: TipOption,
) -> None:
    """
    Say how much more than its hold a capture may take: in force with the next request.
    """
    with session_of(context).change() as books:
        if not set_tip_tolerance(books, program=code, bps=tip_tolerance):
            raise BadInputError(
                f"PROGRAM: there is no programme {code}: see `scrip program list`"
            )
    say(f"captures in {code} may exceed their hold by {spoken_percent(tip_tolerance)}")
