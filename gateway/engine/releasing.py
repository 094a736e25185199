"""
Release the holds whose time is over, before a batch decides anything (design 3).
"""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from gateway.domain.cards import Card
from gateway.domain.decision import Stamp, View
from gateway.domain.holds import Hold
from gateway.domain.ids import TransactionId
from gateway.domain.policy import Policy
from gateway.domain.release import expire, first_expiry, is_due
from gateway.engine.journal import Journal
from gateway.engine.ports import Codes, TransactionIds

FIRST_BATCH_NO = 1


class Stamping(Protocol):
    """
    What gives a row nobody asked for its id and its code.
    """

    @property
    def ids(self) -> TransactionIds:
        """
        Give the maker of ids.
        """
        ...

    @property
    def codes(self) -> Codes:
        """
        Give the maker of approval codes.
        """
        ...


def moment(card: Card | None, clock: datetime) -> datetime:
    """
    Give the clock, never below the card's last transaction (design 3).
    """
    if card is None or card.last_transaction_at is None:
        return clock
    return max(clock, card.last_transaction_at)


def may_be_due(card: Card, clock: datetime) -> bool:
    """
    Tell whether a hold of the card may be over.
    """
    first = card.next_hold_expiry
    return first is not None and first <= moment(card, clock)


def release_due(
    journal: Journal, policy: Policy, clock: datetime, stamping: Stamping
) -> None:
    """
    Release what is due on the locked cards, each hold in a row of its own.
    """
    for card in journal.cards():
        if not may_be_due(card, clock):
            continue
        now = moment(card, clock)
        due = [hold for hold in journal.open_holds(card.card_id) if is_due(hold, now)]
        due.sort(key=_by_expiry)
        ids = stamping.ids.take(len(due))
        for hold, transaction_id in zip(due, ids, strict=True):
            code = stamping.codes.approval_code(transaction_id)
            stamp = Stamp(transaction_id, code, now, FIRST_BATCH_NO)
            place = policy.places[hold.terminal_id]
            view = View(place, journal.card(card.card_id), policy, stamp)
            journal.add_unasked(expire(hold, view))
        first = first_expiry(journal.open_holds(card.card_id))
        left = journal.card(card.card_id)
        journal.take_over(replace(left, next_hold_expiry=first))


def _by_expiry(hold: Hold) -> tuple[datetime, TransactionId]:
    return hold.expires_at, hold.hold_id
