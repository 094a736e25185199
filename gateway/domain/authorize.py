"""
Authorize and IncrementAuthorization: how an amount is kept for a later capture.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import Card
from gateway.domain.checks import (
    refuse_amount,
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_state,
)
from gateway.domain.commands import Authorize, IncrementAuthorization
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.holding import Named, look_up, rate_of, recorded_id, refuse_ended
from gateway.domain.holds import Hold, HoldState, step_of
from gateway.domain.originals import Original
from gateway.domain.policy import Product
from gateway.domain.pricing import quote, within_bounds
from gateway.domain.results import ActivityType, Result


def decide_authorize(command: Authorize, view: View) -> Decision:
    """
    Hold an amount on an active card, in part where the till allows it.

    The checks are those of a Redeem, in the same order: what is held can be captured.
    Results: APPROVED, APPROVED_PARTIAL, or 58/03, 13, 14, 57, 78/41/43/62, 54, 62,
    57/91, 13, 61, 51.
    """
    card = view.card
    facts = Facts(ActivityType.AUTHORIZE, Result.APPROVED, amount=command.amount)
    refusal = (
        refuse_place(view.place)
        or refuse_amount(command.amount)
        or refuse_card(card, view.place, view.policy)
    )
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    product = view.policy.products[card.product_id]
    refused = _refuse_use(view, card, product, facts)
    if refused:
        return decline(command, view, refused)
    found = quote(
        command.amount.currency_code,
        card.currency,
        store=view.place.store,
        policy=view.policy,
        now=view.stamp.now,
    )
    facts = facts._replace(shown=True)
    if isinstance(found, Result):
        return decline(command, view, facts._replace(result=found))
    price = found.price(command.amount.minor_units)
    refusal = _refuse_price(price.card_minor, price.card_minor, product)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    approved = command.amount.minor_units
    if price.card_minor > card.available_minor:
        available = card.available_minor if command.allow_partial else 0
        approved = found.affordable(available)
        price = found.price(approved)
        facts = facts._replace(result=Result.APPROVED_PARTIAL)
    if not approved or not price.card_minor:
        facts = facts._replace(result=Result.INSUFFICIENT_FUNDS)
        return decline(command, view, facts)
    facts = facts._replace(approved_minor=approved, price=price)
    return _place(command, view, facts, card, product)


def decide_increment(
    command: IncrementAuthorization, view: View, original: Original | None
) -> Decision:
    """
    Hold more under an open hold, at its rate and until its end.

    It keeps money that was free, so what the card, its product and its restrictions say
    is asked again. Results: APPROVED, or 58/03, 13, 14, 25, 57, 78/41/43/62, 54, 62,
    57, 13, 61, 25, 12, 51.
    """
    facts = Facts(ActivityType.AUTHORIZE, Result.APPROVED, amount=command.amount)
    named = look_up(command, view, original, facts)
    if isinstance(named, Decision):
        return named
    card, hold, facts = named.card, named.hold, named.facts
    if card is None:
        facts = facts._replace(result=Result.ORIGINAL_NOT_FOUND)
        return decline(command, view, facts)
    product = view.policy.products[card.product_id]
    refused = _refuse_use(view, card, product, facts._replace(shown=False))
    if refused:
        return decline(command, view, refused)
    facts = facts._replace(shown=True)
    refusal = _refuse_other_currency(command, named)
    if refusal or hold is None:
        result = refusal or Result.ORIGINAL_NOT_FOUND
        return decline(command, view, facts._replace(result=result))
    authorized = hold.authorized_minor + command.amount.minor_units
    price = rate_of(hold, card.currency).price(authorized)
    more = price.card_minor - hold.card_minor
    refusal = (
        _refuse_price(more, price.card_minor, product)
        or (Result.INVALID_AMOUNT if authorized > MAX_MINOR_UNITS else None)
        or refuse_ended(hold)
    )
    if refusal is None and more > card.available_minor:
        refusal = Result.INSUFFICIENT_FUNDS
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    grown = replace(hold, authorized_minor=authorized, card_minor=price.card_minor)
    facts = facts._replace(
        approved_minor=command.amount.minor_units,
        price=price._replace(card_minor=more),
    )
    return _keep(command, view, facts, card, (hold, grown))


def _refuse_use(view: View, card: Card, product: Product, facts: Facts) -> Facts | None:
    """
    Apply checks 7 to 11; give the facts of the refusal, if there is one.
    """
    now = view.stamp.now
    refusal = (
        refuse_product(card, product, ActivityType.AUTHORIZE)
        or refuse_state(card)
        or refuse_expired(card, view.policy, now)
    )
    # Check 10, the PIN, has its place here.
    barred = None if refusal else refuse_restricted(card, view.place, view.policy, now)
    if refusal or barred:
        result = refusal or Result.RESTRICTED_CARD
        return facts._replace(result=result, refusal=barred)
    return None


def _refuse_price(more: int, whole: int, product: Product) -> Result | None:
    """
    Apply checks 13 and 14: zero or beyond bounds after conversion, the limit.

    The limit of a sale is that of the whole hold, which may be captured as one.
    """
    if not within_bounds(more) or not within_bounds(whole):
        return Result.INVALID_AMOUNT
    limit = product.max_redeem_minor
    if limit is not None and whole > limit:
        return Result.LIMIT_EXCEEDED
    return None


def _refuse_other_currency(
    command: IncrementAuthorization, named: Named
) -> Result | None:
    """
    Apply check 12: a hold has one currency.
    """
    if named.currency_code in {None, command.amount.currency_code}:
        return None
    return Result.CURRENCY_NOT_SUPPORTED


def _place(
    command: Authorize, view: View, facts: Facts, card: Card, product: Product
) -> Decision:
    """
    Place a hold of what was approved.
    """
    price = facts.price
    placed = Hold(
        hold_id=recorded_id(view),
        card_id=card.card_id,
        terminal_id=command.terminal_id,
        state=HoldState.OPEN,
        currency_code=command.amount.currency_code,
        authorized_minor=facts.approved_minor,
        card_minor=price.card_minor,
        captured_minor=0,
        captured_card_minor=0,
        rate_transaction=price.rate_transaction,
        rate_card=price.rate_card,
        applied_rate=price.applied_rate,
        rate_table_version=price.rate_table_version,
        rate_effective_from=price.rate_effective_from,
        expires_at=_end_of(command, view, product),
    )
    return _keep(command, view, facts, card, (None, placed))


def _end_of(command: Authorize, view: View, product: Product) -> datetime:
    """
    Give the moment when the hold ends: a request may only shorten its time.
    """
    longest_s = product.hold_ttl_s
    asked_s = command.time_to_live_s
    lives_s = longest_s if asked_s is None else min(asked_s, longest_s)
    return view.stamp.now + timedelta(seconds=lives_s)


def _keep(
    command: Authorize | IncrementAuthorization,
    view: View,
    facts: Facts,
    card: Card,
    change: tuple[Hold | None, Hold],
) -> Decision:
    """
    Write an approval: the card's ledger stays, what it holds grows.
    """
    before, after = change
    more = facts.price.card_minor
    first = card.next_hold_expiry
    kept = replace(
        card.moved(0, view.stamp.now, expires_on=card.expires_on, held_minor=more),
        next_hold_expiry=(
            after.expires_at if first is None else min(first, after.expires_at)
        ),
    )
    facts = facts._replace(card_minor=more, shown=True, approved=True)
    record = write_record(command, view, facts, before=card, after=kept)
    step = step_of(recorded_id(view), before, after)
    return Decision(record, (), kept, holds=(after,), step=step)
