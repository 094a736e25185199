"""
Read and write what a restriction lists: `store=nile/cairo-1`, `mon-fri 11:30-14:00`.

An option, a cell of a CSV file and a listing say it in the same words.
"""

import re
from typing import Final

from gateway.books.admin_restrictions import ListedName, RestrictionName
from gateway.console.faults import FieldError
from gateway.console.fields import read_category, read_code, read_codes, read_country
from gateway.domain.restrictions import (
    DAY_MINUTES,
    EVERY_DAY,
    WEEK_DAYS,
    ListRule,
    Window,
)

KINDS: Final = ("store", "group", "merchant", "country", "category")
HOURS: Final = "hours"
MAX_WINDOWS: Final = 14

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAILY: Final = "daily"
_TIMES: Final = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])"
)
_RULES: Final = {"allow": ListRule.ALLOW, "deny": ListRule.DENY}


def read_restriction_name(text: str) -> RestrictionName:
    """
    Read `gift/canteen`.
    """
    return RestrictionName(*read_codes(text, "PROGRAM/SET"))


def read_rule(text: str) -> ListRule:
    """
    Read `allow` or `deny`.
    """
    rule = _RULES.get(text)
    if rule is None:
        raise FieldError(f"{text[:60]!r} is no rule: write allow or deny")
    return rule


def read_kind(text: str) -> str:
    """
    Read what is listed.
    """
    if text not in {*KINDS, HOURS}:
        raise FieldError(
            f"{text[:60]!r} is nothing to list: write {', '.join(KINDS)} or {HOURS}"
        )
    return text


def read_listed(rule: ListRule, kind: str, text: str) -> ListedName:
    """
    Read one entry of a list.
    """
    if kind == "store":
        return ListedName(rule, kind, *read_codes(text, "MERCHANT/STORE"))
    if kind == "group" and "/" in text:
        return ListedName(rule, kind, *read_codes(text, "MERCHANT/GROUP"))
    if kind == "country":
        return ListedName(rule, kind, None, read_country(text))
    if kind == "category":
        return ListedName(rule, kind, None, read_category(text))
    return ListedName(rule, kind, None, read_code(text))


def read_term(text: str) -> ListedName:
    """
    Read `KIND=VALUE` of an option as allowed; the option says whether it is.
    """
    kind, is_term, value = text.partition("=")
    if not is_term or kind not in KINDS:
        raise FieldError(
            f"{text[:60]!r}: write KIND=VALUE, as store=nile-retail/cairo-1, "
            "group=malls, merchant=nile-retail, country=KW or category=5812"
        )
    return read_listed(ListRule.ALLOW, kind, value)


def read_window(text: str) -> Window:
    """
    Read `mon-fri 11:30-14:00`; without times the whole day, `daily` for all days.
    """
    days, _, times = text.partition(" ")
    begins, ends = _read_times(times.strip()) if times.strip() else (0, DAY_MINUTES)
    return Window(_read_days(days), begins, ends)


def window_text(window: Window) -> str:
    """
    Write a window as it is read.
    """
    days = _DAILY
    if window.weekdays != EVERY_DAY:
        days = ",".join(
            name for at, name in enumerate(_DAYS) if window.weekdays >> at & 1
        )
    begins, ends = window.begins_minute, window.ends_minute
    if (begins, ends) == (0, DAY_MINUTES):
        return days
    return f"{days} {begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"


def listed_text(listed: ListedName) -> str:
    """
    Write the value of an entry as it is read.
    """
    if listed.owner is None:
        return listed.code
    return f"{listed.owner}/{listed.code}"


def _read_days(text: str) -> int:
    if text == _DAILY:
        return EVERY_DAY
    weekdays = 0
    for part in text.split(","):
        first, is_run, last = part.partition("-")
        if first not in _DAYS or (is_run and last not in _DAYS):
            raise FieldError(
                f"{text[:60]!r} are no weekdays: write mon-fri, sat,sun or daily, and "
                "times after a blank, as mon-fri 11:30-14:00"
            )
        at = _DAYS.index(first)
        length = (_DAYS.index(last) - at) % WEEK_DAYS + 1 if is_run else 1
        for day in range(at, at + length):
            weekdays |= 1 << day % WEEK_DAYS
    return weekdays


def _read_times(text: str) -> tuple[int, int]:
    match = _TIMES.fullmatch(text)
    if match is not None:
        hours = [int(part) for part in match.groups()]
        begins, ends = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if begins != ends and 0 < ends <= DAY_MINUTES:
            return begins, ends
        if ends == 0 and begins:
            return begins, DAY_MINUTES
    raise FieldError(
        f"{text[:60]!r} is no time of day: write when it begins and ends, as "
        "11:30-14:00, or 22:00-02:00 over midnight"
    )
