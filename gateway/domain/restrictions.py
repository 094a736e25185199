"""
Where and when a card may be used: one version of a restriction set, compiled.

A set narrows three things, each by lists of its own: the places (stores, store groups,
merchants), the countries and the merchant categories; and it may name hours in the
store's zone. What is denied is denied. What has an allow list is allowed if it is on
it; what has none is allowed (ADR 0014).
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple

from gateway.domain.errors import InvariantError
from gateway.domain.ids import (
    MerchantId,
    RestrictionVersionId,
    StoreGroupId,
    StoreId,
)

DAY_MINUTES: Final = 1_440
WEEK_DAYS: Final = 7
WEEK_MINUTES: Final = WEEK_DAYS * DAY_MINUTES
EVERY_DAY: Final = 2**WEEK_DAYS - 1


class RefusalReason(IntEnum):
    """
    What of a restriction refused: kept as a number with the transaction.
    """

    PLACE = 1
    COUNTRY = 2
    CATEGORY = 3
    HOURS = 4


class Refusal(NamedTuple):
    """
    Why a restriction refused, in full: the sentence for the till is made of it alone.

    `hours` says when the card is valid, as `Hours.text` does, if that is the reason.
    """

    reason: RefusalReason
    restriction_version_id: RestrictionVersionId
    hours: str | None = None


class ListRule(IntEnum):
    """
    What being on a list means.
    """

    ALLOW = 1
    DENY = 2


class ListedStore(NamedTuple):
    """
    One store on a list.
    """

    rule: ListRule
    store_id: StoreId


class ListedGroup(NamedTuple):
    """
    The stores of one group on a list.
    """

    rule: ListRule
    store_group_id: StoreGroupId


class ListedMerchant(NamedTuple):
    """
    All stores of one merchant on a list.
    """

    rule: ListRule
    merchant_id: MerchantId


class ListedCountry(NamedTuple):
    """
    One country on a list.
    """

    rule: ListRule
    country: str


class ListedCategory(NamedTuple):
    """
    One merchant category (ISO 18245, four digits) on a list.
    """

    rule: ListRule
    merchant_category: str


Listed = ListedStore | ListedGroup | ListedMerchant | ListedCountry | ListedCategory


class Window(NamedTuple):
    """
    A time of day on some weekdays, in minutes since midnight; the end is not in it.

    Bit 0 of `weekdays` is Monday. A window that does not end after it begins goes over
    midnight, and belongs to the day on which it begins.
    """

    weekdays: int
    begins_minute: int
    ends_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """
    When a card is valid, by the wall clock of the store.

    `edges` are the minutes of a week, from Monday 00:00, at which it begins and ends to
    be valid, in turn. `text` says the windows: `1-5 11:30-14:00; 6,7`.
    """

    text: str
    edges: tuple[int, ...]

    @classmethod
    def of(cls, windows: Iterable[Window]) -> "Hours":
        """
        Join windows; they may overlap.
        """
        ordered = sorted(windows, key=_by_first_day)
        spans = sorted(span for window in ordered for span in _spans(window))
        edges: list[int] = []
        for begins, ends in spans:
            if edges and begins <= edges[-1]:
                edges[-1] = max(edges[-1], ends)
            else:
                edges += (begins, ends)
        return cls(text="; ".join(map(_text, ordered)), edges=tuple(edges))

    def hold(self, minute: int) -> bool:
        """
        Tell whether a minute of the week, by the store's clock, lies in a window.
        """
        return bisect_right(self.edges, minute) % 2 == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceList:
    """
    Stores by their own names, by their groups, and by their merchants.
    """

    stores: frozenset[StoreId]
    groups: frozenset[StoreGroupId]
    merchants: frozenset[MerchantId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """
    One version of a set. None where there is no list.
    """

    version_id: RestrictionVersionId
    allowed_places: PlaceList | None = None
    denied_places: PlaceList | None = None
    allowed_countries: frozenset[str] | None = None
    denied_countries: frozenset[str] | None = None
    allowed_categories: frozenset[str] | None = None
    denied_categories: frozenset[str] | None = None
    hours: Hours | None = None

    @classmethod
    def of(
        cls,
        version_id: RestrictionVersionId,
        listed: Iterable[Listed],
        windows: Iterable[Window],
    ) -> "Restriction":
        """
        Compile a version from what it lists.
        """
        entries = list(listed)
        allowed = [one for one in entries if one.rule is ListRule.ALLOW]
        denied = [one for one in entries if one.rule is ListRule.DENY]
        times = list(windows)
        return cls(
            version_id=version_id,
            allowed_places=_places(allowed),
            denied_places=_places(denied),
            allowed_countries=_countries(allowed),
            denied_countries=_countries(denied),
            allowed_categories=_categories(allowed),
            denied_categories=_categories(denied),
            hours=Hours.of(times) if times else None,
        )


def minute_of_week(local: datetime) -> int:
    """
    Count the minutes that the wall clock shows since Monday 00:00.
    """
    return local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute


def _places(listed: Iterable[Listed]) -> PlaceList | None:
    entries = list(listed)
    found = PlaceList(
        stores=frozenset(
            one.store_id for one in entries if isinstance(one, ListedStore)
        ),
        groups=frozenset(
            one.store_group_id for one in entries if isinstance(one, ListedGroup)
        ),
        merchants=frozenset(
            one.merchant_id for one in entries if isinstance(one, ListedMerchant)
        ),
    )
    return found if found.stores or found.groups or found.merchants else None


def _countries(listed: Iterable[Listed]) -> frozenset[str] | None:
    found = frozenset(one.country for one in listed if isinstance(one, ListedCountry))
    return found or None


def _categories(listed: Iterable[Listed]) -> frozenset[str] | None:
    found = frozenset(
        one.merchant_category for one in listed if isinstance(one, ListedCategory)
    )
    return found or None


def _spans(window: Window) -> Iterable[tuple[int, int]]:
    """
    Give the minutes of the week that a window covers; one over Sunday night is two.
    """
    weekdays, begins, ends = window
    if (
        not 0 < weekdays <= EVERY_DAY
        or not 0 <= begins < DAY_MINUTES
        or not 0 < ends <= DAY_MINUTES
        or begins == ends
    ):
        message = f"no window of a week: {window}"
        raise InvariantError(message)
    length = ends - begins if begins < ends else ends - begins + DAY_MINUTES
    for day in range(WEEK_DAYS):
        if weekdays >> day & 1:
            start = day * DAY_MINUTES + begins
            yield start, min(start + length, WEEK_MINUTES)
            if start + length > WEEK_MINUTES:
                yield 0, start + length - WEEK_MINUTES


def _by_first_day(window: Window) -> tuple[int, Window]:
    return window.weekdays & -window.weekdays, window


def _text(window: Window) -> str:
    days = _days(window.weekdays)
    if window.begins_minute == 0 and window.ends_minute == DAY_MINUTES:
        return days
    return f"{days} {_clock(window.begins_minute)}-{_clock(window.ends_minute)}"


def _days(weekdays: int) -> str:
    """
    Write days as numbers of ISO 8601, three or more in a row as `1-5`.
    """
    runs: list[list[int]] = []
    for day in range(1, WEEK_DAYS + 1):
        if weekdays >> (day - 1) & 1:
            if runs and runs[-1][-1] == day - 1:
                runs[-1].append(day)
            else:
                runs.append([day])
    return ",".join(_run(run) for run in runs)


def _run(days: list[int]) -> str:
    if len(days) <= 2:  # noqa: PLR2004 -- a pair is no run
        return ",".join(map(str, days))
    return f"{days[0]}-{days[-1]}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
