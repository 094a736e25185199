"""
The world of the independent model, as plain rows, and the arithmetic of domain 1.5.

Written from the contract, not from the gateway: numbers are fractions, names are
strings, moments are compared one by one. Nothing here imports what it is to judge.
"""

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.support.model_restrictions import Item, Spot

EXPONENTS = {
    "USD": 2,
    "EUR": 2,
    "KWD": 3,
    "JPY": 0,
    "LBP": 2,
    "GBP": 2,
    "TRY": 2,
}
MOST = 10**15
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PROGRAM_ZONES = {1: ZoneInfo("Asia/Dubai"), 2: ZoneInfo("UTC")}


class ProductRow(NamedTuple):
    """
    What a kind of card may do; None is no limit.
    """

    product: int
    program: int
    currency: str
    reloadable: bool
    permitted: frozenset[str] = frozenset(
        {"ACTIVATE", "LOAD", "REDEEM", "BALANCE", "CASH_OUT"}
    )
    fixed: int | None = None
    max_load: int | None = None
    max_redeem: int | None = None
    max_balance: int | None = None
    validity_days: int | None = None
    cash_out: int | None = None


class LawRow(NamedTuple):
    """
    What a place rules about paying a rest out, for `cards` of one load or of more.

    `kind` is "<" or "<=" (an amount), "%" (of what was loaded is used) or "-" (never).
    """

    place: str
    since: date
    cards: str
    kind: str
    figure: int = 0
    code: str = "USD"


class StoreRow(NamedTuple):
    """
    Where cards are accepted.
    """

    store: int
    merchant: int
    currencies: frozenset[str]
    zone: ZoneInfo
    cut_off_hours: int
    law: str
    category: str | None = None
    groups: frozenset[int] = frozenset()

    @property
    def country(self) -> str:
        """
        Give the country whose law, or whose part's law, holds there.
        """
        return self.law[:2]

    def spot(self, now: datetime) -> Spot:
        """
        Give what it is for restrictions, and its wall clock.
        """
        items: set[Item] = {("group", group) for group in self.groups}
        items |= {("store", self.store), ("merchant", self.merchant)}
        items.add(("country", self.country))
        if self.category is not None:
            items.add(("category", self.category))
        wall = now.astimezone(self.zone).replace(tzinfo=None)
        return Spot(frozenset(items), wall)


class RateRow(NamedTuple):
    """
    One row of a rate table; a rate of None withdraws the currency.
    """

    code: str
    usd: str | None
    version: int
    effective_from: datetime
    as_of: datetime


PRODUCTS = {
    row.product: row
    for row in (
        ProductRow(1, 1, "USD", reloadable=True, cash_out=100_00),
        ProductRow(
            2,
            1,
            "USD",
            reloadable=True,
            max_load=200_00,
            max_redeem=150_00,
            max_balance=300_00,
            validity_days=30,
        ),
        ProductRow(3, 1, "USD", reloadable=False),
        ProductRow(4, 1, "USD", reloadable=False, fixed=50_00, validity_days=1),
        ProductRow(5, 1, "EUR", reloadable=True),
        ProductRow(6, 1, "KWD", reloadable=True, permitted=frozenset({"ACTIVATE"})),
        ProductRow(7, 2, "USD", reloadable=True),
        ProductRow(8, 1, "JPY", reloadable=True, cash_out=1_250),
    )
}
ALL_BUT_TRY = frozenset(EXPONENTS) - {"TRY"}
STORES = {
    row.store: row
    for row in (
        StoreRow(1, 1, ALL_BUT_TRY, ZoneInfo("Asia/Beirut"), 0, "LB", category="5812"),
        StoreRow(
            2,
            1,
            frozenset({"USD", "KWD"}),
            ZoneInfo("America/New_York"),
            4,
            "US-MA",
            groups=frozenset({7, 8}),
        ),
        StoreRow(3, 2, ALL_BUT_TRY, ZoneInfo("UTC"), 0, "LB-BA", category="5411"),
    )
}
STORE_OF_TERMINAL = {1: 1, 2: 1, 3: 2, 4: 3}


