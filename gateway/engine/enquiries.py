"""
Balances that are asked for with a PIN, in the batch of the money path (ADR 0019).

Such a question writes no record and changes no card. But a wrong PIN is counted, so it
is decided under the card's lock and answered after the commit, like a sale.
"""

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.balance import decide_balance
from gateway.domain.decision import Stamp, View
from gateway.domain.errors import GatewayError, InvariantError
from gateway.domain.policy import Policy
from gateway.domain.results import APPROVALS, CurrentState
from gateway.engine.answers import Answer
from gateway.engine.items import Asking, Enquiry
from gateway.engine.journal import Journal
from gateway.engine.releasing import FIRST_BATCH_NO, moment

Answers = list[tuple[Asking, Answer]]
Refused = dict[Asking, GatewayError]


def refuse_callers(enquiries: Sequence[Enquiry], policy: Policy) -> Refused:
    """
    Apply check 1 again, with the policy in force: give who may no longer ask.
    """
    refused: Refused = {}
    for enquiry in enquiries:
        try:
            policy.check_caller(enquiry.caller, enquiry.question.terminal_id)
        except GatewayError as fault:
            refused[enquiry] = fault
    return refused


def answer_enquiries(
    enquiries: Sequence[Enquiry], journal: Journal, policy: Policy, clock: datetime
) -> tuple[Answers, Refused]:
    """
    Answer each from the cards as the batch leaves them, and count its PIN.

    What was asked in the same batch waited together: that a sale which came later is
    in the balance already is an order as good as another.
    """
    answers: Answers = []
    for enquiry in enquiries:
        try:
            answers.append((enquiry, _answer(enquiry, journal, policy, clock)))
        except Exception as error:  # noqa: BLE001 - one bad item fails alone
            fault = InvariantError("the balance could not be read")
            fault.__cause__ = error
            return [], {enquiry: fault}
    return answers, {}


def _answer(
    enquiry: Enquiry, journal: Journal, policy: Policy, clock: datetime
) -> Answer:
    question = enquiry.question
    place = policy.check_caller(enquiry.caller, question.terminal_id)
    card = journal.card_at(question.card)
    stamp = Stamp(None, "", moment(card, clock), FIRST_BATCH_NO)
    view = View(place, card, policy, stamp, pin=journal.pin_of(card))
    decision = decide_balance(question, view)
    journal.count(decision.tries)
    approved = decision.record.result in APPROVALS
    state = CurrentState.POSTED if approved else CurrentState.DECLINED
    return Answer(decision.record, replayed=False, state=state)
