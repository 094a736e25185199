"""
The checks in the order of domain 1.2, each giving the result that refuses, or None.

A request with two faults always gets the answer of the earlier check. Checks 1 to 3
(identity, readable, key) come before any decision; 12 to 16 are in the decisions.
"""

from datetime import datetime

from currency import MAX_MINOR_UNITS, find_currency
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount, Command
from gateway.domain.policy import PartyState, Place, Policy, Product, Store
from gateway.domain.restrictions import (
    PlaceList,
    Refusal,
    RefusalReason,
    Restriction,
    minute_of_week,
)
from gateway.domain.results import STAFF_CHANNELS, ActivityType, Result

_BLOCKED = {
    BlockReason.LOST: Result.LOST_CARD,
    BlockReason.STOLEN: Result.STOLEN_CARD,
    BlockReason.FRAUD: Result.RESTRICTED_CARD,
    BlockReason.CUSTOMER: Result.RESTRICTED_CARD,
}


def refuse_place(place: Place) -> Result | None:
    """
    Check 4: the terminal (58), then its store and merchant (03).
    """
    if place.terminal.state is not PartyState.ACTIVE:
        return Result.INVALID_TERMINAL
    if (
        place.store.state is not PartyState.ACTIVE
        or place.merchant.state is not PartyState.ACTIVE
    ):
        return Result.INVALID_MERCHANT
    return None


def refuse_amount(amount: Amount) -> Result | None:
    """
    Check 5: sign, bounds and exponent (13). An unknown currency is for check 12.
    """
    if not 0 < amount.minor_units <= MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT
    currency = find_currency(amount.currency_code)
    if currency is not None and amount.exponent != currency.exponent:
        return Result.INVALID_AMOUNT
    return None


def refuse_card(card: Card | None, place: Place, policy: Policy) -> Result | None:
    """
    Check 6: the card is known and its programme accepted here (14).

    One answer for both: a till outside the programme never learns that a card exists.
    """
    if (
        card is None
        or (card.program_id, place.merchant.merchant_id) not in policy.accepted
    ):
        return Result.INVALID_CARD
    return None


def refuse_product(
    card: Card, product: Product, activity: ActivityType
) -> Result | None:
    """
    Check 7: the product permits the operation (57).
    """
    if activity not in product.permitted:
        return Result.NOT_PERMITTED
    if activity is ActivityType.LOAD and card.load_count and not product.reloadable:
        return Result.CARD_NOT_RELOADABLE
    return None


def refuse_state(card: Card) -> Result | None:
    """
    Check 8 for all but Activate and Refund: the card can be used (78, 41, 43, 62).

    DEPLETED passes: its empty balance decides (51).
    """
    state = card.state
    if state is CardState.ACTIVE or state is CardState.DEPLETED:
        return None
    if state is CardState.BLOCKED:
        return _BLOCKED[card.block_reason or BlockReason.FRAUD]
    if state is CardState.CREATED or state is CardState.PENDING:
        return Result.CARD_NOT_ACTIVE
    return Result.CARD_CLOSED


def refuse_refund(card: Card) -> Result | None:
    """
    Check 8 for Refund: the card is not closed (78). A blocked one takes it, blocked.
    """
    return None if card.state is CardState.BLOCKED else refuse_state(card)


def refuse_activation(card: Card) -> Result | None:
    """
    Check 8 for Activate: the card waits for it (12 active already, 78, 41, 43, 62).
    """
    state = card.state
    if state is CardState.PENDING:
        return None
    if state is CardState.ACTIVE or state is CardState.DEPLETED:
        return Result.CARD_ALREADY_ACTIVATED
    return refuse_state(card)


def refuse_unused(card: Card) -> Result | None:
    """
    Check 8 where a block is no hindrance: the card was activated, is not closed (78).
    """
    return None if card.state is CardState.BLOCKED else refuse_state(card)


def refuse_tills(command: Command) -> Result | None:
    """
    Check 7 for what staff alone may do (57).
    """
    return None if command.channel in STAFF_CHANNELS else Result.NOT_PERMITTED


def refuse_expired(card: Card, policy: Policy, now: datetime) -> Result | None:
    """
    Check 9: the card's last day, in its programme's time zone, has not passed (54).
    """
    if card.expires_on is None:
        return None
    zone = policy.programs[card.program_id].time_zone
    if now.astimezone(zone).date() > card.expires_on:
        return Result.EXPIRED_CARD
    return None


def refuse_restricted(
    card: Card, place: Place, policy: Policy, now: datetime
) -> Refusal | None:
    """
    Check 11: no restriction of its product, issue batch or own bars the card (62).

    Every level that has a set must allow; the first that refuses is told of.
    """
    batch = card.issue_batch_id
    store, minute = place.store, None
    for set_id in (
        policy.products[card.product_id].restriction_set_id,
        None if batch is None else policy.issue_batches.get(batch),
        card.restriction_set_id,
    ):
        if set_id is None:
            continue
        restriction = policy.restrictions[set_id]
        reason = _refuse_store(restriction, store)
        if reason is not None:
            return Refusal(reason, restriction.version_id)
        hours = restriction.hours
        if hours is not None:
            if minute is None:
                minute = minute_of_week(now.astimezone(store.time_zone))
            if not hours.hold(minute):
                return Refusal(RefusalReason.HOURS, restriction.version_id, hours.text)
    return None


def _refuse_store(restriction: Restriction, store: Store) -> RefusalReason | None:
    """
    Apply the lists of one set: the place, its country, what it sells.
    """
    places = restriction.denied_places
    if places is not None and _stands_on(places, store):
        return RefusalReason.PLACE
    places = restriction.allowed_places
    if places is not None and not _stands_on(places, store):
        return RefusalReason.PLACE
    allowed, denied = restriction.allowed_countries, restriction.denied_countries
    if (allowed is not None and store.country not in allowed) or (
        denied is not None and store.country in denied
    ):
        return RefusalReason.COUNTRY
    allowed, denied = restriction.allowed_categories, restriction.denied_categories
    if (allowed is not None and store.merchant_category not in allowed) or (
        denied is not None and store.merchant_category in denied
    ):
        return RefusalReason.CATEGORY
    return None


def _stands_on(places: PlaceList, store: Store) -> bool:
    return (
        store.store_id in places.stores
        or store.merchant_id in places.merchants
        or not places.groups.isdisjoint(store.groups)
    )
