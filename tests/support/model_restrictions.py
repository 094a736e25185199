"""
The independent model's check 11: where and when a card may be used.

Written from the contract: lists are sets of words, windows are walked one by one on the
store's wall clock. Nothing here imports what it is to judge.
"""

from datetime import datetime, time, timedelta
from typing import NamedTuple

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACE_KINDS = frozenset({"store", "group", "merchant"})

# What is listed: a kind and a value, as ("store", 1) or ("country", "LB").
Item = tuple[str, int | str]
Refused = tuple[str | None, int | None, str | None]
NOT_REFUSED: Refused = (None, None, None)


class WindowRow(NamedTuple):
    """
    Days, and from when to when; an end before the begin is of the next day.
    """

    days: frozenset[str]
    begins: time
    ends: time | None


class RestrictionRow(NamedTuple):
    """
    One set. `says` is how its hours are kept with a transaction.
    """

    number: int
    allow: frozenset[Item] = frozenset()
    deny: frozenset[Item] = frozenset()
    windows: tuple[WindowRow, ...] = ()
    says: str | None = None


class Spot(NamedTuple):
    """
    What a store is, as far as lists are about it, and what its clock shows.
    """

    items: frozenset[Item]
    wall: datetime

    def refusal_of(self, row: RestrictionRow) -> Refused:
        """
        Tell what of a set refuses here and now: its places, then the rest in order.
        """
        for reason, kinds in (
            ("PLACE", PLACE_KINDS),
            ("COUNTRY", {"country"}),
            ("CATEGORY", {"category"}),
        ):
            mine = {item for item in self.items if item[0] in kinds}
            allow = {item for item in row.allow if item[0] in kinds}
            if mine & row.deny or (allow and not mine & allow):
                return (reason, row.number, None)
        if row.windows and not any(self._within(window) for window in row.windows):
            return ("HOURS", row.number, row.says)
        return NOT_REFUSED

    def _within(self, window: WindowRow) -> bool:
        today = self.wall.replace(hour=0, minute=0, second=0, microsecond=0)
        for midnight in (today, today - timedelta(days=1)):
            if WEEK[midnight.weekday()] not in window.days:
                continue
            begins = datetime.combine(midnight, window.begins)
            ends = midnight + timedelta(days=1)
            if window.ends is not None:
                ends = datetime.combine(midnight, window.ends)
                ends += timedelta(days=1) if ends <= begins else timedelta(0)
            if begins <= self.wall < ends:
                return True
        return False


RESTRICTIONS = {
    row.number: row
    for row in (
        RestrictionRow(1, allow=frozenset({("store", 2)})),
        RestrictionRow(2, deny=frozenset({("store", 2), ("country", "LB")})),
        RestrictionRow(3, allow=frozenset({("group", 7), ("store", 3)})),
        RestrictionRow(4, allow=frozenset({("country", "US")})),
        RestrictionRow(5, deny=frozenset({("category", "5812")})),
        RestrictionRow(
            6,
            allow=frozenset({("category", "5411"), ("merchant", 1)}),
            deny=frozenset({("group", 7)}),
        ),
        RestrictionRow(
            7,
            windows=(WindowRow(frozenset(WEEK[:5]), time(11, 30), time(14)),),
            says="1-5 11:30-14:00",
        ),
        RestrictionRow(
            8,
            windows=(
                WindowRow(frozenset({"sun"}), time(20), time(9)),
                WindowRow(frozenset({"fri", "sat"}), time(22), time(2)),
            ),
            says="5,6 22:00-02:00; 7 20:00-09:00",
        ),
        RestrictionRow(
            9,
            allow=frozenset({("merchant", 1), ("merchant", 2)}),
            deny=frozenset({("store", 2)}),
            windows=(WindowRow(frozenset({"sat"}), time(0), None),),
            says="6",
        ),
    )
}
