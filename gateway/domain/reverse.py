"""
Reverse: undo a request whose answer never came, whether or not it was ever done.
"""

from datetime import date
from typing import NamedTuple

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import Card, CardState
from gateway.domain.checks import refuse_card, refuse_place
from gateway.domain.commands import Amount, Reverse
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import reversing
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import APPROVALS, DEBITS, ActivityType, Result


class Original(NamedTuple):
    """
    The transaction a reversal names, and what has become of it.

    `later_activity` tells, for an Activate, whether an approved and unreversed
    transaction followed it on its card.
    """

    record: TransactionRecord
    reversed: bool
    later_activity: bool


def decide_reverse(command: Reverse, view: View, original: Original | None) -> Decision:
    """
    Undo the whole effect of the original, at the original's own amounts.

    `view.card` is the original's card. Without an original the answer is 25, and the
    caller has left a tombstone. Results: APPROVED, or 58/03, 14, 13, 25, 21.
    """
    facts = Facts(
        ActivityType.REVERSAL, Result.APPROVED, reason=command.reversal_reason
    )
    refusal = refuse_place(view.place)
    if refusal:
        return _refuse(command, view, facts, refusal)
    if original is None:
        return _refuse(command, view, facts, Result.ORIGINAL_NOT_FOUND)
    record = original.record
    facts = facts._replace(
        amount=_asked(record), original_transaction_id=record.transaction_id
    )
    if record.card_id is not None:
        refusal = refuse_card(view.card, view.place, view.policy)
        if refusal:
            return decline(command, view, facts._replace(result=refusal))
    if _names_another_card(command, view.card, record):
        facts = facts._replace(original_transaction_id=None, amount=None)
        return _refuse(command, view, facts, Result.ORIGINAL_NOT_FOUND)
    if record.activity is ActivityType.REVERSAL:
        facts = facts._replace(result=Result.CANNOT_BE_REVERSED, shown=True)
        return decline(command, view, facts)
    if record.result not in APPROVALS:
        return _nothing_to_undo(command, view, facts, shown=False)
    if original.reversed:
        return _nothing_to_undo(command, view, facts, shown=True)
    if view.card is None:  # pragma: no cover - an approved original has its card
        return _refuse(command, view, facts, Result.ORIGINAL_NOT_FOUND)
    return _undo(command, view, facts, original, view.card)


def _undo(
    command: Reverse, view: View, facts: Facts, original: Original, card: Card
) -> Decision:
    record = original.record
    spent = record.activity in DEBITS
    back = record.card_minor if spent else -record.card_minor
    refusal = _refuse_undoing(original, card, back)
    if refusal:
        return decline(command, view, facts._replace(result=refusal, shown=True))
    after = card.moved(
        back,
        view.stamp.now,
        state=_state_after(record, card),
        loads=_loads_undone(record),
        expires_on=_last_day(record, card, view.policy),
    )
    facts = facts._replace(
        approved_minor=record.approved_minor,
        card_minor=record.card_minor,
        price=facts.price._replace(
            card_minor=record.card_minor,
            rate_transaction=record.rate_transaction,
            rate_card=record.rate_card,
            applied_rate=record.applied_rate,
            rate_table_version=record.rate_table_version,
            rate_effective_from=record.rate_effective_from,
            rounding=record.rounding,
        ),
        shown=True,
        effective=True,
        approved=True,
    )
    undone = write_record(command, view, facts, before=card, after=after)
    return Decision(undone, reversing(undone, record), after)


def _refuse_undoing(original: Original, card: Card, back: int) -> Result | None:
    """
    Apply checks 13 (no balance lies beyond all bounds) and 15 (what came since).
    """
    if card.balance_minor + back > MAX_MINOR_UNITS:
        return Result.INVALID_AMOUNT
    activation = original.record.activity is ActivityType.ACTIVATE
    if (activation and original.later_activity) or card.available_minor + back < 0:
        return Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    return None


def _nothing_to_undo(
    command: Reverse, view: View, facts: Facts, *, shown: bool
) -> Decision:
    """
    Answer 00 where the original was declined, or undone before: no posting.
    """
    facts = facts._replace(effective=False, approved=True, shown=shown)
    record = write_record(command, view, facts, before=view.card, after=None)
    return Decision(record)


def _refuse(command: Reverse, view: View, facts: Facts, result: Result) -> Decision:
    """
    Record a refusal that tells nothing of a card but the number the till sent.
    """
    facts = facts._replace(result=result)
    return Decision(write_record(command, view, facts, before=None, after=None))


def _asked(record: TransactionRecord) -> Amount | None:
    if record.requested_minor is None or record.transaction_currency is None:
        return None
    return Amount(
        record.requested_minor,
        record.transaction_currency,
        record.requested_exponent or 0,
    )


def _names_another_card(
    command: Reverse, card: Card | None, record: TransactionRecord
) -> bool:
    """
    Tell whether the card sent is not the original's.

    A reversal that found nothing and named no card has none to differ from.
    """
    own = card.number_index if card is not None else record.card_number_index
    if command.card is None or own is None:
        return False
    return command.card.number_index != own


def _state_after(record: TransactionRecord, card: Card) -> CardState | None:
    """
    Give the state that the card falls back to, None where it keeps its own.

    A block stays and a closed card stays closed; the money moves all the same.
    """
    if record.activity is ActivityType.ACTIVATE:
        return CardState.PENDING if card.state is CardState.ACTIVE else None
    if card.state is CardState.DEPLETED and record.activity in DEBITS:
        return CardState.ACTIVE
    return None


def _loads_undone(record: TransactionRecord) -> int:
    return -1 if record.activity not in DEBITS and record.card_minor else 0


def _last_day(record: TransactionRecord, card: Card, policy: Policy) -> date | None:
    if record.activity is not ActivityType.ACTIVATE:
        return card.expires_on
    product = policy.products[card.product_id]
    return card.expires_on if product.validity_days is None else None
