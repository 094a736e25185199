"""
What a sale is worth, and what is kept of how it was found (domain 1.5).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from currency import MAX_MINOR_UNITS, Currency
from gateway.domain.policy import Policy
from gateway.domain.pricing import Price, Quote, quote, within_bounds
from gateway.domain.results import Result
from tests.support import world
from tests.support.world import policy, rate

ONE_DAY = timedelta(days=1)
USD, EUR = Currency.of("USD"), Currency.of("EUR")


def quoted(
    code: str, card: Currency, rules: Policy, now: datetime = world.NOW
) -> Quote | Result:
    """
    Ask for the rates of a sale in the one store.
    """
    store = rules.places[world.TERMINAL].store
    return quote(code, card, store=store, policy=rules, now=now)


def price_of(minor: int, code: str, card: Currency, rules: Policy) -> Price:
    """
    Give the price of a sale whose currency is taken.
    """
    found = quoted(code, card, rules)
    assert isinstance(found, Quote)
    return found.price(minor)


def test_one_currency_needs_no_rate() -> None:
    """
    Nothing is converted, nothing is recorded of it, however old the table is.
    """
    rules = policy(rates=[], max_rate_age={"USD": timedelta(0)})

    price = price_of(12_34, "USD", USD, rules)

    assert price == Price(12_34)
    assert price.rate_table_version is None


def test_the_record_of_a_conversion() -> None:
    """
    Both rates to USD, the applied rate, the version, since when, the rounding.
    """
    price = price_of(5_143, "KWD", EUR, policy())

    assert price.card_minor == 15_41
    assert (price.rate_transaction, price.rate_card) == (
        Decimal("3.2520"),
        Decimal("1.0850"),
    )
    assert price.applied_rate == Decimal("2.997235023041")
    assert (price.rate_table_version, price.rate_effective_from) == (1, world.LONG_AGO)
    # 5.143 x 3.2520 / 1.0850 is 15.41477972350230414746...: 15.41 is 0.0047... less.
    assert price.rounding == Decimal("-0.004779723502304147465438")


@pytest.mark.parametrize("card", [USD, EUR])
def test_the_version_is_the_greatest_in_force(card: Currency) -> None:
    """
    Also where a later import touched neither currency of the sale.
    """
    rules = policy(
        rates=[
            rate("KWD", "3.2520"),
            rate("EUR", "1.0850"),
            rate("JPY", "0.00665", version=7),
            rate("JPY", "0.007", version=8, effective_from=world.NOW + ONE_DAY),
        ]
    )

    assert price_of(1_000, "KWD", card, rules).rate_table_version == 7


@pytest.mark.parametrize(
    ("code", "card", "result"),
    [
        ("TRY", USD, Result.CURRENCY_NOT_SUPPORTED),
        ("XXX", USD, Result.CURRENCY_NOT_SUPPORTED),
        ("???", USD, Result.CURRENCY_NOT_SUPPORTED),
        ("GBP", USD, Result.CURRENCY_NOT_SUPPORTED),
        ("USD", Currency.of("GBP"), Result.CURRENCY_NOT_SUPPORTED),
    ],
)
def test_49_currencies_that_are_not_taken(
    code: str, card: Currency, result: Result
) -> None:
    """
    Not taken by the store, no currency at all, or one of the two without a rate: 57.
    """
    assert quoted(code, card, policy()) is result


def test_49_a_withdrawn_currency() -> None:
    """
    A row without a rate withdraws the currency from its moment on.
    """
    last = rate("KWD", "1", version=2, effective_from=world.NOW)
    gone = replace(last, usd_per_unit_e12=None)
    rules = policy(rates=[rate("KWD", "3.2520"), gone])
    before = world.NOW - timedelta(microseconds=1)

    assert isinstance(quoted("KWD", USD, rules, before), Quote)
    assert quoted("KWD", USD, rules) is Result.CURRENCY_NOT_SUPPORTED


@pytest.mark.parametrize(
    ("code", "card", "aged", "stale"),
    [
        ("KWD", USD, "KWD", True),
        ("USD", EUR, "EUR", True),
        ("KWD", EUR, "EUR", True),
        ("KWD", USD, "USD", False),
        ("KWD", USD, "EUR", False),
    ],
)
def test_49_a_rate_that_is_too_old(
    code: str, card: Currency, aged: str, *, stale: bool
) -> None:
    """
    Either side's rate may be too old (91); the dollar never is.
    """
    rules = policy(max_rate_age={aged: timedelta(days=1)})
    found = quoted(code, card, rules)

    assert (found is Result.FX_RATE_UNAVAILABLE) == stale


def test_49_a_rate_ages_by_the_microsecond() -> None:
    """
    As old as allowed is not too old.
    """
    rules = policy(max_rate_age={"KWD": timedelta(days=1)})
    last = world.LONG_AGO + timedelta(days=1)

    assert isinstance(quoted("KWD", USD, rules, last), Quote)
    over = last + timedelta(microseconds=1)
    assert quoted("KWD", USD, rules, over) is Result.FX_RATE_UNAVAILABLE


def test_no_rate_comes_before_a_stale_rate() -> None:
    """
    57 before 91 where the two sides have one fault each.
    """
    rules = policy(
        rates=[rate("EUR", "1.0850")], max_rate_age={"EUR": timedelta(days=1)}
    )

    assert quoted("KWD", EUR, rules) is Result.CURRENCY_NOT_SUPPORTED


@pytest.mark.parametrize(
    ("available", "affordable", "back"),
    [(10_00, 3_075, 10_00), (1, 3, 1), (50_00, 15_375, 50_00)],
)
def test_42_what_a_card_pays_for(available: int, affordable: int, back: int) -> None:
    """
    Floored to the sale's currency and converted back it is never more than there is.
    """
    found = quoted("KWD", USD, policy())

    assert isinstance(found, Quote)
    assert found.affordable(available) == affordable
    assert found.price(affordable).card_minor == back


def test_bounds() -> None:
    """
    From one minor unit to 10^15 of them.
    """
    assert [within_bounds(n) for n in (0, 1, MAX_MINOR_UNITS, MAX_MINOR_UNITS + 1)] == [
        False,
        True,
        True,
        False,
    ]
