"""
The checks in the order of domain 1.2, each giving the result that refuses, or None.

A request with two faults always gets the answer of the earlier check. Checks 1 to 3
(identity, readable, key) come before any decision; 12 to 16 are in the decisions.
"""

from datetime import datetime

from currency import MAX_MINOR_UNITS, find_currency
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Amount
from gateway.domain.policy import PartyState, Place, Policy, Product, Store
from gateway.domain.restrictions import (
    PlaceList,
    Refusal,
    RefusalReason,
    Restriction,
)
from gateway.domain.results import ActivityType, Result

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
    Check 8 for all but Activate: the card can be used (78, 41, 43, 62).

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
    for set_id in (
        policy.products[card.product_id].restriction_set_id,
        None if batch is None else policy.issue_batches.get(batch),
        card.restriction_set_id,
    ):
        if set_id is not None:
            refusal = _refuse_by(policy.restrictions[set_id], place.store, now)
            if refusal is not None:
                return refusal
    return None


def _refuse_by(restriction: Restriction, store: Store, now: datetime) -> Refusal | None:
    """
    Apply one set: the place, its country, what it sells, then the hours there.
    """
    allowed, denied = restriction.allowed_places, restriction.denied_places
    if (denied is not None and _stands_on(denied, store)) or (
        allowed is not None and not _stands_on(allowed, store)
    ):
        return Refusal(RefusalReason.PLACE, restriction.version_id)
    if _barred(
        store.country, restriction.allowed_countries, restriction.denied_countries
    ):
        return Refusal(RefusalReason.COUNTRY, restriction.version_id)
    if _barred(
        store.merchant_category,
        restriction.allowed_categories,
        restriction.denied_categories,
    ):
        return Refusal(RefusalReason.CATEGORY, restriction.version_id)
    hours = restriction.hours
    if hours is not None and not hours.hold(now.astimezone(store.time_zone)):
        return Refusal(RefusalReason.HOURS, restriction.version_id, hours.text)
    return None


def _stands_on(places: PlaceList, store: Store) -> bool:
    return (
        store.store_id in places.stores
        or store.merchant_id in places.merchants
        or not places.groups.isdisjoint(store.groups)
    )


def _barred(
    value: str | None, allowed: frozenset[str] | None, denied: frozenset[str] | None
) -> bool:
    """
    Tell whether a value is denied, or is not on an allow list where there is one.
    """
    return (denied is not None and value in denied) or (
        allowed is not None and value not in allowed
    )
