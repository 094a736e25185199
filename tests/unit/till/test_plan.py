"""
The plan is the source data, to the cent, at real places and times.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from currency import Currency, ImportedRate, RateBook
from currency.importers.plain_csv import read_plain_csv
from till.simulation.places import COUNTRIES, STORES, all_stores
from till.simulation.plan import (
    MAX_BALANCE_CENTS,
    MAX_LOAD_CENTS,
    PlanError,
    Visit,
    by_hour,
    local_amount,
    plan_visits,
)
from till.simulation.purchases import FIRST_DAY, LAST_DAY, Purchase, read_purchases
from till.simulation.rate_table import demo_rates, rate_book, rates_csv
from till.simulation.trouble import Trouble

JANUARY = date(2025, 1, 31)


@cache
def purchases() -> Sequence[Purchase]:
    """
    Read the data once for all tests.
    """
    return tuple(read_purchases())


@cache
def rates() -> RateBook:
    """
    Hold the rates of all eighteen months.
    """
    return rate_book(demo_rates(FIRST_DAY, LAST_DAY))


@cache
def january() -> Sequence[Visit]:
    """
    Plan one month.
    """
    return tuple(plan_visits(purchases(), all_stores(), rates(), last_day=JANUARY))


def test_the_data_is_whole() -> None:
    """
    69,659 purchases of 23,570 customers, re-dated to the same days of the week.
    """
    found = purchases()

    assert 69_659 == len(found)
    assert 23_570 == len({purchase.customer for purchase in found})
    assert 2_500_315_63 == sum(purchase.cents for purchase in found)
    assert (FIRST_DAY, LAST_DAY) == (
        min(purchase.day for purchase in found),
        max(purchase.day for purchase in found),
    )
    # 504 purchases on 24 February 1997, a Monday.
    (busiest,) = Counter(purchase.day for purchase in found).most_common(1)
    assert (date(2025, 2, 24), 504) == busiest
    assert date(1997, 2, 24).weekday() == busiest[0].weekday()


def test_the_chain_has_453_stores_in_eight_countries() -> None:
    """
    Türkiye is one of the eight; every store has a till and a name of its own.
    """
    stores = all_stores()

    assert STORES == len(stores) == sum(country.stores for country in COUNTRIES)
    assert {"LB", "AE", "QA", "KW", "BH", "EG", "JO", "TR"} == {
        store.country.code for store in stores
    }
    assert STORES == len({(store.country.merchant, store.code) for store in stores})
    assert {1, 2, 3} == {store.tills for store in stores}


def test_a_plan_is_made_of_its_seed_alone() -> None:
    """
    Twice the same; another seed, another plan.
    """
    week = date(2025, 1, 7)
    first = plan_visits(purchases(), all_stores(), rates(), last_day=week)
    again = plan_visits(purchases(), all_stores(), rates(), last_day=week)
    other = plan_visits(
        purchases(), all_stores(), rates(), last_day=week, seed="another"
    )

    assert first == again
    assert first != other


def test_a_short_plan_is_the_beginning_of_a_longer_one() -> None:
    """
    A month begins with the same visits as its first week.
    """
    week = plan_visits(purchases(), all_stores(), rates(), last_day=date(2025, 1, 7))

    assert week == list(january())[: len(week)]


def test_every_purchase_is_visited_once_on_its_day() -> None:
    """
    A visit falls on the purchase's day, by the store's clock and by UTC, from nine on.
    """
    by_number = {purchase.number: purchase for purchase in purchases()}
    wanted = [p.number for p in purchases() if p.day <= JANUARY]

    assert sorted(wanted) == sorted(visit.number for visit in january())
    for visit in january():
        purchase = by_number[visit.number]
        local = datetime.fromisoformat(visit.local_time)
        assert purchase.day == visit.at.date() == local.date()
        assert 9 <= local.hour <= 20
        assert visit.at == local
        assert purchase.cents == visit.cents


def test_visits_come_in_order_hour_by_hour() -> None:
    """
    Sorted by time, and grouped by full hours without loss.
    """
    visits = list(january())

    assert visits == sorted(visits, key=lambda visit: visit.at)
    hours = list(by_hour(visits))
    assert visits == [visit for _, together in hours for visit in together]
    assert all(
        hour <= visit.at < hour + timedelta(hours=1)
        for hour, together in hours
        for visit in together
    )


def test_sales_are_in_the_stores_money() -> None:
    """
    KWD, BHD and JOD have three digits, the others two, and each country has sales.
    """
    seen = {visit.amount.currency.code for visit in january()}

    assert {"LBP", "AED", "QAR", "KWD", "BHD", "EGP", "JOD", "TRY"} == seen
    for visit in january():
        assert visit.store.country.currency is visit.amount.currency


def test_cards_never_run_dry_and_stay_below_their_limits() -> None:
    """
    Followed over eighteen months, no card goes below zero or above its limit.

    All who ever paid 200.00 at once are followed, and a sixteenth of the others.
    """
    large = {purchase.customer for purchase in purchases() if purchase.cents > 200_00}
    followed = [p for p in purchases() if p.customer in large or p.customer % 16 == 0]
    visits = plan_visits(followed, all_stores(), rates(), last_day=LAST_DAY)
    balances: dict[int, int] = {}

    for visit in visits:
        for number, top_up in enumerate(visit.top_ups):
            first = visit.customer not in balances
            assert top_up.activates == (first and number == 0)
            assert 0 < top_up.cents < MAX_LOAD_CENTS
            balances[visit.customer] = balances.get(visit.customer, 0) + top_up.cents
            assert balances[visit.customer] <= MAX_BALANCE_CENTS
        balances[visit.customer] -= visit.cents
        assert balances[visit.customer] >= 0

    assert len(followed) == len(visits)
    assert len(large) > 100


def test_trouble_is_mixed_in() -> None:
    """
    Each kind happens, about one sale in ten has some, and an empty sale has none.
    """
    found = Counter(visit.trouble for visit in january())

    assert set(Trouble) == set(found)
    assert 0.08 < 1 - found[Trouble.NONE] / len(january()) < 0.12
    assert {Trouble.NONE} == {v.trouble for v in january() if v.cents == 0}
    assert 32 == sum(visit.cents == 0 for visit in january())


def test_the_lira_moves_with_the_central_bank() -> None:
    """
    A working day's rate is in force from the next midnight, and over the weekend.
    """
    friday, monday = date(2025, 1, 10), date(2025, 1, 13)
    book = rates()

    on_friday = book.rate_at("TRY", datetime(2025, 1, 10, 12, tzinfo=UTC))
    on_sunday = book.rate_at("TRY", datetime(2025, 1, 12, 12, tzinfo=UTC))
    on_tuesday = book.rate_at("TRY", datetime(2025, 1, 14, tzinfo=UTC))

    assert on_friday is not None
    assert on_sunday is not None
    assert on_tuesday is not None
    assert date(2025, 1, 9) == on_friday.as_of.date()
    assert friday == on_sunday.as_of.date()
    assert monday == on_tuesday.as_of.date()


def test_no_rate_begins_in_the_past() -> None:
    """
    All rates count from the first midnight on, and the first day has all of them.
    """
    found = demo_rates(FIRST_DAY, JANUARY)
    start = datetime(2025, 1, 1, tzinfo=UTC)

    assert all(rate.effective_from >= start for rate in found)
    first = {rate.currency_code for rate in found if rate.effective_from == start}
    assert {country.currency.code for country in COUNTRIES} <= first


def test_the_file_of_rates_can_be_imported() -> None:
    """
    What is written for `scrip rates import` reads back as the same rates.
    """
    found = demo_rates(FIRST_DAY, LAST_DAY)

    def order(rate: ImportedRate) -> tuple[str, datetime]:
        return rate.currency_code, rate.effective_from

    again = read_plain_csv(rates_csv(found).encode())

    assert sorted(found, key=order) == sorted(again, key=order)


def test_an_amount_that_would_not_come_back_is_refused() -> None:
    """
    A yen is worth most of a cent: no plan in yen could equal its source.
    """
    rough = ImportedRate(
        currency_code="JPY",
        usd_per_unit_e12=20_000_000_000,
        effective_from=datetime(2025, 1, 1, tzinfo=UTC),
        as_of=datetime(2025, 1, 1, tzinfo=UTC),
        source="a test",
    )
    book = rate_book([rough])
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)

    with pytest.raises(PlanError, match="does not come back"):
        local_amount(1_01, Currency.of("JPY"), book, noon)
    with pytest.raises(PlanError, match="no rate of KWD"):
        local_amount(1_01, Currency.of("KWD"), book, noon)


def test_no_card_is_loaded_with_more_than_a_card_takes_in_a_day() -> None:
    """
    USD 2,000.00 unless its product says otherwise, which that of the demo does not.
    """
    loaded: Counter[tuple[int, date]] = Counter()
    for visit in january():
        loaded[visit.customer, visit.at.date()] += sum(
            top_up.cents for top_up in visit.top_ups
        )

    assert max(loaded.values()) <= 2_000_00
