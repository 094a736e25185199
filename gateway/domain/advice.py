"""
Advice: a sale that was made before it is told, decided at host time (domain 1.7).
"""

from typing import NamedTuple

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
from gateway.domain.commands import Advice
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import postings_of
from gateway.domain.errors import InvariantError
from gateway.domain.exceptions import ExceptionItem, ExceptionKind
from gateway.domain.limit_checks import terminal_minor
from gateway.domain.pricing import Price, Quote, quote, within_bounds
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result


class _Payment(NamedTuple):
    """
    What the card pays of a sale, and what keeps it from paying all, if anything does.
    """

    approved_minor: int
    price: Price
    reason: Result | None


def decide_advice(command: Advice, view: View) -> Decision:
    """
    Debit what the card can pay of a sale that was made already.

    The goods are gone, so nothing but a place (58/03) or an amount (13) that cannot be
    is declined. Refused where a Redeem would be (14, 57, 78/41/43/62, 54, 55, 62,
    57/91, 13), all of it becomes an exception; above the terminal's floor limit (61),
    or beyond what the card has (51), the rest does. `record.reason` is that. Limits of
    card and terminal count it and refuse nothing: the sale was made (ADR 0020).
    """
    facts = Facts(
        ActivityType.REDEEM, Result.APPROVED, amount=command.amount, offline=True
    )
    refusal = refuse_place(view.place) or refuse_amount(command.amount)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    facts = facts._replace(approved=True)
    card = view.card
    refusal = _refuse(card, view)
    if refusal or card is None:
        reason = refusal or Result.INVALID_CARD
        return _unpaid(command, view, facts._replace(reason=reason))
    facts = facts._replace(shown=True)
    payment = _pay(command, view, card)
    facts = facts._replace(
        reason=payment.reason,
        price=payment.price,
        approved_minor=payment.approved_minor,
        card_minor=payment.price.card_minor,
    )
    if not payment.approved_minor:
        return _unpaid(command, view, facts)
    paid = command.amount._replace(minor_units=payment.approved_minor)
    facts = facts._replace(
        terminal_minor=terminal_minor(
            view, card, asked=paid, card_minor=facts.card_minor
        )
    )
    product = view.policy.products[card.product_id]
    spent = card.balance_minor == facts.card_minor and not product.reloadable
    after = card.moved(
        -facts.card_minor,
        view.stamp.now,
        state=CardState.DEPLETED if spent else None,
        expires_on=card.expires_on,
    )
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, postings_of(record), after, exception=_rest_of(record))


def _refuse(card: Card | None, view: View) -> Result | None:
    """
    Apply checks 6 to 11 as they stand now, whenever the sale was.
    """
    policy, now = view.policy, view.stamp.now
    refusal = refuse_card(card, view.place, policy)
    if refusal or card is None:
        return refusal
    product = policy.products[card.product_id]
    refusal = (
        refuse_product(card, product, ActivityType.REDEEM)
        or refuse_state(card)
        or refuse_expired(card, policy, now)
    )
    if refusal:
        return refusal
    if ActivityType.REDEEM in product.pin_required_for:
        # No till may keep a PIN, so none can be told later.
        return Result.PIN_REQUIRED
    barred = refuse_restricted(card, view.place, policy, now)
    return Result.RESTRICTED_CARD if barred else None


def _pay(command: Advice, view: View, card: Card) -> _Payment:
    """
    Apply checks 12, 13 and 16: rates, the floor limit, the funds. No limit refuses.
    """
    asked = command.amount
    found = quote(
        asked.currency_code,
        card.currency,
        store=view.place.store,
        policy=view.policy,
        now=view.stamp.now,
    )
    if isinstance(found, Result):
        return _nothing(found)
    floor = _floor(command, view)
    if isinstance(floor, Result):
        return _nothing(floor)
    within = min(asked.minor_units, floor)
    if not within:
        return _nothing(Result.LIMIT_EXCEEDED)
    above = None if within == asked.minor_units else Result.LIMIT_EXCEEDED
    price = found.price(within)
    if not within_bounds(price.card_minor):
        return _nothing(Result.INVALID_AMOUNT)
    if price.card_minor <= card.available_minor:
        return _Payment(within, price, above)
    return _pay_part(found, card)


def _pay_part(found: Quote, card: Card) -> _Payment:
    """
    Pay what the card has, by the rule of a partial approval (domain 1.5).
    """
    approved = found.affordable(card.available_minor)
    price = found.price(approved)
    if not approved or not price.card_minor:
        return _nothing(Result.INSUFFICIENT_FUNDS)
    return _Payment(approved, price, Result.INSUFFICIENT_FUNDS)


def _floor(command: Advice, view: View) -> int | Result:
    """
    Give the terminal's floor limit in the currency of the sale; without one it is 0.
    """
    terminal = view.place.terminal
    limit, currency = terminal.floor_limit_minor, terminal.floor_limit_currency
    if limit is None or currency is None:
        return 0
    found = quote(
        command.amount.currency_code,
        currency,
        store=view.place.store,
        policy=view.policy,
        now=view.stamp.now,
    )
    return found if isinstance(found, Result) else found.affordable(limit)


def _nothing(reason: Result) -> _Payment:
    return _Payment(0, Price(0), reason)


def _unpaid(command: Advice, view: View, facts: Facts) -> Decision:
    """
    Record a sale of which the card pays nothing: no posting, no change of the card.
    """
    decision = decline(command, view, facts)
    return Decision(decision.record, exception=_rest_of(decision.record))


def _rest_of(record: TransactionRecord) -> ExceptionItem | None:
    """
    Open the exception over what was not paid.
    """
    if record.reason is None:
        return None
    if (
        record.transaction_id is None
        or record.requested_minor is None
        or record.transaction_currency is None
    ):
        message = "an advice that is recorded has its id and its amount"
        raise InvariantError(message)
    return ExceptionItem(
        transaction_id=record.transaction_id,
        kind=ExceptionKind.ADVICE_NOT_PAID,
        opened_by=record.transaction_id,
        reason=Result(record.reason),
        store_id=record.store_id,
        amount_minor=record.requested_minor - record.approved_minor,
        currency=record.transaction_currency,
        opened_at=record.host_time,
    )
