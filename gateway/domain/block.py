"""
Block and Unblock: nobody spends from a card until staff say so (docs/adr/0017).
"""

from dataclasses import replace
from typing import Final

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.checks import (
    refuse_card,
    refuse_place,
    refuse_product,
    refuse_tills,
    refuse_unused,
)
from gateway.domain.commands import Block, Unblock
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.policy import Policy
from gateway.domain.results import STAFF_CHANNELS, ActivityType, Channel, Result

# A reason gives way to a graver one, and to no other.
_GRAVITY: Final = {
    BlockReason.CUSTOMER: 1,
    BlockReason.FRAUD: 2,
    BlockReason.LOST: 3,
    BlockReason.STOLEN: 4,
}


def decide_block(command: Block, view: View) -> Decision:
    """
    Block a card that was activated and is not closed.

    A blocked one stays as it is unless its reason gives way to the new one. Neither its
    last day nor where and when it may be used is asked: a door is closed at any time.
    Results: APPROVED, or 58/03, 14, 57, 78.
    """
    card, policy = view.card, view.policy
    facts = Facts(ActivityType.BLOCK, Result.APPROVED, reason=command.reason)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    if command.channel is Channel.API:
        product = policy.products[card.product_id]
        refusal = refuse_product(card, product, ActivityType.BLOCK)
    refusal = refusal or refuse_unused(card)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    # A till may not read the balance of a blocked card, so it is not told it here.
    facts = facts._replace(approved=True, shown=command.channel in STAFF_CHANNELS)
    if not _gives_way(card, command):
        return _stay(command, view, facts, card)
    after = replace(
        card.moved(0, view.stamp.now, expires_on=card.expires_on),
        state=CardState.BLOCKED,
        block_reason=command.reason,
    )
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, (), after)


def decide_unblock(command: Unblock, view: View) -> Decision:
    """
    Let a blocked card be used again; what is not blocked stays as it is. For staff.

    Results: APPROVED, or 58/03, 14, 57 (not staff), 78.
    """
    card = view.card
    facts = Facts(ActivityType.UNBLOCK, Result.APPROVED)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, view.policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    refusal = refuse_tills(command) or refuse_unused(card)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    facts = facts._replace(approved=True, shown=True, reason=card.block_reason)
    if card.state is not CardState.BLOCKED:
        return _stay(command, view, facts, card)
    after = replace(
        card.moved(0, view.stamp.now, expires_on=card.expires_on),
        state=usable_state(card, view.policy),
        block_reason=None,
    )
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, (), after)


def usable_state(card: Card, policy: Policy) -> CardState:
    """
    Give the state of a card that can be used: DEPLETED if its one load is spent.
    """
    reloadable = policy.products[card.product_id].reloadable
    spent = card.load_count and not card.balance_minor and not reloadable
    return CardState.DEPLETED if spent else CardState.ACTIVE


def _gives_way(card: Card, command: Block) -> bool:
    """
    Tell whether the card's own reason, if it has one, gives way to the new one.

    A suspicion of fraud is for staff: theirs takes any reason's place, and only they
    take a card out of it. As lost or stolen it could be replaced, and the money would
    be gone.
    """
    own, by_staff = card.block_reason, command.channel in STAFF_CHANNELS
    if card.state is not CardState.BLOCKED or own is None:
        return True
    if own is BlockReason.FRAUD and not by_staff:
        return False
    if command.reason is BlockReason.FRAUD and by_staff:
        return own is not BlockReason.FRAUD
    return _GRAVITY[command.reason] > _GRAVITY[own]


def _stay(command: Block | Unblock, view: View, facts: Facts, card: Card) -> Decision:
    """
    Answer 00 where the card is already as it is asked to be: nothing changes.
    """
    return Decision(write_record(command, view, facts, before=card, after=None))
