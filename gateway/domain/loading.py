"""
Activate and Load: how value comes onto a card.
"""

from datetime import date, timedelta

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import Card, CardState
from gateway.domain.checks import (
    refuse_activation,
    refuse_amount,
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_state,
)
from gateway.domain.commands import Activate, Amount, Load
from gateway.domain.decision import (
    Decision,
    Facts,
    View,
    decline,
    decline_exceeded,
    write_record,
)
from gateway.domain.entries import postings_of
from gateway.domain.limit_checks import refuse_limits, terminal_minor
from gateway.domain.limits import Exceeded, Flow, LimitKind
from gateway.domain.pin import check_pin
from gateway.domain.policy import Product
from gateway.domain.pricing import NOT_CONVERTED, Price, quote, within_bounds
from gateway.domain.results import ActivityType, Result


def decide_load(command: Load, view: View) -> Decision:
    """
    Add value to an active card.

    Results: APPROVED, or 58/03, 13, 14, 57, 78/41/43/62, 54, 55/75, 62, 57/91, 13, 61,
    65.
    """
    card, policy, now = view.card, view.policy, view.stamp.now
    facts = Facts(
        ActivityType.LOAD,
        Result.APPROVED,
        amount=command.amount,
        reason=command.load_type,
    )
    refusal = (
        refuse_place(view.place)
        or refuse_amount(command.amount)
        or refuse_card(card, view.place, policy)
    )
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    product = policy.products[card.product_id]
    refusal = (
        refuse_product(card, product, ActivityType.LOAD)
        or refuse_state(card)
        or refuse_expired(card, policy, now)
    )
    if not refusal:
        refusal, facts = check_pin(command, view, facts)
    barred = None if refusal else refuse_restricted(card, view.place, policy, now)
    if refusal or barred:
        result = refusal or Result.RESTRICTED_CARD
        return decline(command, view, facts._replace(result=result, refusal=barred))
    price = _price(command.amount, card, product, view)
    if isinstance(price, Result):
        return decline(command, view, facts._replace(result=price, shown=True))
    if isinstance(price, Exceeded):
        return decline_exceeded(command, view, facts, price)
    after = card.moved(
        price.card_minor,
        now,
        loads=1,
        expires_on=card.expires_on,
        unconfirmed_minor=_waiting(price, view),
    )
    return _approve(command, view, facts, price, after)


def decide_activate(command: Activate, view: View) -> Decision:
    """
    Make a pending card usable, with a first amount or none.

    A product of fixed amount loads that amount when none is asked, and refuses another
    (13). Results: APPROVED, or 58/03, 13, 14, 57, 12/78/41/43/62, 54, 62, 57/91, 13,
    61, 65.
    """
    card, policy, now = view.card, view.policy, view.stamp.now
    amount = command.initial_amount
    facts = Facts(ActivityType.ACTIVATE, Result.APPROVED, amount=amount)
    refusal = (
        refuse_place(view.place)
        or (refuse_amount(amount) if amount else None)
        or refuse_card(card, view.place, policy)
    )
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    product = policy.products[card.product_id]
    refusal = (
        refuse_product(card, product, ActivityType.ACTIVATE)
        or refuse_activation(card)
        or refuse_expired(card, policy, now)
    )
    barred = None if refusal else refuse_restricted(card, view.place, policy, now)
    if refusal or barred:
        result = refusal or Result.RESTRICTED_CARD
        return decline(command, view, facts._replace(result=result, refusal=barred))
    if amount is None and product.fixed_amount_minor is not None:
        own = card.currency
        amount = Amount(product.fixed_amount_minor, own.code, own.exponent)
        facts = facts._replace(amount=amount)
    price: Price | Result | Exceeded = NOT_CONVERTED
    if amount is not None:
        price = _price(amount, card, product, view)
    if isinstance(price, Result):
        return decline(command, view, facts._replace(result=price, shown=True))
    if isinstance(price, Exceeded):
        return decline_exceeded(command, view, facts, price)
    after = card.moved(
        price.card_minor,
        now,
        state=CardState.ACTIVE,
        loads=1 if amount else 0,
        expires_on=_last_day(card, product, view),
        unconfirmed_minor=_waiting(price, view),
    )
    return _approve(command, view, facts, price, after)


def _price(
    amount: Amount, card: Card, product: Product, view: View
) -> Price | Result | Exceeded:
    """
    Apply checks 12 to 14 of a load: currency and rate, bounds, limits.
    """
    found = quote(
        amount.currency_code,
        card.currency,
        store=view.place.store,
        policy=view.policy,
        now=view.stamp.now,
    )
    if isinstance(found, Result):
        return found
    price = found.price(amount.minor_units)
    loaded = price.card_minor
    balance = card.balance_minor + loaded
    if not within_bounds(loaded) or balance > MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT
    if loaded == 1 and price.rounding is not None and price.rounding > 0:
        # Less than one minor unit is no money yet: never raised to one (domain 1.5).
        return Result.INVALID_AMOUNT
    fixed = product.fixed_amount_minor
    if fixed is not None and card.load_count == 0 and loaded != fixed:
        return Result.INVALID_AMOUNT
    limit = product.max_load_minor
    if limit is not None and loaded > limit:
        return Exceeded(LimitKind.LOAD_AMOUNT, limit)
    limit = product.max_balance_minor
    if limit is not None and balance > limit:
        return Exceeded(LimitKind.BALANCE, limit)
    exceeded = refuse_limits(view, card, Flow.LOAD, asked=amount, card_minor=loaded)
    return exceeded or price


def _waiting(price: Price, view: View) -> int:
    """
    Give what cannot be spent before the terminal has confirmed it.
    """
    return price.card_minor if view.place.terminal.two_message else 0


def _approve(
    command: Activate | Load, view: View, facts: Facts, price: Price, after: Card
) -> Decision:
    amount, counted = facts.amount, None
    if amount:
        counted = terminal_minor(view, after, asked=amount, card_minor=price.card_minor)
    facts = facts._replace(
        price=price,
        approved_minor=amount.minor_units if amount else 0,
        card_minor=price.card_minor,
        shown=True,
        approved=True,
        terminal_minor=counted,
    )
    record = write_record(command, view, facts, before=view.card, after=after)
    return Decision(record, postings_of(record), after, tries=facts.tries)


def _last_day(card: Card, product: Product, view: View) -> date | None:
    """
    Give the card's last day: counted from activation where the product says so.
    """
    if product.validity_days is None:
        return card.expires_on
    zone = view.policy.programs[card.program_id].time_zone
    today = view.stamp.now.astimezone(zone).date()
    return today + timedelta(days=product.validity_days)
