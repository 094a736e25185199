"""
TransferBalance: move all that can be spent to another card (docs/adr/0017).
"""

from dataclasses import replace

from currency import MAX_MINOR_UNITS
from gateway.domain.block import usable_state
from gateway.domain.cards import Card, CardState
from gateway.domain.checks import (
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_state,
)
from gateway.domain.commands import TransferBalance
from gateway.domain.decision import Decision, Facts, View, decline
from gateway.domain.limits import Exceeded, LimitKind
from gateway.domain.pin import check_pin
from gateway.domain.policy import Policy
from gateway.domain.results import ActivityType, Result
from gateway.domain.two_cards import (
    decline_for_other,
    move_between,
    refuse_other,
    set_free,
)


def decide_transfer_balance(command: TransferBalance, view: View) -> Decision:
    """
    Move what is available of one usable card to another, or nothing.

    Each check is made for the first card, then for the second, before the next one. A
    hold keeps it all in place. To the second card it is a load. Results: APPROVED, or
    58/03, 14, 57, 78/41/43/62, 54, 55/75 (the first card's PIN), 62, 57 (currency,
    restriction), 13, 61, 57 (a hold), 51.
    """
    card, other, policy = view.card, view.other, view.policy
    facts = Facts(ActivityType.TRANSFER_BALANCE_FROM, Result.APPROVED)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    if refuse_other(card, view) or other is None:
        return decline_for_other(command, view, facts, Result.INVALID_CARD)
    refused = _refuse_use(command, view, facts, card, other)
    if refused:
        return refused
    refusal, facts = check_pin(command, view, facts)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    refused = _refuse_place(command, view, facts, card, other)
    if refused:
        return refused
    facts = facts._replace(shown=True)
    refusal, exceeded = _refuse_receipt(card, other, policy)
    if refusal:
        facts = facts._replace(exceeded=exceeded)
        return decline_for_other(command, view, facts, refusal)
    if card.held_minor or not card.available_minor:
        held, empty = Result.NOT_PERMITTED, Result.INSUFFICIENT_FUNDS
        refusal = held if card.held_minor else empty
        return decline(command, view, facts._replace(result=refusal))
    moved, now = card.available_minor, view.stamp.now
    given = card.moved(-moved, now, expires_on=card.expires_on)
    given = replace(given, state=usable_state(given, policy))
    received = other.moved(moved, now, loads=1, expires_on=other.expires_on)
    return move_between(command, view, facts, given=given, received=received)


def _refuse_use(
    command: TransferBalance, view: View, facts: Facts, card: Card, other: Card
) -> Decision | None:
    """
    Apply checks 7 to 9 to both cards.
    """
    policy, now = view.policy, view.stamp.now
    own = policy.products[card.product_id]
    refusal = refuse_product(card, own, ActivityType.TRANSFER_BALANCE_FROM)
    if card.card_id == other.card_id:
        return decline(command, view, facts._replace(result=Result.NOT_PERMITTED))
    refusals = (
        (card, refusal),
        (other, _refuse_receiving(other, policy)),
        (card, refuse_state(card)),
        (other, refuse_state(other)),
        (card, refuse_expired(card, policy, now)),
        (other, refuse_expired(other, policy, now)),
    )
    for refused, result in refusals:
        if result and refused is card:
            return decline(command, view, facts._replace(result=result))
        if result:
            return decline_for_other(command, view, facts, result)
    return None


def _refuse_place(
    command: TransferBalance, view: View, facts: Facts, card: Card, other: Card
) -> Decision | None:
    """
    Apply check 11 to both cards.
    """
    place, policy, now = view.place, view.policy, view.stamp.now
    restricted = Result.RESTRICTED_CARD
    barred = refuse_restricted(card, place, policy, now)
    if barred:
        facts = facts._replace(result=restricted, refusal=barred)
        return decline(command, view, facts)
    barred = refuse_restricted(other, place, policy, now)
    if barred:
        facts = facts._replace(refusal=barred)
        return decline_for_other(command, view, facts, restricted)
    return None


def _refuse_receiving(other: Card, policy: Policy) -> Result | None:
    """
    Check 7 for the second card: its product takes transfers, and loads after the first.
    """
    product = policy.products[other.product_id]
    refusal = refuse_product(other, product, ActivityType.TRANSFER_BALANCE_TO)
    if refusal:
        return refusal
    taken = not product.reloadable or other.state is CardState.DEPLETED
    return Result.CARD_NOT_RELOADABLE if taken else None


def _refuse_receipt(
    card: Card, other: Card, policy: Policy
) -> tuple[Result | None, Exceeded | None]:
    """
    Apply checks 12 to 14: the second card's currency, its restrictions, its bounds.
    """
    if other.currency is not card.currency:
        return Result.CURRENCY_NOT_SUPPORTED, None
    if set_free(card, other, policy):
        return Result.NOT_PERMITTED, None
    moved = card.available_minor
    balance = other.balance_minor + moved
    most = policy.products[other.product_id].max_balance_minor
    if moved and balance > MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT, None
    if moved and most is not None and balance > most:
        exceeded = Exceeded(LimitKind.BALANCE, most)
        return exceeded.result, exceeded
    return None, None
