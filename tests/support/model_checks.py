"""
The independent model's checks 4 to 16 of Activate, Load, Redeem and GetBalance.
"""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

from tests.support.model_restrictions import NOT_REFUSED, RESTRICTIONS, Refused
from tests.support.model_rows import Ask, Entry, ModelCard, Money
from tests.support.model_rules import (
    EXPONENTS,
    MOST,
    Conversion,
    Rules,
    day_of_program,
    half_up,
)

BLOCKED = {"LOST": "LOST_CARD", "STOLEN": "STOLEN_CARD"}


def first_fault(
    ask: Ask, card: ModelCard | None, now: datetime, rules: Rules
) -> str | None:
    """
    Give the first fault of checks 4 to 11. `card` is None where it is not accepted.
    """
    return next(filter(None, _faults(ask, card, now, rules)), None)


def _faults(
    ask: Ask, card: ModelCard | None, now: datetime, rules: Rules
) -> Iterator[str | None]:
    yield rules.place_fault(ask.terminal)
    yield amount_fault(ask)
    if card is None:
        yield "INVALID_CARD"
        return
    product = card.product
    yield None if ask.operation in product.permitted else "NOT_PERMITTED"
    if ask.operation == "LOAD" and card.loads and not product.reloadable:
        yield "CARD_NOT_RELOADABLE"
    yield _state_fault(ask, card)
    day = day_of_program(product.program, now)
    yield "EXPIRED_CARD" if card.expires and day > card.expires else None
    refused = refused_by(ask, card, now, rules)
    yield None if refused == NOT_REFUSED else "RESTRICTED_CARD"


def refused_by(ask: Ask, card: ModelCard, now: datetime, rules: Rules) -> Refused:
    """
    Tell which restriction refuses, and why (check 11): product, batch, then the card.
    """
    levels = (
        rules.restricted.get(("product", card.product.product)),
        card.batch and rules.restricted.get(("batch", card.batch)),
        card.restriction,
    )
    spot = ask.store.spot(now)
    for number in levels:
        refused = spot.refusal_of(RESTRICTIONS[number]) if number else NOT_REFUSED
        if refused != NOT_REFUSED:
            return refused
    return NOT_REFUSED


def amount_fault(ask: Ask) -> str | None:
    """
    Apply check 5 to the amount, if one is asked for.
    """
    if ask.minor is None:
        return None
    exponent = EXPONENTS.get(ask.code or "", ask.exponent)
    good = 1 <= ask.minor <= MOST and ask.exponent == exponent
    return None if good else "INVALID_AMOUNT"


def _share(ask: Ask, sale: Entry) -> Fraction:
    """
    Give what all refunds of a sale with this one are worth, in the card's minor units.
    """
    refunded = sale.refunded("approved_minor") + (ask.minor or 0)
    return Fraction(refunded * sale.row["card_minor"], sale.row["approved_minor"])


def credited(ask: Ask, sale: Entry) -> int:
    """
    Give what a refund credits: the rounded share so far, less what stands of it.
    """
    return half_up(_share(ask, sale)) - sale.refunded("card_minor")


def rounding_of_refunds(ask: Ask, sale: Entry) -> Fraction:
    """
    Give what rounding added to the share so far, to 24 digits of the card's unit.
    """
    share = _share(ask, sale)
    minor = 10 ** EXPONENTS[sale.row["card_currency"]]
    return Fraction(round((half_up(share) - share) / minor * 10**24), 10**24)


def _state_fault(ask: Ask, card: ModelCard) -> str | None:
    if card.state == "BLOCKED":
        return BLOCKED.get(str(card.block), "RESTRICTED_CARD")
    if card.state in {"DEACTIVATED", "REPLACED"}:
        return "CARD_CLOSED"
    usable = card.state in {"ACTIVE", "DEPLETED"}
    if ask.operation == "ACTIVATE":
        if usable:
            return "CARD_ALREADY_ACTIVATED"
        return None if card.state == "PENDING" else "CARD_NOT_ACTIVE"
    return None if usable else "CARD_NOT_ACTIVE"


def price(ask: Ask, card: ModelCard, now: datetime, rules: Rules) -> Money | str:
    """
    Apply checks 12 to 16: what moves, or what is in the way.
    """
    if ask.minor is None:
        return Money(0, 0)
    conversion = _conversion(ask, card, now, rules)
    if isinstance(conversion, str):
        return conversion
    asked = half_up(conversion.exact(ask.minor)) if conversion else ask.minor
    if not 1 <= asked <= MOST:
        return "INVALID_AMOUNT"
    if ask.operation != "REDEEM" and conversion and conversion.exact(ask.minor) < 1:
        return "INVALID_AMOUNT"
    if ask.operation == "REDEEM":
        return _spend(ask, card, asked, conversion)
    product = card.product
    after = card.balance + asked
    wrong_first = product.fixed and not card.loads and asked != product.fixed
    if after > MOST or wrong_first:
        return "INVALID_AMOUNT"
    too_much = product.max_load and asked > product.max_load
    too_full = product.max_balance and after > product.max_balance
    if too_much or too_full:
        return "LIMIT_EXCEEDED"
    return Money(ask.minor, asked, conversion)


def rest(ask: Ask, card: ModelCard, now: datetime, rules: Rules) -> Money | str:
    """
    Apply checks 12 to 16 to a CashOut: what is paid, or what is in the way.
    """
    if card.product.currency not in ask.store.currencies:
        return "CURRENCY_NOT_SUPPORTED"
    if card.balance == 0:
        return "INSUFFICIENT_FUNDS"
    if card.held or not _small(ask, card, now, rules):
        return "NOT_PERMITTED"
    return Money(card.balance, card.balance)


def _small(ask: Ask, card: ModelCard, now: datetime, rules: Rules) -> bool:
    product = card.product
    if product.cash_out is not None and card.balance <= product.cash_out:
        return True
    kind = "reloadable" if product.reloadable else "one load"
    law = rules.law_at(ask.store, now, kind)
    if law is None or law.kind == "-":
        return False
    if law.kind == "%":
        part = Fraction(card.balance, card.loaded) if card.loaded else 1
        return part <= Fraction(100 - law.figure, 100)
    if law.code != product.currency:
        return False
    small = card.balance < law.figure
    return small or (law.kind == "<=" and card.balance == law.figure)


def _conversion(
    ask: Ask, card: ModelCard, now: datetime, rules: Rules
) -> Conversion | str | None:
    code, own = str(ask.code), card.product.currency
    if code not in ask.store.currencies:
        return "CURRENCY_NOT_SUPPORTED"
    if code == own:
        return None
    source, target = rules.row_at(code, now), rules.row_at(own, now)
    if source is None or target is None:
        return "CURRENCY_NOT_SUPPORTED"
    for row in (source, target):
        allowed = rules.max_age.get(row.code)
        if allowed is not None and row.as_of + allowed < now:
            return "FX_RATE_UNAVAILABLE"
    return Conversion(source, target, rules.version_at(now))


def _spend(
    ask: Ask, card: ModelCard, asked: int, conversion: Conversion | None
) -> Money | str:
    limit = card.product.max_redeem
    if limit and asked > limit:
        return "LIMIT_EXCEEDED"
    if asked <= card.available:
        return Money(ask.minor or 0, asked, conversion)
    if not ask.partial:
        return "INSUFFICIENT_FUNDS"
    part = back = card.available
    if conversion:
        part = int(conversion.turned().exact(card.available))
        back = half_up(conversion.exact(part))
    if not part or not back:
        return "INSUFFICIENT_FUNDS"
    return Money(part, back, conversion)
