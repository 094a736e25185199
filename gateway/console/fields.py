"""
Read what a person writes, in an option or a cell: each text to its value or a remedy.

Every function takes the text alone and raises FieldError, so that an option and a
column of a CSV file obey the same rule and say the same words.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import get_territory_currencies

from currency import (
    Currency,
    CurrencyError,
    Money,
    UnknownCurrencyError,
    find_currency,
)
from gateway.console.faults import FieldError

MAX_NAME_CHARACTERS: Final = 200
MAX_CURRENCIES: Final = 50
MAX_SHOWN_CHARACTERS: Final = 60
MAX_SOURCE_CHARACTERS: Final = 500

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_PERCENT: Final = re.compile(r"[1-9][0-9]?|100")
_CUT_OFF: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_CATEGORY: Final = re.compile(r"[0-9]{4}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_DURATION: Final = re.compile(
    r"(?P<sign>-?)(?:(?P<days>[0-9]{1,6})d)?(?:(?P<hours>[0-9]{1,6})h)?"
    r"(?:(?P<minutes>[0-9]{1,6})m)?(?:(?P<seconds>[0-9]{1,6})s)?"
)
# Zones that Postgres and Python both know by the same name.
_ZONE: Final = re.compile(r"[A-Z][A-Za-z_]*(/[A-Za-z0-9_+-]+){0,2}")


def read_code(text: str) -> str:
    """
    Read a code: part of names in certificates, files and addresses.
    """
    if not _CODE.fullmatch(text):
        raise FieldError(
            f"{_shown(text)} is no code: write 1 to 63 of a-z, 0-9 and '-', beginning "
            "with a letter or digit"
        )
    return text


def read_codes(text: str, form: str) -> list[str]:
    """
    Read codes joined by '/', as the form has them: `MERCHANT/STORE`.
    """
    codes = text.split("/")
    if len(codes) != len(form.split("/")):
        raise FieldError(f"{_shown(text)}: write {form}, joined by '/'")
    return [read_code(code) for code in codes]


def read_name(text: str) -> str:
    """
    Read a name for people.
    """
    if not 1 <= len(text.strip()) <= MAX_NAME_CHARACTERS or not text.isprintable():
        raise FieldError(
            f"{_shown(text)} is no name: write 1 to {MAX_NAME_CHARACTERS} printable "
            "characters"
        )
    return text.strip()


def read_country(text: str) -> str:
    """
    Read a country of ISO 3166.
    """
    if text not in _countries():
        raise FieldError(
            f"{_shown(text)} is no country: write its two capital letters of ISO 3166, "
            "for example KW"
        )
    return text


def read_jurisdiction(text: str) -> str:
    """
    Read a country of ISO 3166-1, or a part of one of ISO 3166-2.
    """
    if not _JURISDICTION.fullmatch(text) or text[:2] not in _countries():
        raise FieldError(
            f"{_shown(text)} is no jurisdiction: write a country or a part of one as "
            "ISO 3166 has it, for example IE or US-CA"
        )
    return text


def read_state(text: str) -> str:
    """
    Read a part of a country, whose own law holds there.
    """
    if "-" not in read_jurisdiction(text):
        raise FieldError(
            f"{_shown(text)} is a whole country: write a part of it, for example US-CA"
        )
    return text


def read_percent(text: str) -> int:
    """
    Read a whole percentage.
    """
    if not _PERCENT.fullmatch(text):
        raise FieldError(f"{_shown(text)}: write a whole number from 1 to 100")
    return int(text)


def read_source(text: str) -> str:
    """
    Read where something is written.
    """
    if len(text) > MAX_SOURCE_CHARACTERS or not text.isprintable():
        raise FieldError(
            f"{_shown(text)}: write at most {MAX_SOURCE_CHARACTERS} printable "
            "characters"
        )
    return text


def read_category(text: str) -> str:
    """
    Read a merchant category of ISO 18245.
    """
    if not _CATEGORY.fullmatch(text):
        raise FieldError(
            f"{_shown(text)} is no merchant category: write the four digits of ISO "
            "18245, for example 5812"
        )
    return text


def read_currency(text: str) -> Currency:
    """
    Read a currency of ISO 4217.
    """
    currency = find_currency(text)
    if currency is None:
        raise FieldError(str(UnknownCurrencyError(text)))
    return currency


def read_currencies(text: str) -> tuple[str, ...]:
    """
    Read the currencies that a store takes, divided by blanks: `KWD USD`.
    """
    codes = tuple(dict.fromkeys(read_currency(code).code for code in text.split()))
    if len(codes) > MAX_CURRENCIES:
        raise FieldError(f"{len(codes)} currencies: name at most {MAX_CURRENCIES}")
    return codes


def currency_of_country(country: str) -> str:
    """
    Give the currency of a country, for a store that names none.
    """
    codes = [code for code in get_territory_currencies(country) if find_currency(code)]
    if len(codes) != 1:
        found = " ".join(codes) or "no currency"
        raise FieldError(
            f"{country} has {found}: name what the store takes, as KWD USD"
        )
    return codes[0]


def read_time_zone(text: str) -> ZoneInfo:
    """
    Read a time zone by its IANA name.
    """
    if not _ZONE.fullmatch(text) or text not in _time_zones():
        raise FieldError(
            f"{_shown(text)} is no time zone: write its IANA name, for example "
            "Asia/Kuwait"
        )
    return ZoneInfo(text)


def read_cut_off(text: str) -> time:
    """
    Read the local time at which a business day begins.
    """
    match = _CUT_OFF.fullmatch(text)
    if match is None:
        raise FieldError(
            f"{_shown(text)} is no time of day: write hours and minutes, as 04:00"
        )
    return time(int(match[1]), int(match[2]))


def read_day(text: str) -> date:
    """
    Read a day of the calendar.
    """
    refusal = f"{_shown(text)} is no day"
    example = "write it as 2025-01-31"
    if not _DAY.fullmatch(text):
        raise FieldError(f"{refusal}: {example}")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        # 2025-02-30 looks like a day and is none.
        raise FieldError(f"{refusal} ({error}): {example}") from error


def read_moment(text: str) -> datetime:
    """
    Read a moment with its zone, or `now`'s neighbours are guessed wrongly.
    """
    match = _MOMENT.fullmatch(text)
    example = "2025-01-01T00:00:00Z or 2025-01-01T03:00+03:00"
    if match is None:
        raise FieldError(f"{_shown(text)} is no time: write {example}")
    if match["zone"] is None:
        raise FieldError(f"{_shown(text)} has no zone: write {example}")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FieldError(f"{_shown(text)} is no time ({error})") from error


def read_duration(text: str) -> timedelta:
    """
    Read a length of time such as `7d`, `36h` or `-1d12h30m`.
    """
    match = _DURATION.fullmatch(text)
    units = ("days", "hours", "minutes", "seconds")
    if match is None or not any(match[unit] for unit in units):
        raise FieldError(
            f"{_shown(text)} is no length of time: write days, hours, minutes and "
            "seconds, as 7d, 36h or 1d12h30m"
        )
    length = timedelta(**{unit: int(match[unit] or 0) for unit in units})
    return -length if match["sign"] else length


def read_max_age(text: str) -> timedelta:
    """
    Read how old a rate may be.
    """
    length = read_duration(text)
    if length <= timedelta(0):
        raise FieldError(f"{_shown(text)}: a rate's age is more than nothing, as 7d")
    return length


def read_amount(text: str, currency: Currency) -> int:
    """
    Read an amount above zero, with exactly the currency's digits, as minor units.
    """
    try:
        money = Money.parse(text, currency)
    except CurrencyError as error:
        raise FieldError(str(error)) from error
    if money.minor_units <= 0:
        raise FieldError(f"{_shown(text)}: write an amount above zero")
    return money.minor_units


@cache
def _countries() -> frozenset[str]:
    """
    Give the codes of ISO 3166, from the list that the time zone data carries.
    """
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab")
    lines = table.read_text(encoding="utf-8").splitlines()
    return frozenset(line[:2] for line in lines if not line.startswith("#"))


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _shown(text: str) -> str:
    """
    Quote foreign text, bounded and without control characters.
    """
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return repr(text)
    return f"{text[:MAX_SHOWN_CHARACTERS]!r}..."
