"""
What an amount is worth in the card's currency (domain 1.5).
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from currency import (
    MAX_MINOR_UNITS,
    RATE_SCALE,
    Currency,
    UsdRate,
    applied_rate,
    convert,
    convert_floor,
    find_currency,
)
from gateway.domain.policy import Policy, Store
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result


class Price(NamedTuple):
    """
    A converted amount and the record of its conversion.

    `card_minor` is in the card's currency. The rest is None where nothing was
    converted.
    """

    card_minor: int
    rate_transaction: Decimal | None = None
    rate_card: Decimal | None = None
    applied_rate: Decimal | None = None
    rate_table_version: int | None = None
    rate_effective_from: datetime | None = None
    rounding: Decimal | None = None


NOT_CONVERTED = Price(0)


def price_of(record: TransactionRecord) -> Price:
    """
    Give the conversion of a recorded transaction, for what follows from it.
    """
    return Price(
        card_minor=record.card_minor,
        rate_transaction=record.rate_transaction,
        rate_card=record.rate_card,
        applied_rate=record.applied_rate,
        rate_table_version=record.rate_table_version,
        rate_effective_from=record.rate_effective_from,
        rounding=record.rounding,
    )


class Quote(NamedTuple):
    """
    The pair of currencies of a sale and the two rates in force, for one moment.

    Without rates the two currencies are one.
    """

    transaction: Currency
    card: Currency
    rates: tuple[UsdRate, UsdRate] | None
    rate_table_version: int

    def price(self, amount_minor: int) -> Price:
        """
        Convert once, HALF_UP at the end, to the card currency's exponent.
        """
        if self.rates is None:
            return Price(amount_minor)
        rate_transaction, rate_card = self.rates
        converted = convert(
            amount_minor, self.transaction, self.card, rate_transaction, rate_card
        )
        return Price(
            card_minor=converted.amount_minor,
            rate_transaction=_decimal(rate_transaction),
            rate_card=_decimal(rate_card),
            applied_rate=applied_rate(rate_transaction, rate_card),
            rate_table_version=self.rate_table_version,
            rate_effective_from=rate_transaction.effective_from,
            rounding=converted.rounding,
        )

    def affordable(self, available_minor: int) -> int:
        """
        Give the most of the transaction's currency that the card's money pays for.
        """
        if self.rates is None:
            return available_minor
        rate_transaction, rate_card = self.rates
        return convert_floor(
            available_minor, self.card, self.transaction, rate_card, rate_transaction
        )


def quote(
    currency_code: str, card: Currency, *, store: Store, policy: Policy, now: datetime
) -> Quote | Result:
    """
    Find the rates for a sale, or the reason why there are none (check 12).

    Returns CURRENCY_NOT_SUPPORTED where the store does not take the currency or it has
    no rate, FX_RATE_UNAVAILABLE where a rate is too old.
    """
    currency = find_currency(currency_code)
    if currency is None or currency_code not in store.currencies:
        return Result.CURRENCY_NOT_SUPPORTED
    if currency is card:
        return Quote(currency, card, None, 0)
    rates = policy.rates
    rate_transaction = rates.rate_at(currency_code, now)
    rate_card = rates.rate_at(card.code, now)
    if rate_transaction is None or rate_card is None:
        return Result.CURRENCY_NOT_SUPPORTED
    for rate in (rate_transaction, rate_card):
        max_age = policy.max_rate_age.get(rate.currency_code)
        if (
            max_age is not None
            and rate.currency_code != "USD"
            and now - rate.as_of > max_age
        ):
            return Result.FX_RATE_UNAVAILABLE
    version = rates.version_at(now)
    return Quote(currency, card, (rate_transaction, rate_card), version)


def within_bounds(amount_minor: int) -> bool:
    """
    Tell whether a converted amount or a balance is neither zero nor beyond 10^15.
    """
    return 0 < amount_minor <= MAX_MINOR_UNITS


def _decimal(rate: UsdRate) -> Decimal:
    scaled = rate.usd_per_unit_e12
    if scaled is None:  # pragma: no cover - rate_at never gives a withdrawn rate
        message = f"{rate.currency_code} is withdrawn"
        raise ValueError(message)
    return Decimal(scaled).scaleb(-RATE_SCALE)
