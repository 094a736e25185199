"""
Reverse: undo a request whose answer never came, whether or not it was ever done.
"""

from datetime import date
from typing import NamedTuple

from gateway.domain.cards import Card, CardState
from gateway.domain.checks import refuse_card, refuse_place
from gateway.domain.commands import Amount, Reverse
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.entries import reversing
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import APPROVALS, ActivityType, Result


class Original(NamedTuple):
    """
    The transaction a reversal names, and what has become of it.

    `later_activity` tells, for an Activate, whether an approved and unreversed
    transaction followed it on its card.
    """

    record: TransactionRecord
    reversed: bool
    later_activity: bool


def stands_before_original(view: View) -> bool:
    """
    Tell whether a reversal gets as far as looking for its original (check 15).

    Where it does not, no tombstone may stay (design 3).
    """
    return refuse_place(view.place) is None


def decide_reverse(command: Reverse, view: View, original: Original | None) -> Decision:
    """
    Undo the whole effect of the original, at the original's own amounts.

    `view.card` is the original's card. Without an original the answer is 25, and the
    caller has left a tombstone. Results: APPROVED, or 58/03, 14, 25, 21.
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
    back = record.card_minor
    if record.activity is not ActivityType.REDEEM:
        back = -back
        followed = record.activity is ActivityType.ACTIVATE and original.later_activity
        if followed or card.available_minor < record.card_minor:
            result = Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
            return decline(command, view, facts._replace(result=result, shown=True))
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
    if command.card is None:
        return False
    own = card.number_index if card is not None else record.card_number_index
    return command.card.number_index != own


def _state_after(record: TransactionRecord, card: Card) -> CardState | None:
    if record.activity is ActivityType.ACTIVATE:
        return CardState.PENDING
    if card.state is CardState.DEPLETED and record.activity is ActivityType.REDEEM:
        return CardState.ACTIVE
    return None


def _loads_undone(record: TransactionRecord) -> int:
    return -1 if record.activity is not ActivityType.REDEEM and record.card_minor else 0


def _last_day(record: TransactionRecord, card: Card, policy: Policy) -> date | None:
    if record.activity is not ActivityType.ACTIVATE:
        return card.expires_on
    product = policy.products[card.product_id]
    return card.expires_on if product.validity_days is None else None
