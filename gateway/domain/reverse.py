"""
Reverse: undo a request whose answer never came, whether or not it was ever done.
"""

from dataclasses import replace
from datetime import date

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import Card, CardState
from gateway.domain.checks import refuse_place
from gateway.domain.commands import Reverse, Void
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import reversing
from gateway.domain.errors import InvariantError
from gateway.domain.exceptions import ExceptionItem, ExceptionKind
from gateway.domain.originals import (
    Original,
    about,
    refuse_blindly,
    refuse_original,
    tells_balance,
    unconfirmed_credit,
)
from gateway.domain.policy import Policy
from gateway.domain.pricing import price_of
from gateway.domain.record import TransactionRecord
from gateway.domain.results import (
    APPROVALS,
    CREDITS,
    DEBITS,
    REVERSIBLE,
    ActivityType,
    Result,
)
from gateway.domain.undo_holding import undo_holding


def decide_reverse(command: Reverse, view: View, original: Original | None) -> Decision:
    """
    Undo the whole effect of the original, at the original's own amounts.

    `view.card` is the original's card. Without an original the answer is 25, and the
    caller has left a tombstone. What its terminal confirmed stands. A credit that was
    used since cannot be taken back, though its till believes so: an exception is opened
    over it. Results: APPROVED, or 58/03, 14, 13, 25, 21.
    """
    facts = Facts(
        ActivityType.REVERSAL, Result.APPROVED, reason=command.reversal_reason
    )
    refusal = refuse_place(view.place)
    if refusal:
        return refuse_blindly(command, view, facts, refusal)
    if original is None:
        return refuse_blindly(command, view, facts, Result.ORIGINAL_NOT_FOUND)
    record = original.record
    blind, facts = facts, about(facts, record)
    decided = refuse_original(command, view, original, known=facts, blind=blind)
    if decided:
        return decided
    facts = facts._replace(shown=tells_balance(record))
    approved = record.result in APPROVALS
    if record.activity is ActivityType.REVERSAL or (
        approved and record.activity not in REVERSIBLE
    ):
        return decline(command, view, facts._replace(result=Result.CANNOT_BE_REVERSED))
    if not approved or original.reversed:
        return _nothing_to_undo(command, view, facts)
    if original.voided or original.confirmed:
        result = (
            Result.ALREADY_REVERSED if original.voided else Result.CANNOT_BE_REVERSED
        )
        return decline(command, view, facts._replace(result=result))
    if record.activity is ActivityType.AUTHORIZE and view.card is not None:
        return undo_holding(command, view, facts, original, view.card)
    decision = undo(command, view, facts, original, view.card)
    return replace(decision, exception=_exception_of(decision.record, record))


def _exception_of(
    reversal: TransactionRecord, original: TransactionRecord
) -> ExceptionItem | None:
    """
    Open an exception over a credit that could not be taken back; the books keep one.
    """
    if (
        reversal.result is not Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
        or original.activity not in CREDITS
        or not original.card_minor
    ):
        return None
    about, opener = original.transaction_id, reversal.transaction_id
    currency = original.transaction_currency
    if about is None or opener is None or currency is None:
        message = "what is recorded has its id, and a credit its currency"
        raise InvariantError(message)
    return ExceptionItem(
        transaction_id=about,
        kind=ExceptionKind.LOAD_NOT_REVERSED,
        opened_by=opener,
        reason=reversal.result,
        store_id=original.store_id,
        amount_minor=original.approved_minor,
        currency=currency,
        opened_at=reversal.host_time,
    )


def undo(
    command: Reverse | Void,
    view: View,
    facts: Facts,
    original: Original,
    card: Card | None,
) -> Decision:
    """
    Take back all that an approved original did to its card, or tell what prevents it.

    An Advice may have done nothing to any card: then only its exception is over.
    """
    record = original.record
    facts = facts._replace(effective=True, approved=True)
    if card is None or record.card_seq is None:
        facts = facts._replace(shown=record.balances_shown)
        return Decision(write_record(command, view, facts, before=card, after=None))
    spent = record.activity in DEBITS
    back = record.card_minor if spent else -record.card_minor
    waiting = unconfirmed_credit(original)
    refusal = _refuse_undoing(original, card, back, waiting)
    if refusal:
        facts = facts._replace(
            result=refusal, shown=True, effective=None, approved=False
        )
        return decline(command, view, facts)
    after = card.moved(
        back,
        view.stamp.now,
        state=_state_after(record, card, view.policy),
        loads=_loads_undone(record),
        expires_on=_last_day(record, card, view.policy),
        unconfirmed_minor=-waiting,
    )
    facts = facts._replace(
        approved_minor=record.approved_minor,
        card_minor=record.card_minor,
        price=price_of(record),
        shown=True,
    )
    undone = write_record(command, view, facts, before=card, after=after)
    return Decision(undone, reversing(undone, record), after)


def _refuse_undoing(
    original: Original, card: Card, back: int, waiting: int
) -> Result | None:
    """
    Apply checks 13 (no balance lies beyond all bounds) and 15 (what came since).

    What waits to be confirmed was never spent. A block came after the activation, and
    keeps it as long as it stands: what is blocked is a card that was activated.
    """
    if card.balance_minor + back > MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT
    activation = original.record.activity is ActivityType.ACTIVATE
    if original.refunds.approved_minor:
        return Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    left = card.available_minor + waiting + back
    kept = original.later_activity or card.state is CardState.BLOCKED
    if (activation and kept) or left < 0:
        return Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    return None


def _nothing_to_undo(command: Reverse, view: View, facts: Facts) -> Decision:
    """
    Answer 00 where the original was declined, or undone before: no posting.
    """
    facts = facts._replace(effective=False, approved=True)
    record = write_record(command, view, facts, before=view.card, after=None)
    return Decision(record)


def _state_after(
    record: TransactionRecord, card: Card, policy: Policy
) -> CardState | None:
    """
    Give the state that the card falls back to, None where it keeps its own.

    A block stays and a closed card stays closed; the money moves all the same.
    """
    if record.activity is ActivityType.REFUND:
        emptied = card.balance_minor == record.card_minor
        spent = emptied and not policy.products[card.product_id].reloadable
        return CardState.DEPLETED if spent and card.state is CardState.ACTIVE else None
    if record.activity is ActivityType.ACTIVATE:
        return CardState.PENDING if card.state is CardState.ACTIVE else None
    return None


def _loads_undone(record: TransactionRecord) -> int:
    loaded = record.activity in {ActivityType.ACTIVATE, ActivityType.LOAD}
    return -1 if loaded and record.card_minor else 0


def _last_day(record: TransactionRecord, card: Card, policy: Policy) -> date | None:
    if record.activity is not ActivityType.ACTIVATE:
        return card.expires_on
    product = policy.products[card.product_id]
    return card.expires_on if product.validity_days is None else None
