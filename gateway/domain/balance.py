"""
GetBalance and GetCard: what a till, and what staff may be told of a card.

Nothing is recorded.
"""

from gateway.domain.checks import (
    refuse_card,
    refuse_expired,
    refuse_place,
    refuse_product,
    refuse_restricted,
    refuse_state,
)
from gateway.domain.commands import GetBalance
from gateway.domain.decision import Decision, Facts, View, write_record
from gateway.domain.pin import check_pin
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result


def read_card(question: GetBalance, view: View) -> TransactionRecord:
    """
    Answer staff with the balance and the state of a card, whatever that is.

    `reason` is why the card is blocked. Results: APPROVED, or 58/03, 14.
    """
    card = view.card
    refusal = refuse_place(view.place) or refuse_card(card, view.place, view.policy)
    facts = Facts(ActivityType.BALANCE, refusal or Result.APPROVED, shown=True)
    told = card if refusal is None else None
    if told is not None and told.block_reason is not None:
        facts = facts._replace(reason=int(told.block_reason))
    return write_record(question, view, facts, before=told, after=None)


def read_balance(question: GetBalance, view: View) -> TransactionRecord:
    """
    Answer a question without a PIN, of which nothing is kept: `decide_balance`.
    """
    return decide_balance(question, view).record


def decide_balance(question: GetBalance, view: View) -> Decision:
    """
    Answer with the balance, or with why there is none.

    Results: APPROVED, or 58/03, 14, 57, 78/41/43/62, 54, 55/75, 62.

    The record is shaped like that of a transaction so that one function writes every
    answer; its stamp has no transaction id and it is not kept. What is counted of a PIN
    is kept all the same, and is no change of the card.
    """
    card, policy = view.card, view.policy
    facts = Facts(ActivityType.BALANCE, Result.APPROVED, shown=True)
    refusal = refuse_place(view.place) or refuse_card(card, view.place, policy)
    if refusal is None and card is not None:
        now = view.stamp.now
        refusal = (
            refuse_product(card, policy.products[card.product_id], ActivityType.BALANCE)
            or refuse_state(card)
            or refuse_expired(card, policy, now)
        )
        if refusal is None:
            refusal, facts = check_pin(question, view, facts)
        if refusal is None:
            barred = refuse_restricted(card, view.place, policy, now)
            refusal = Result.RESTRICTED_CARD if barred else None
            facts = facts._replace(refusal=barred)
    told = card if refusal is None else None
    facts = facts._replace(result=refusal or Result.APPROVED)
    record = write_record(question, view, facts, before=told, after=None)
    return Decision(record, tries=facts.tries)
