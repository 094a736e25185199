"""
What moves a balance between two cards: who is refused first, and how it is written.
"""

from gateway.domain.cards import Card
from gateway.domain.checks import refuse_card
from gateway.domain.commands import Amount, Moving
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import transferring
from gateway.domain.holds import Hold
from gateway.domain.ids import RestrictionSetId
from gateway.domain.policy import Policy
from gateway.domain.pricing import Price
from gateway.domain.results import ActivityType, MovingEnd, Result


def refuse_other(card: Card, view: View) -> Result | None:
    """
    Check 6 for the second card: it is known here and of the first one's programme (14).

    One answer for all: nobody learns that a card of another programme exists.
    """
    other = view.other
    refusal = refuse_card(other, view.place, view.policy)
    if refusal or other is None or other.program_id != card.program_id:
        return Result.INVALID_CARD
    return None


def decline_for_other(
    command: Moving, view: View, facts: Facts, result: Result
) -> Decision:
    """
    Record a refusal of the second card. The answer tells of the first all the same.
    """
    return decline(
        command, view, facts._replace(result=result, reason=MovingEnd.SECOND)
    )


def set_free(card: Card, other: Card, policy: Policy) -> bool:
    """
    Tell whether money would leave a restriction that it is under on the first card.
    """
    return not _restrictions_of(card, policy) <= _restrictions_of(other, policy)


def move_between(
    command: Moving,
    view: View,
    facts: Facts,
    *,
    given: Card,
    received: Card,
    holds: tuple[Hold, ...] = (),
) -> Decision:
    """
    Write both rows of a move: the request's on the first card, and one on the second.

    `given` and `received` are the cards after it. What the second gained in balance is
    what was moved; nothing of it is lost on the way.
    """
    card, other, stamp = view.card, view.other, view.stamp
    own = received.currency
    gained = received.balance_minor - (other.balance_minor if other else 0)
    facts = facts._replace(
        amount=Amount(gained, own.code, own.exponent),
        price=Price(gained),
        approved_minor=gained,
        card_minor=gained,
        shown=True,
    )
    leaving = facts._replace(activity=ActivityType.TRANSFER_BALANCE_FROM, approved=True)
    record = write_record(command, view, leaving, before=card, after=given)
    arriving = facts._replace(
        activity=ActivityType.TRANSFER_BALANCE_TO,
        original_transaction_id=stamp.transaction_id,
    )
    there = view._replace(stamp=stamp._replace(transaction_id=stamp.second_id))
    second = write_record(command, there, arriving, before=other, after=received)
    # The request's key leads to the first row alone.
    second = second._replace(request_id=None)
    beside = Decision(second, transferring(second), received, holds=holds)
    return Decision(
        record, transferring(record), given, also=(beside,), tries=facts.tries
    )


def _restrictions_of(card: Card, policy: Policy) -> set[RestrictionSetId]:
    """
    Give the sets that a card is under: its product's, its issue batch's, its own.
    """
    batch = card.issue_batch_id
    sets = {
        policy.products[card.product_id].restriction_set_id,
        None if batch is None else policy.issue_batches.get(batch),
        card.restriction_set_id,
    }
    return {set_id for set_id in sets if set_id is not None}