@dataclass
class Rules:
    """
    What the operator can change while tills trade. `version` counts the changes.

    `states` holds, by ("terminal" | "store" | "merchant", id), what is not ACTIVE;
    `restricted`, by ("product" | "batch", id), the number of a restriction.
    """

    version: int = 1
    accepted: set[tuple[int, int]] = field(default_factory=lambda: {(1, 1), (2, 2)})
    states: dict[tuple[str, int], str] = field(default_factory=dict)
    rates: list[RateRow] = field(
        default_factory=lambda: [
            RateRow(code, usd, 1, LONG_AGO, LONG_AGO)
            for code, usd in (
                ("KWD", "3.2520"),
                ("EUR", "1.0850"),
                ("JPY", "0.00665"),
                ("LBP", "0.0000111607"),
            )
        ]
    )
    max_age: dict[str, timedelta] = field(default_factory=dict)
    law: list[LawRow] = field(
        default_factory=lambda: [
            LawRow("LB", LONG_AGO.date(), "any", "<", 60_00),
            LawRow("US-MA", LONG_AGO.date(), "one load", "%", 75),
            LawRow("US-MA", LONG_AGO.date(), "reloadable", "<=", 10_00),
            LawRow("LB-BA", date(2026, 11, 22), "any", "-"),
        ]
    )
    restricted: dict[tuple[str, int], int] = field(default_factory=dict)

    def place_fault(self, terminal: int) -> str | None:
        """
        Tell what refuses everything at a terminal (check 4).
        """
        store = STORES[STORE_OF_TERMINAL[terminal]]
        if ("terminal", terminal) in self.states:
            return "INVALID_TERMINAL"
        behind = {("store", store.store), ("merchant", store.merchant)}
        return "INVALID_MERCHANT" if behind & self.states.keys() else None

    def law_at(self, store: StoreRow, now: datetime, cards: str) -> LawRow | None:
        """
        Give the law of a store on its day: the part's, else the country's.
        """
        day = now.astimezone(store.zone).date()
        for place in (store.law, store.law[:2]):
            rows = [
                row
                for row in self.law
                if row.place == place
                and row.since <= day
                and row.cards in (cards, "any")
            ]
            rows.sort(key=lambda row: (row.since, row.cards != "any"))
            if rows:
                return rows[-1]
        return None

    def row_at(self, code: str, now: datetime) -> RateRow | None:
        """
        Give the row in force: the latest, then the greatest version.
        """
        if code == "USD":
            return RateRow("USD", "1", 0, datetime(1970, 1, 1, tzinfo=UTC), now)
        rows = [r for r in self.rates if r.code == code and r.effective_from <= now]
        best = max(rows, key=lambda r: (r.effective_from, r.version), default=None)
        return None if best is None or best.usd is None else best

    def version_at(self, now: datetime) -> int:
        """
        Give the greatest version in force.
        """
        return max(
            (r.version for r in self.rates if r.effective_from <= now), default=0
        )


def half_up(exact: Fraction) -> int:
    """
    Round to the nearest whole number, a half upwards.
    """
    return math.floor(exact + Fraction(1, 2))


class Conversion(NamedTuple):
    """
    A pair of currencies with the dollars that a unit of each is worth.
    """

    source: RateRow
    target: RateRow
    version: int

    def exact(self, minor: int) -> Fraction:
        """
        Give what `minor` of the source is worth, in minor units of the target.
        """
        units = Fraction(minor, 10 ** EXPONENTS[self.source.code])
        dollars = units * Fraction(str(self.source.usd))
        return dollars / Fraction(str(self.target.usd)) * self._minor_per_unit()

    def turned(self) -> "Conversion":
        """
        Give the same pair in the other direction.
        """
        return Conversion(self.target, self.source, self.version)

    def rounding(self, minor: int) -> Fraction:
        """
        Give rounded less exact, in units of the target, to 24 digits (half to even).
        """
        exact = self.exact(minor)
        added = (half_up(exact) - exact) / self._minor_per_unit()
        return Fraction(round(added * 10**24), 10**24)

    def applied(self) -> Fraction:
        """
        Give units of the target for one of the source, with 12 digits.
        """
        ratio = Fraction(str(self.source.usd)) / Fraction(str(self.target.usd))
        return Fraction(half_up(ratio * 10**12), 10**12)

    def _minor_per_unit(self) -> int:
        return int(10 ** EXPONENTS[self.target.code])


def business_date(store: StoreRow, now: datetime) -> date:
    """
    Give the day that a moment counts for: days begin at the store's cut-off.
    """
    wall = now.astimezone(store.zone).replace(tzinfo=None)
    return (wall - timedelta(hours=store.cut_off_hours)).date()


def day_of_program(program: int, now: datetime) -> date:
    """
    Give the calendar day in a programme's zone.
    """
    return now.astimezone(PROGRAM_ZONES[program]).date()
