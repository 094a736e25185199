"""
Read and write limits: `500.00`, `20`, `5/10m`. All commands about limits use them.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, NamedTuple

import typer

from currency import Currency
from gateway.books.admin_limits import LimitSetName, NewLimits
from gateway.console.faults import BadInputError, FieldError
from gateway.console.fields import read_amount, read_codes, read_duration
from gateway.console.wording import Wording, write_duration

MAX_WINDOW_COUNT: Final = 1_000
MAX_WINDOW: Final = timedelta(days=1)
MAX_DAY_COUNT: Final = 1_000_000

_WINDOW: Final = re.compile(r"([0-9]{1,4})/(\w+)")


class WindowLimit(NamedTuple):
    """
    So many times in any so many seconds.
    """

    times: int
    seconds: int


def read_limit_set_name(text: str) -> LimitSetName:
    """
    Read `gift/standard`.
    """
    return LimitSetName(*read_codes(text, "PROGRAM/SET"))


def read_window_limit(text: str) -> WindowLimit:
    """
    Read `5/10m`: five times in any ten minutes.
    """
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise FieldError(
            f"{text[:60]!r} is no limit of a while: write how often in how long, as "
            "5/10m"
        )
    count, length = int(match[1]), read_duration(match[2])
    if not 0 < count <= MAX_WINDOW_COUNT or not timedelta(0) < length <= MAX_WINDOW:
        raise FieldError(
            f"{text[:60]!r}: write 1 to {MAX_WINDOW_COUNT} times in at most a day, as "
            "5/10m"
        )
    return WindowLimit(count, round(length.total_seconds()))


def _amount(text: str) -> Any:  # noqa: ANN401 -- each is an option of its own
    return typer.Option(metavar="AMOUNT", help=f"{text}, in the limits' currency.")


def _count(text: str) -> Any:  # noqa: ANN401 -- as above
    return typer.Option(min=1, max=MAX_DAY_COUNT, metavar="N", help=f"{text}.")


def _window(text: str) -> Any:  # noqa: ANN401 -- as above
    return typer.Option(
        parser=read_window_limit, metavar="N/TIME", help=f"{text}, as 5/10m."
    )


LoadAmount = Annotated[str | None, _amount("The most of one load")]
LoadDay = Annotated[str | None, _amount("The most that is loaded in a day")]
LoadCount = Annotated[int | None, _count("How many loads a day")]
LoadWindow = Annotated[WindowLimit | None, _window("How many loads in any such time")]
SpendAmount = Annotated[str | None, _amount("The most of one sale")]
SpendDay = Annotated[str | None, _amount("The most that is spent in a day")]
SpendCount = Annotated[int | None, _count("How many sales a day")]
SpendWindow = Annotated[WindowLimit | None, _window("How many sales in any such time")]


class Given(NamedTuple):
    """
    The limits that the options name.
    """

    load_amount: str | None = None
    load_day: str | None = None
    load_count: int | None = None
    load_window: WindowLimit | None = None
    spend_amount: str | None = None
    spend_day: str | None = None
    spend_count: int | None = None
    spend_window: WindowLimit | None = None

    def read(self, currency: Currency) -> NewLimits:
        """
        Read the amounts in the limits' currency.

        Raises:
            BadInputError: an amount is none, or nothing is limited.

        """
        if not any(self):
            raise BadInputError("give at least one limit, as --load-day 2000.00")
        load, spend = self.load_window, self.spend_window
        return NewLimits(
            load_amount_minor=_minor("--load-amount", self.load_amount, currency),
            load_day_minor=_minor("--load-day", self.load_day, currency),
            load_day_count=self.load_count,
            load_window_count=None if load is None else load.times,
            load_window_s=None if load is None else load.seconds,
            spend_amount_minor=_minor("--spend-amount", self.spend_amount, currency),
            spend_day_minor=_minor("--spend-day", self.spend_day, currency),
            spend_day_count=self.spend_count,
            spend_window_count=None if spend is None else spend.times,
            spend_window_s=None if spend is None else spend.seconds,
        )


def limits_text(row: dict[str, Any], flow: str, wording: Wording) -> str:
    """
    Write what a version limits of a flow, for people.
    """
    currency = Currency.of(row["currency"])
    parts = []
    amount = row.get(f"{flow}_amount_minor")
    if amount is not None:
        parts.append(f"{wording.money(amount, currency)} at a time")
    amount = row[f"{flow}_day_minor"]
    if amount is not None:
        parts.append(f"{wording.money(amount, currency)} a day")
    if row[f"{flow}_day_count"] is not None:
        parts.append(f"{wording.count(row[f'{flow}_day_count'])} times a day")
    if row.get(f"{flow}_window_count") is not None:
        length = write_duration(timedelta(seconds=row[f"{flow}_window_s"]))
        parts.append(f"{wording.count(row[f'{flow}_window_count'])} times in {length}")
    return ", ".join(parts)


def _minor(option: str, text: str | None, currency: Currency) -> int | None:
    if text is None:
        return None
    try:
        return read_amount(text, currency)
    except FieldError as error:
        raise BadInputError(f"{option}: {error.message}") from error
