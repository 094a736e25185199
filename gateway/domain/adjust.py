"""
Adjust and ApproveAdjustment: put a balance right, which takes two people.

The first asks: a row that moves nothing. The second lets it happen: a row that points
to the first and moves the money, decided on the card as it is then.
"""

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import Card, CardState
from gateway.domain.checks import refuse_amount, refuse_card, refuse_place
from gateway.domain.commands import Adjust, Amount, ApproveAdjustment
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import adjusting
from gateway.domain.errors import InvariantError
from gateway.domain.originals import (
    Original,
    asked_in,
    refuse_blindly,
    refuse_original,
)
from gateway.domain.policy import Policy
from gateway.domain.record import AdjustmentApproved, AdjustmentAsked
from gateway.domain.results import ADJUSTMENTS, APPROVALS, ActivityType, Result


def decide_adjust(command: Adjust, view: View) -> Decision:
    """
    Record that one of the staff wants a balance changed. Nothing moves yet.

    What could not happen now is refused at once. Results: APPROVED, or 58/03, 13, 14,
    78, 57, 13, 61, 51.
    """
    card, policy = view.card, view.policy
    facts = Facts(command.activity, Result.APPROVED, amount=command.amount)
    refusal = (
        refuse_place(view.place)
        or refuse_amount(command.amount)
        or refuse_card(card, view.place, policy)
    )
    if refusal or card is None:
        facts = facts._replace(result=refusal or Result.INVALID_CARD)
        return decline(command, view, facts)
    refusal = _refuse_state(card)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    refusal = _refuse_change(card, command.activity, command.amount, policy)
    facts = facts._replace(shown=True)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    facts = facts._replace(effective=False)
    record = write_record(command, view, facts, before=card, after=None)
    if record.transaction_id is None or command.actor is None:
        message = "an adjustment is recorded, and somebody asks for it"
        raise InvariantError(message)
    asked = AdjustmentAsked(record.transaction_id, command.actor, command.reason)
    return Decision(record, adjustment=asked)


def decide_approve_adjustment(
    command: ApproveAdjustment, view: View, original: Original | None
) -> Decision:
    """
    Let an adjustment happen that somebody else asked for.

    `view.card` is the original's card, or the one that replaced it. An approval that
    finds nothing is recorded as one of an increment. Results: APPROVED, or 58/03, 25,
    14, 57 (one's own), 21 (declined, or approved before), 78, 13, 61, 51.
    """
    facts = Facts(ActivityType.ADJUST_INCREMENT, Result.APPROVED)
    refusal = refuse_place(view.place)
    if refusal:
        return refuse_blindly(command, view, facts, refusal)
    if original is None or original.record.activity not in ADJUSTMENTS:
        return refuse_blindly(command, view, facts, Result.ORIGINAL_NOT_FOUND)
    record, blind = original.record, facts
    facts = Facts(
        record.activity,
        Result.APPROVED,
        amount=asked_in(record),
        original_transaction_id=record.transaction_id,
    )
    decided = refuse_original(command, view, original, known=facts, blind=blind)
    if decided:
        return decided
    refusal = _refuse_approval(command, original)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    return _carry_out(command, view, facts, record.actor)


def _carry_out(
    command: ApproveAdjustment, view: View, facts: Facts, asked_by: str | None
) -> Decision:
    """
    Move the money, if the card as it stands now lets it.
    """
    card, amount, request_id = view.card, facts.amount, facts.original_transaction_id
    if card is None or amount is None or request_id is None or asked_by is None:
        message = "a pending adjustment has its card, its amount and who asked"
        raise InvariantError(message)
    refusal = _refuse_state(card)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    refusal = _refuse_change(card, facts.activity, amount, view.policy)
    facts = facts._replace(shown=True)
    if refusal:
        return decline(command, view, facts._replace(result=refusal))
    asked = amount.minor_units
    change = asked if facts.activity is ActivityType.ADJUST_INCREMENT else -asked
    after = card.moved(
        change,
        view.stamp.now,
        state=_state_after(card, change, view.policy),
        expires_on=card.expires_on,
    )
    facts = facts._replace(
        approved_minor=asked, card_minor=asked, effective=True, approved=True
    )
    record = write_record(command, view, facts, before=card, after=after)
    if record.transaction_id is None or command.actor is None:
        message = "an approval is recorded, and somebody gives it"
        raise InvariantError(message)
    approved = AdjustmentApproved(request_id, record.transaction_id, command.actor)
    return Decision(record, adjusting(record), after, adjustment=approved)


def _refuse_approval(command: ApproveAdjustment, original: Original) -> Result | None:
    """
    Refuse one's own (57), and what is not, or no longer, to be approved (21).
    """
    record = original.record
    if record.actor == command.actor:
        return Result.NOT_PERMITTED
    pending = record.result in APPROVALS and record.effective is False
    if not pending or original.confirmed:
        return Result.CANNOT_BE_REVERSED
    return None


def _refuse_state(card: Card) -> Result | None:
    """
    Check 8: the card was activated and is not closed (78). A blocked one is adjusted.
    """
    if card.state in (CardState.CREATED, CardState.PENDING):
        return Result.CARD_NOT_ACTIVE
    if card.state in (CardState.DEACTIVATED, CardState.REPLACED):
        return Result.CARD_CLOSED
    return None


def _refuse_change(
    card: Card, activity: ActivityType, amount: Amount, policy: Policy
) -> Result | None:
    """
    Apply checks 12 (the card's own currency), 13, 14 and 16.
    """
    if amount.currency_code != card.currency.code:
        return Result.CURRENCY_NOT_SUPPORTED
    if activity is ActivityType.ADJUST_DECREMENT:
        short = amount.minor_units > card.available_minor
        return Result.INSUFFICIENT_FUNDS if short else None
    balance = card.balance_minor + amount.minor_units
    if balance > MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT
    highest = policy.products[card.product_id].max_balance_minor
    if highest is not None and balance > highest:
        return Result.LIMIT_EXCEEDED
    return None


def _state_after(card: Card, change: int, policy: Policy) -> CardState | None:
    """
    Give the state that the change leads to, None where the card keeps its own.
    """
    spent = not card.balance_minor + change
    if spent and card.state is CardState.ACTIVE:
        reloadable = policy.products[card.product_id].reloadable
        return None if reloadable else CardState.DEPLETED
    return None
