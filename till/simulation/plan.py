"""
Plan every visit to a till: who buys, where, when, in which money, and what goes wrong.

The plan follows from the data, the rates and a seed alone. A shorter plan is the
beginning of a longer one, so a month shows what eighteen would have shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from currency import USD_RATE, Currency, Money, RateBook, convert
from till.simulation.places import Store
from till.simulation.purchases import Purchase
from till.simulation.trouble import Trouble, trouble_of_load, trouble_of_sale

SEED: Final = "scrip-demo-1"
OPENS_AT_HOUR: Final = 9
# How many of a hundred shoppers come in each hour from nine to nine in the evening.
SHOPPERS_BY_HOUR: Final = (3, 4, 6, 9, 9, 7, 7, 8, 11, 13, 13, 10)
PERCENT_AT_HOME_STORE: Final = 80
PERCENT_IN_HOME_COUNTRY: Final = 95

# What a card may hold and take at once is the product's policy; loads stay below it.
MAX_BALANCE_CENTS: Final = 2_000_00
MAX_LOAD_CENTS: Final = 500_00
LOAD_STEP_CENTS: Final = 100_00
LARGEST_LOAD_CENTS: Final = 400_00

_DOLLAR: Final = Currency.of("USD")


class PlanError(Exception):
    """
    The data, the rates and the limits do not go together.
    """


class TopUp(NamedTuple):
    """
    Be money put on a card before a purchase: by its activation, or by a load.
    """

    activates: bool
    amount: Money
    cents: int
    trouble: Trouble


class Visit(NamedTuple):
    """
    Be a shopper at a till: money is put on the card if needed, then spent.

    `amount` is in the store's currency, `cents` what the source data has in dollars.
    """

    number: int
    customer: int
    at: datetime
    local_time: str
    store: Store
    terminal: str
    top_ups: tuple[TopUp, ...]
    amount: Money
    cents: int
    trouble: Trouble


class _Arrival(NamedTuple):
    purchase: Purchase
    at: datetime
    store: Store
    terminal: str
    chance: Random


def plan_visits(
    purchases: Iterable[Purchase],
    stores: Sequence[Store],
    rates: RateBook,
    *,
    last_day: date,
    seed: str = SEED,
) -> list[Visit]:
    """
    Plan the visits up to a day, in the order of time.

    Raises:
        PlanError: a sale in a store's money would not be the source's cents again.

    """
    mall = _Mall(stores, seed)
    arrivals = [
        _arrive(purchase, mall, seed)
        for purchase in purchases
        if purchase.day <= last_day
    ]
    arrivals.sort(key=lambda arrival: (arrival.at, arrival.purchase.number))
    balances: dict[int, int] = {}
    return [_visit(arrival, balances, rates) for arrival in arrivals]


def by_hour(visits: Iterable[Visit]) -> Iterator[tuple[datetime, list[Visit]]]:
    """
    Give the visits hour by hour, for whoever moves the clock.
    """
    for hour, together in groupby(visits, key=lambda visit: _hour_of(visit.at)):
        yield hour, list(together)


def local_amount(
    cents: int, currency: Currency, rates: RateBook, at: datetime
) -> Money:
    """
    Express dollars in a store's money at the day's rate, rounded half up.

    The gateway converts it back by the same rate. One minor unit of each of these
    currencies is worth less than a cent, so the same cents come out; if not, the plan
    could not be compared with its source, and is refused.
    """
    rate = rates.rate_at(currency.code, at)
    if rate is None:
        raise PlanError(f"there is no rate of {currency} at {at.isoformat()}")
    amount = convert(cents, _DOLLAR, currency, USD_RATE, rate).amount_minor
    if convert(amount, currency, _DOLLAR, rate, USD_RATE).amount_minor != cents:
        raise PlanError(
            f"{Money(cents, _DOLLAR)} in {currency} does not come back as it was"
        )
    return Money(amount, currency)


class _Mall:
    """
    Know where each customer shops; busier stores have more tills.
    """

    def __init__(self, stores: Sequence[Store], seed: str) -> None:
        self._seed = seed
        self._tills = [(store, name) for store in stores for name in store.terminals]
        self._by_country: dict[str, list[tuple[Store, str]]] = {}
        for store, name in self._tills:
            place = self._by_country.setdefault(store.country.code, [])
            place.append((store, name))
        self._homes: dict[int, Store] = {}

    def till_for(self, customer: int, chance: Random) -> tuple[Store, str]:
        """
        Choose a till for a purchase: mostly at home, sometimes abroad.
        """
        home = self._homes.get(customer)
        if home is None:
            home, _ = Random(f"{self._seed}/customer/{customer}").choice(self._tills)
            self._homes[customer] = home
        drawn = chance.randrange(100)
        if drawn < PERCENT_AT_HOME_STORE:
            return home, chance.choice(home.terminals)
        if drawn < PERCENT_IN_HOME_COUNTRY:
            return chance.choice(self._by_country[home.country.code])
        return chance.choice(self._tills)


def _arrive(purchase: Purchase, mall: _Mall, seed: str) -> _Arrival:
    chance = Random(f"{seed}/purchase/{purchase.number}")
    store, terminal = mall.till_for(purchase.customer, chance)
    (hour,) = chance.choices(range(len(SHOPPERS_BY_HOUR)), SHOPPERS_BY_HOUR)
    at = datetime(
        purchase.day.year,
        purchase.day.month,
        purchase.day.day,
        OPENS_AT_HOUR + hour,
        chance.randrange(60),
        chance.randrange(60),
        tzinfo=ZoneInfo(store.country.time_zone),
    ).astimezone(UTC)
    return _Arrival(purchase, at, store, terminal, chance)


def _visit(arrival: _Arrival, balances: dict[int, int], rates: RateBook) -> Visit:
    purchase, at, store, terminal, chance = arrival
    currency = store.country.currency
    balance = balances.get(purchase.customer)
    top_ups = tuple(
        TopUp(
            activates=balance is None and number == 0,
            amount=local_amount(cents, currency, rates, at),
            cents=cents,
            trouble=trouble_of_load(chance),
        )
        for number, cents in enumerate(_loads(balance, purchase.cents))
    )
    filled = (balance or 0) + sum(top_up.cents for top_up in top_ups)
    if filled > MAX_BALANCE_CENTS:
        raise PlanError(f"purchase {purchase.number} needs more than a card may hold")
    balances[purchase.customer] = filled - purchase.cents
    local = at.astimezone(ZoneInfo(store.country.time_zone))
    return Visit(
        number=purchase.number,
        customer=purchase.customer,
        at=at,
        local_time=local.isoformat(),
        store=store,
        terminal=terminal,
        top_ups=top_ups,
        amount=local_amount(purchase.cents, currency, rates, at),
        cents=purchase.cents,
        trouble=trouble_of_sale(chance) if purchase.cents else Trouble.NONE,
    )


def _loads(balance: int | None, price: int) -> Iterator[int]:
    """
    Give the loads before a purchase: whole steps, none above the limit of one load.

    A new card gets a step at its activation in any case.
    """
    missing = price - (balance or 0)
    steps = max(-(-missing // LOAD_STEP_CENTS), 1 if balance is None else 0)
    left = steps * LOAD_STEP_CENTS
    while left > 0:
        load = min(left, LARGEST_LOAD_CENTS)
        yield load
        left -= load


def _hour_of(at: datetime) -> datetime:
    return at - timedelta(
        minutes=at.minute, seconds=at.second, microseconds=at.microsecond
    )
