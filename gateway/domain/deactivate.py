"""
Deactivate: close an empty card for ever (docs/adr/0017).
"""

from gateway.domain.cards import CardState
from gateway.domain.checks import (
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_unused,
)
from gateway.domain.commands import Deactivate
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.results import STAFF_CHANNELS, ActivityType, Result


def decide_deactivate(command: Deactivate, view: View) -> Decision:
    """
    Close a card, blocked or not, on which there is no money at all.

    A ledger balance of zero means no hold and no load that waits either: nobody's money
    may vanish. Results: APPROVED, or 58/03, 14, 57, 78, 54, 62, 57 (the balance).
    """
    card, policy, now = view.card, view.policy, view.stamp.now
    facts = Facts(ActivityType.DEACTIVATE, Result.APPROVED)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, policy)
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    product = policy.products[card.product_id]
    refusal = (
        refuse_product(card, product, ActivityType.DEACTIVATE)
        or refuse_unused(card)
        or refuse_expired(card, policy, now)
    )
    barred = None if refusal else refuse_restricted(card, view.place, policy, now)
    if refusal or barred:
        result = refusal or Result.RESTRICTED_CARD
        return decline(command, view, facts._replace(result=result, refusal=barred))
    # The balance of a blocked card is for staff alone.
    open_to_all = card.state is not CardState.BLOCKED
    facts = facts._replace(
        reason=card.block_reason,
        shown=open_to_all or command.channel in STAFF_CHANNELS,
    )
    if card.balance_minor:
        return decline(command, view, facts._replace(result=Result.NOT_PERMITTED))
    after = card.moved(0, now, state=CardState.DEACTIVATED, expires_on=card.expires_on)
    facts = facts._replace(approved=True)
    record = write_record(command, view, facts, before=card, after=after)
    return Decision(record, (), after)
