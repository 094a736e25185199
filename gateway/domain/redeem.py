"""
Redeem: how value is spent.
"""

from gateway.domain.cards import Card, CardState
from gateway.domain.checks import (
    refuse_amount,
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_state,
)
from gateway.domain.commands import Redeem
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
from gateway.domain.pricing import Price, Quote, quote, within_bounds
from gateway.domain.results import ActivityType, Result


def decide_redeem(command: Redeem, view: View) -> Decision:
    """
    Spend from an active card, in part where the till allows it.

    Results: APPROVED, APPROVED_PARTIAL, or 58/03, 13, 14, 57, 78/41/43/62, 54, 55/75,
    62, 57/91, 13, 61, 65, 51.
    """
    card, policy, now = view.card, view.policy, view.stamp.now
    facts = Facts(ActivityType.REDEEM, Result.APPROVED, amount=command.amount)
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
        refuse_product(card, product, ActivityType.REDEEM)
        or refuse_state(card)
        or refuse_expired(card, policy, now)
    )
    if not refusal:
        refusal, facts = check_pin(command, view, facts)
    barred = None if refusal else refuse_restricted(card, view.place, policy, now)
    if refusal or barred:
        result = refusal or Result.RESTRICTED_CARD
        return decline(command, view, facts._replace(result=result, refusal=barred))
    found = quote(
        command.amount.currency_code,
        card.currency,
        store=view.place.store,
        policy=policy,
        now=now,
    )
    if isinstance(found, Result):
        return decline(command, view, facts._replace(result=found, shown=True))
    price = found.price(command.amount.minor_units)
    if not within_bounds(price.card_minor):
        facts = facts._replace(result=Result.INVALID_AMOUNT, shown=True)
        return decline(command, view, facts)
    exceeded = _refuse_price(command, view, price, card, product)
    if exceeded:
        return decline_exceeded(command, view, facts, exceeded)
    if price.card_minor <= card.available_minor:
        facts = facts._replace(
            price=price,
            approved_minor=command.amount.minor_units,
            card_minor=price.card_minor,
        )
        return _approve(command, view, facts, card, product)
    return _approve_part(command, view, facts, found, card, product)


def _refuse_price(
    command: Redeem, view: View, price: Price, card: Card, product: Product
) -> Exceeded | None:
    """
    Apply check 14: the product's limit of one sale, then what sets and terminals say.
    """
    limit = product.max_redeem_minor
    if limit is not None and price.card_minor > limit:
        return Exceeded(LimitKind.SPEND_AMOUNT, limit)
    return refuse_limits(
        view, card, Flow.SPEND, asked=command.amount, card_minor=price.card_minor
    )


def _approve_part(
    command: Redeem,
    view: View,
    facts: Facts,
    found: Quote,
    card: Card,
    product: Product,
) -> Decision:
    """
    Check 16: approve what the card pays for, or decline (51).

    The available amount is floored to the transaction currency, and that is converted
    back; either of the two zero is 51, never an approval of nothing (domain 1.5).
    """
    if command.allow_partial and card.available_minor > 0:
        approved = found.affordable(card.available_minor)
        price = found.price(approved)
        if approved and price.card_minor:
            facts = facts._replace(
                result=Result.APPROVED_PARTIAL,
                price=price,
                approved_minor=approved,
                card_minor=price.card_minor,
            )
            return _approve(command, view, facts, card, product)
    facts = facts._replace(result=Result.INSUFFICIENT_FUNDS, shown=True)
    return decline(command, view, facts)


def _approve(
    command: Redeem, view: View, facts: Facts, card: Card, product: Product
) -> Decision:
    spent = card.balance_minor == facts.card_minor and not product.reloadable
    after = card.moved(
        -facts.card_minor,
        view.stamp.now,
        state=CardState.DEPLETED if spent else None,
        expires_on=card.expires_on,
    )
    asked = command.amount._replace(minor_units=facts.approved_minor)
    counted = terminal_minor(view, card, asked=asked, card_minor=facts.card_minor)
    facts = facts._replace(shown=True, approved=True, terminal_minor=counted)
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, postings_of(record), after, tries=facts.tries)
