"""
Confirm: the second message of a terminal that sends two (domain 1.7).
"""

from gateway.domain.cards import Card
from gateway.domain.checks import refuse_place
from gateway.domain.commands import Confirm
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.originals import (
    Original,
    about,
    refuse_blindly,
    refuse_original,
    tells_balance,
    unconfirmed_credit,
)
from gateway.domain.results import ActivityType, Result


def decide_confirm(command: Confirm, view: View, original: Original | None) -> Decision:
    """
    Make an approved request final: a credit can be spent from now on.

    `view.card` is the original's card. Like a void it speaks of something that was
    done, so an absence leaves no tombstone. Confirmed before, by whatever id, it is 00
    again. Results: APPROVED, or 58/03, 14, 25, 21.
    """
    facts = Facts(ActivityType.CONFIRM, Result.APPROVED)
    refusal = refuse_place(view.place)
    if refusal or original is None:
        result = refusal or Result.ORIGINAL_NOT_FOUND
        return refuse_blindly(command, view, facts, result)
    record = original.record
    blind, facts = facts, about(facts, record)
    decided = refuse_original(command, view, original, known=facts, blind=blind)
    if decided:
        return decided
    refusal = _refuse_confirming(original)
    if refusal:
        shown = tells_balance(record)
        return decline(command, view, facts._replace(result=refusal, shown=shown))
    after = None if original.confirmed else _freed(original, view)
    facts = facts._replace(
        approved_minor=record.approved_minor,
        shown=True,
        effective=not original.confirmed,
        approved=True,
    )
    return Decision(
        write_record(command, view, facts, before=view.card, after=after), (), after
    )


def _refuse_confirming(original: Original) -> Result | None:
    """
    Check 15: it waited to be confirmed (only approvals do), and was not undone.
    """
    if not original.record.unconfirmed:
        return Result.CANNOT_BE_REVERSED
    if original.reversed or original.voided:
        return Result.ALREADY_REVERSED
    return None


def _freed(original: Original, view: View) -> Card | None:
    """
    Give the card with what waited on it free to be spent; a debit changes nothing.
    """
    waiting, card = unconfirmed_credit(original), view.card
    if not waiting or card is None:
        return None
    return card.moved(
        0, view.stamp.now, expires_on=card.expires_on, unconfirmed_minor=-waiting
    )
