"""
What checks 4 to 11 looked at, in words: for an explanation.

Nothing is decided here. Rates, days and limits are found by the same functions that the
checks use, on the same policy.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from currency import find_currency
from gateway.domain.cards import Card
from gateway.domain.commands import Amount
from gateway.domain.decision import View
from gateway.domain.explanation import CheckNumber as No
from gateway.domain.pin import Proving
from gateway.domain.policy import Place, Policy, Product
from gateway.domain.restrictions import Refusal
from gateway.domain.results import ActivityType
from gateway.domain.value_texts import Values, masked, moment, values_of

Given = dict[str, Any]


def of_place(place: Place) -> Values:
    """
    Check 4 looks at three states.
    """
    return values_of(
        terminal=f"{place.terminal.code} {place.terminal.state.name}",
        store=f"{place.store.code} {place.store.state.name}",
        merchant=f"{place.merchant.code} {place.merchant.state.name}",
    )


def of_amount(amount: Amount) -> Values:
    """
    Check 5 looks at the amount as the till wrote it.
    """
    currency = find_currency(amount.currency_code)
    return values_of(
        minor_units=amount.minor_units,
        currency=amount.currency_code,
        exponent=amount.exponent,
        exponent_of_the_currency=None if currency is None else currency.exponent,
    )


def of_known(card: Card | None, place: Place, policy: Policy) -> Values:
    """
    Check 6 looks for the card, and for its programme at the merchant.
    """
    if card is None:
        return values_of(known_here=False)
    program = policy.programs.get(card.program_id)
    accepted = (card.program_id, place.merchant.merchant_id) in policy.accepted
    return values_of(
        card=masked(card.last_four),
        programme=None if program is None else program.code,
        merchant=place.merchant.code,
        known_here=accepted,
    )


def of_two(card: Card, other: Card) -> Values:
    """
    Show that two cards are two, and of one programme (checks 6 and 7).
    """
    return values_of(
        card=masked(card.last_four),
        second_card=masked(other.last_four),
        they_are_one=card.card_id == other.card_id,
        of_one_programme=card.program_id == other.program_id,
    )


def of_product(card: Card, product: Product, activity: ActivityType) -> Values:
    """
    Check 7 looks at what the product permits.
    """
    loading = activity is ActivityType.LOAD
    return values_of(
        product=product.code,
        operation=activity.name,
        permitted=activity in product.permitted,
        reloadable=product.reloadable if loading else None,
        loads_so_far=card.load_count if loading else None,
    )


def of_state(card: Card) -> Values:
    """
    Check 8 looks at the state of the card as it was.
    """
    return values_of(
        card=masked(card.last_four), state=card.state, blocked_as=card.block_reason
    )


def of_expiry(card: Card, policy: Policy, now: datetime) -> Values:
    """
    Check 9 looks at the last day, and at the day in the programme's zone.
    """
    zone = policy.programs[card.program_id].time_zone
    return values_of(
        last_day="none" if card.expires_on is None else card.expires_on,
        day=now.astimezone(zone).date(),
        time_zone=zone.key,
    )


def of_pin(command: Proving, view: View, card: Card, activity: ActivityType) -> Values:
    """
    Check 10 looks at what the product asks for, at the PIN and at the tries before.
    """
    product, kept = view.policy.products[card.product_id], view.pin
    before = None if kept is None else kept.tries.get(command.channel)
    sent = command.pin is not None
    return values_of(
        asked_for=activity in product.pin_required_for,
        sent=sent,
        the_card_has_one=None if kept is None else True,
        wrong_before=None if before is None else before.tries,
        last_wrong=None if before is None else moment(before.last_tried_at),
        locks_at=product.pin_max_tries if sent or before is not None else None,
    )


def of_restriction(
    card: Card, place: Place, policy: Policy, now: datetime, gave: Refusal | None
) -> Values:
    """
    Check 11 looks at the sets that the card is under, and at the store and its clock.
    """
    batch = card.issue_batch_id
    sets = {
        "product": policy.products[card.product_id].restriction_set_id,
        "issue_batch": None if batch is None else policy.issue_batches.get(batch),
        "card": card.restriction_set_id,
    }
    versions = {
        f"version_for_the_{level}": policy.restrictions[set_id].version_id
        for level, set_id in sets.items()
        if set_id is not None
    }
    if not versions:
        return values_of(restrictions="none")
    store = place.store
    return values_of(
        **versions,
        store=store.code,
        country=store.country,
        category=store.merchant_category,
        local_time=f"{now.astimezone(store.time_zone):%A %H:%M}",
        refused_for=None if gave is None else gave.reason,
        by_version=None if gave is None else gave.restriction_version_id,
        valid_hours=None if gave is None else gave.hours,
    )


def _product(given: Given, _gave: object) -> Values:
    return of_product(given["card"], given["product"], given["activity"])


def _expiry(given: Given, _gave: object) -> Values:
    return of_expiry(given["card"], given["policy"], given["now"])


def _pin(given: Given, _gave: object) -> Values:
    view, activity = given["view"], given["facts"].activity
    return of_pin(given["command"], view, view.card, activity)


def _restriction(given: Given, gave: Refusal | None) -> Values:
    card, place = given["card"], given["place"]
    return of_restriction(card, place, given["policy"], given["now"], gave)


Show = Callable[[Given, Any], Values]

# What the calls of the watched functions looked at, by the number of their check.
SHOWN: Final[dict[No, Show]] = {
    No.PLACE: lambda given, _: of_place(given["place"]),
    No.AMOUNT: lambda given, _: of_amount(given["amount"]),
    No.CARD: lambda given, _: of_known(given["card"], given["place"], given["policy"]),
    No.OPERATION: _product,
    No.STATE: lambda given, _: of_state(given["card"]),
    No.LAST_DAY: _expiry,
    No.PIN: _pin,
    No.RESTRICTIONS: _restriction,
}
