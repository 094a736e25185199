"""
Replace: another card takes the place of one that was lost or stolen (docs/adr/0017).
"""

from dataclasses import replace
from typing import Final

from gateway.domain.block import usable_state
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.checks import (
    refuse_activation,
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_tills,
    refuse_unused,
)
from gateway.domain.commands import Replace
from gateway.domain.decision import Decision, Facts, View, decline
from gateway.domain.results import ActivityType, Result
from gateway.domain.two_cards import (
    decline_for_other,
    move_between,
    refuse_other,
    set_free,
)

_FLAGS: Final = frozenset({BlockReason.LOST, BlockReason.STOLEN})


def decide_replace(command: Replace, view: View) -> Decision:
    """
    Move all that a lost or stolen card holds to a new one, and close it. For staff.

    Both cards are under their locks, `view.holds` are the open ones of the first. No
    limit of the new card's product stands in the way of money that is there already.
    Results: APPROVED, or 58/03, 14, 57 (not staff, or the same card), 78, 12 (not
    flagged), 12/78/41/43/62 (the new card), 54, 57 (currency, restriction).
    """
    card, other, policy = view.card, view.other, view.policy
    facts = Facts(ActivityType.TRANSFER_BALANCE_FROM, Result.APPROVED)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    if refuse_other(card, view) or other is None:
        return decline_for_other(command, view, facts, Result.INVALID_CARD)
    refusal = refuse_tills(command)
    if card.card_id == other.card_id:
        refusal = Result.NOT_PERMITTED
    refusal = refusal or refuse_unused(card) or _refuse_unflagged(card)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    refusal = refuse_activation(other)
    if refusal:
        return decline_for_other(command, view, facts, refusal)
    refusal = refuse_expired(card, policy, view.stamp.now)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    refusal = refuse_expired(other, policy, view.stamp.now)
    if refusal:
        return decline_for_other(command, view, facts, refusal)
    if other.currency is not card.currency:
        refusal = Result.CURRENCY_NOT_SUPPORTED
    elif set_free(card, other, policy):
        refusal = Result.NOT_PERMITTED
    if refusal:
        facts = facts._replace(shown=True)
        return decline_for_other(command, view, facts, refusal)
    return _take_over(command, view, facts, card, other)


def _refuse_unflagged(card: Card) -> Result | None:
    """
    Check 8: it is blocked, and as lost or stolen (12).
    """
    flagged = card.state is CardState.BLOCKED and card.block_reason in _FLAGS
    return None if flagged else Result.CARD_NOT_FLAGGED


def _take_over(
    command: Replace, view: View, facts: Facts, card: Card, other: Card
) -> Decision:
    """
    Let the new card go on where the old one stopped: money, holds, loads, last day.
    """
    now = view.stamp.now
    given = replace(
        card.moved(
            -card.balance_minor,
            now,
            state=CardState.REPLACED,
            expires_on=card.expires_on,
            held_minor=-card.held_minor,
            unconfirmed_minor=-card.unconfirmed_minor,
        ),
        load_count=0,
        loaded_minor=0,
        replaced_by=other.card_id,
    )
    received = replace(
        other.moved(
            card.balance_minor,
            now,
            state=CardState.ACTIVE,
            expires_on=card.expires_on,
            held_minor=card.held_minor,
            unconfirmed_minor=card.unconfirmed_minor,
        ),
        load_count=card.load_count,
        loaded_minor=card.loaded_minor,
        next_hold_expiry=card.next_hold_expiry,
    )
    received = replace(received, state=usable_state(received, view.policy))
    holds = tuple(replace(hold, card_id=other.card_id) for hold in view.holds)
    facts = facts._replace(reason=card.block_reason)
    return move_between(
        command, view, facts, given=given, received=received, holds=holds
    )
