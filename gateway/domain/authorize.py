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
from gateway.domain.decision import (
    Decision,
    Facts,
    View,
    decline,
    decline_exceeded,
    write_record,
)
from gateway.domain.holding import Named, look_up, rate_of, recorded_id, refuse_ended
from gateway.domain.holds import Hold, HoldState, step_of
from gateway.domain.limit_checks import (
    refuse_limits,
    refuse_limits_of_more,
    terminal_minor,
)
from gateway.domain.limits import Exceeded, Flow, LimitKind
from gateway.domain.originals import Original
from gateway.domain.pin import check_pin, refuse_locked
from gateway.domain.policy import Product
from gateway.domain.pricing import quote, within_bounds
from gateway.domain.results import ActivityType, Result


def decide_authorize(command: Authorize, view: View) -> Decision:
    """
    Hold an amount on an active card, in part where the till allows it.

    The checks are those of a Redeem, in the same order: what is held can be captured.
    Results: APPROVED, APPROVED_PARTIAL, or 58/03, 13, 14, 57, 78/41/43/62, 54, 55/75,
    62, 57/91, 13, 61, 65, 51.
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
    refusal, facts = _refuse_use(command, view, card, facts)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
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
    if not within_bounds(price.card_minor):
        return decline(command, view, facts._replace(result=Result.INVALID_AMOUNT))
    exceeded = _exceeded(command, view, card, price.card_minor, price.card_minor)
    if exceeded:
        return decline_exceeded(command, view, facts, exceeded)
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
    is asked again. Results: APPROVED, or 58/03, 13, 14, 25, 57, 78/41/43/62, 54, 75,
    62, 57, 13, 61, 65, 25, 12, 51.
    """
    facts = Facts(ActivityType.AUTHORIZE, Result.APPROVED, amount=command.amount)
    named = look_up(command, view, original, facts)
    if isinstance(named, Decision):
        return named
    card, hold, facts = named.card, named.hold, named.facts
    if card is None:
        facts = facts._replace(result=Result.ORIGINAL_NOT_FOUND)
        return decline(command, view, facts)
    refusal, facts = _refuse_use(command, view, card, facts._replace(shown=False))
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    facts = facts._replace(shown=True)
    refusal = _refuse_other_currency(command, named)
    if refusal or hold is None:
        result = refusal or Result.ORIGINAL_NOT_FOUND
        return decline(command, view, facts._replace(result=result))
    authorized = hold.authorized_minor + command.amount.minor_units
    price = rate_of(hold, card.currency).price(authorized)
    more = price.card_minor - hold.card_minor
    if not within_bounds(more) or not within_bounds(price.card_minor):
        return decline(command, view, facts._replace(result=Result.INVALID_AMOUNT))
    if authorized > MAX_MINOR_UNITS:
        return decline(command, view, facts._replace(result=Result.INVALID_AMOUNT))
    exceeded = _exceeded(command, view, card, more, price.card_minor)
    if exceeded:
        return decline_exceeded(command, view, facts, exceeded)
    refusal = refuse_ended(hold)
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


def _refuse_use(
    command: Authorize | IncrementAuthorization, view: View, card: Card, facts: Facts
) -> tuple[Result | None, Facts]:
    """
    Apply checks 7 to 11; give the refusal, and the facts with what was counted.

    An increment is of a hold that somebody has entered the PIN for, and asks for none;
    but it does not pass one that is locked.
    """
    now, product = view.stamp.now, view.policy.products[card.product_id]
    refusal = (
        refuse_product(card, product, ActivityType.AUTHORIZE)
        or refuse_state(card)
        or refuse_expired(card, view.policy, now)
    )
    if not refusal and isinstance(command, Authorize):
        refusal, facts = check_pin(command, view, facts)
    elif not refusal:
        refusal = refuse_locked(command, view, facts)
    barred = None if refusal else refuse_restricted(card, view.place, view.policy, now)
    if barred:
        return Result.RESTRICTED_CARD, facts._replace(refusal=barred)
    return refusal, facts


def _exceeded(
    command: Authorize | IncrementAuthorization,
    view: View,
    card: Card,
    more: int,
    whole: int,
) -> Exceeded | None:
    """
    Apply check 14: the product's limit of one sale, then what sets and terminals say.

    The limit of a sale is that of the whole hold, which may be captured as one.
    """
    limit = view.policy.products[card.product_id].max_redeem_minor
    if limit is not None and whole > limit:
        return Exceeded(LimitKind.SPEND_AMOUNT, limit)
    asked = command.amount
    if isinstance(command, IncrementAuthorization):
        return refuse_limits_of_more(
            view, card, asked=asked, card_minor=more, whole_minor=whole
        )
    return refuse_limits(view, card, Flow.SPEND, asked=asked, card_minor=more)


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
    asked = command.amount._replace(minor_units=facts.approved_minor)
    facts = facts._replace(
        card_minor=more,
        shown=True,
        approved=True,
        terminal_minor=terminal_minor(view, card, asked=asked, card_minor=more),
    )
    record = write_record(command, view, facts, before=card, after=kept)
    step = step_of(recorded_id(view), before, after)
    return Decision(record, (), kept, holds=(after,), step=step, tries=facts.tries)
