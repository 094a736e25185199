"""
The transaction that a command names, and what a decision may tell of it.
"""

from typing import NamedTuple

from gateway.domain.cards import Card
from gateway.domain.checks import refuse_card
from gateway.domain.commands import Amount, Naming
from gateway.domain.decision import Decision, Facts, View, decline, write_record
from gateway.domain.holds import Hold
from gateway.domain.record import TransactionRecord
from gateway.domain.results import APPROVALS, CREDITS, STANDING, Result


class Refunds(NamedTuple):
    """
    What the refunds of a sale that stand come to, in its currency and in the card's.
    """

    approved_minor: int = 0
    card_minor: int = 0


NO_REFUNDS = Refunds()


class Original(NamedTuple):
    """
    A recorded transaction, and what has become of it.

    `later_activity` tells, for an Activate, whether an approved and unreversed
    transaction followed it on its card. `refunds` are of a Redeem. `hold` is the one
    that it placed or changed, as that stands now. `number_index` is that of its own
    card, which may have been replaced since; `successors` are those of the cards that
    took its place, one after the other.
    """

    record: TransactionRecord
    reversed: bool
    later_activity: bool
    voided: bool = False
    refunds: Refunds = NO_REFUNDS
    confirmed: bool = False
    hold: Hold | None = None
    number_index: bytes | None = None
    successors: tuple[bytes, ...] = ()


def refuse_original(
    command: Naming,
    view: View,
    original: Original,
    *,
    known: Facts,
    blind: Facts,
) -> Decision | None:
    """
    Apply check 6 to the original's card (14), and compare what was sent with it (25).

    Who sent another card, or is another merchant, is told the `blind` facts only, and
    not even the original's id.
    """
    record = original.record
    if record.card_id is not None:
        refusal = refuse_card(view.card, view.place, view.policy)
        if refusal:
            return decline(command, view, known._replace(result=refusal))
    foreign = record.merchant_id != view.place.merchant.merchant_id
    if foreign or _names_another_card(command, view.card, original):
        return refuse_blindly(command, view, blind, Result.ORIGINAL_NOT_FOUND)
    return None


def refuse_blindly(
    command: Naming, view: View, facts: Facts, result: Result
) -> Decision:
    """
    Record a refusal that tells nothing of a card but the number the till sent.
    """
    facts = facts._replace(result=result)
    return Decision(write_record(command, view, facts, before=None, after=None))


def _names_another_card(command: Naming, card: Card | None, original: Original) -> bool:
    """
    Tell whether the card sent is neither the original's nor one that replaced it.

    An original that found no card and named none has none to differ from.
    """
    own = card.number_index if card else original.record.card_number_index
    known = {own, original.number_index, *original.successors} - {None}
    sent = command.card
    return sent is not None and bool(known) and sent.number_index not in known


def tells_balance(record: TransactionRecord) -> bool:
    """
    Tell whether what names an original may tell the balance, as its own answer did.

    What was declined, a block, and what undid nothing may have hidden it: else they
    would only have to be named to tell it after all.
    """
    return (
        record.balances_shown
        and record.result in APPROVALS
        and record.activity not in STANDING
    )


def about(facts: Facts, record: TransactionRecord) -> Facts:
    """
    Give the facts of what concerns the whole of an original: its id, what it asked for.
    """
    return facts._replace(
        amount=asked_in(record), original_transaction_id=record.transaction_id
    )


def unconfirmed_credit(original: Original) -> int:
    """
    Give what an approved original added to its card that cannot be spent yet.
    """
    record = original.record
    waits = record.unconfirmed and not original.confirmed
    return record.card_minor if waits and record.activity in CREDITS else 0


def asked_in(record: TransactionRecord) -> Amount | None:
    """
    Give the amount that the original asked for.
    """
    if record.requested_minor is None or record.transaction_currency is None:
        return None
    return Amount(
        record.requested_minor,
        record.transaction_currency,
        record.requested_exponent or 0,
    )
