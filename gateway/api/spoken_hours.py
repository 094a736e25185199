"""
Say when a card is valid, from the short form that is kept with a transaction.

`1-5 11:30-14:00; 6` becomes "Monday to Friday 11:30 to 14:00 and Saturday".
"""

from functools import lru_cache
from typing import Final

from gateway.domain.restrictions import WEEK_DAYS

_DAYS: Final = (
    "",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_EVERY_DAY: Final = f"1-{WEEK_DAYS}"
_KEPT: Final = 1_024


@lru_cache(maxsize=_KEPT)
def spoken_hours(text: str) -> str:
    """
    Write `Hours.text` in words.
    """
    return _joined([_window(window) for window in text.split("; ")])


def _window(text: str) -> str:
    days, _, times = text.partition(" ")
    begins, _, ends = times.partition("-")
    named = _joined([_run(run) for run in days.split(",")])
    if not times:
        return named
    clock = f"{begins} to {ends}"
    return clock if days == _EVERY_DAY else f"{named} {clock}"


def _run(text: str) -> str:
    return " to ".join(_DAYS[int(day)] for day in text.split("-"))


def _joined(parts: list[str]) -> str:
    *rest, last = parts
    return f"{', '.join(rest)} and {last}" if rest else last
