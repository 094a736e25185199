"""
CashOut: how a small rest is paid out, so that no money stays behind on a card.
"""

from gateway.domain.cards import Card, CardState
from gateway.domain.checks import (
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_state,
)
from gateway.domain.commands import Amount, CashOut
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
from gateway.domain.limits import Flow
from gateway.domain.pin import check_pin
from gateway.domain.policy import Product
from gateway.domain.pricing import Price
from gateway.domain.results import ActivityType, Result


def decide_cash_out(command: CashOut, view: View) -> Decision:
    """
    Pay all that is available out in cash, in the card's currency, or nothing.

    It is paid where the law of the store or the card's product allows it for such a
    balance. Results: APPROVED, or 58/03, 14, 57, 78/41/43/62, 54, 55/75, 62, 57 (the
    currency), 61, 65, 51, 57 (the balance, or a hold).
    """
    card, policy, now = view.card, view.policy, view.stamp.now
    facts = Facts(ActivityType.CASH_OUT, Result.APPROVED)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    product = policy.products[card.product_id]
    refusal = (
        refuse_product(card, product, ActivityType.CASH_OUT)
        or refuse_state(card)
        or refuse_expired(card, policy, now)
    )
    if not refusal:
        refusal, facts = check_pin(command, view, facts)
    barred = None if refusal else refuse_restricted(card, view.place, policy, now)
    if refusal or barred:
        result = refusal or Result.RESTRICTED_CARD
        return decline(command, view, facts._replace(result=result, refusal=barred))
    if card.currency.code not in view.place.store.currencies:
        facts = facts._replace(result=Result.CURRENCY_NOT_SUPPORTED, shown=True)
        return decline(command, view, facts)
    paid = card.available_minor
    asked = Amount(paid, card.currency.code, card.currency.exponent)
    exceeded = refuse_limits(view, card, Flow.SPEND, asked=asked, card_minor=paid)
    if exceeded:
        return decline_exceeded(command, view, facts, exceeded)
    refusal = _refuse_money(card, product, view)
    if refusal:
        return decline(command, view, facts._replace(result=refusal, shown=True))
    return _pay_out(command, view, facts, card, product)


def _refuse_money(card: Card, product: Product, view: View) -> Result | None:
    """
    Apply check 16: whether this rest may be paid.

    An empty card gets 51 everywhere. While a hold stands the rest is not known yet.
    """
    if not card.available_minor and not card.held_minor:
        return Result.INSUFFICIENT_FUNDS
    if card.held_minor or not _is_small_rest(card, product, view):
        return Result.NOT_PERMITTED
    return None


def _is_small_rest(card: Card, product: Product, view: View) -> bool:
    """
    Tell whether the product or the law of the store lets such a balance be paid out.

    The whole balance counts, so that a load that waits to be confirmed cannot make a
    full card look like a rest.
    """
    own_limit = product.cash_out_limit_minor
    if own_limit is not None and card.balance_minor <= own_limit:
        return True
    store = view.place.store
    rule = view.policy.cash_out_rules.rule_for(
        store.jurisdiction or store.country,
        view.stamp.now.astimezone(store.time_zone).date(),
        reloadable=product.reloadable,
    )
    return rule is not None and rule.permits(
        card.balance_minor,
        loaded_minor=card.loaded_minor,
        currency=card.currency.code,
    )


def _pay_out(
    command: CashOut, view: View, facts: Facts, card: Card, product: Product
) -> Decision:
    own, paid = card.currency, card.available_minor
    emptied = card.balance_minor == paid and not product.reloadable
    after = card.moved(
        -paid,
        view.stamp.now,
        state=CardState.DEPLETED if emptied else None,
        expires_on=card.expires_on,
    )
    amount = Amount(paid, own.code, own.exponent)
    facts = facts._replace(
        amount=amount,
        price=Price(paid),
        approved_minor=paid,
        card_minor=paid,
        shown=True,
        approved=True,
        terminal_minor=terminal_minor(view, card, asked=amount, card_minor=paid),
    )
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, postings_of(record), after, tries=facts.tries)
