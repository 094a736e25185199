"""
Count what a story's card has to hold, from what the story does to it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from currency import Money
from till.card_number import CardNumber
from till.codes import CardState
from till.pin import Pin
from till.simulation.replay import TillName


@dataclass(slots=True)
class Purse:
    """
    Be a card of a story: whose it is, its number, and its money in cents.

    `state` is what the card has to be in the end.
    """

    holder: str
    number: CardNumber
    pin: Pin | None = None
    ledger_cents: int = 0
    held_cents: int = 0
    unconfirmed_cents: int = 0
    state: CardState = CardState.ACTIVE

    @property
    def available_cents(self) -> int:
        """
        Give what can be spent.
        """
        return self.ledger_cents - self.held_cents - self.unconfirmed_cents


@dataclass(slots=True, kw_only=True)
class Deed:
    """
    Be what was done and what a later step may name: a sale, or a hold.

    `at` is when its rate was fixed. `cents` is what it took from the card, or keeps of
    it; `back_minor` and `back_cents` are what was given back of a sale, or captured of
    a hold.
    """

    at: datetime
    request_id: UUID
    till: TillName
    purse: Purse
    amount: Money
    cents: int
    back_minor: int = 0
    back_cents: int = 0

    def share_cents(self, more_minor: int) -> int:
        """
        Give the cents of a further part: the whole share, rounded half up, less before.

        So parts that come to the whole give the whole, whatever they are.
        """
        whole = self.amount.minor_units
        part = self.back_minor + more_minor
        return (2 * self.cents * part + whole) // (2 * whole) - self.back_cents

    def part(self, more_minor: int) -> int:
        """
        Give back a part, or capture it; give its cents.
        """
        cents = self.share_cents(more_minor)
        self.back_minor += more_minor
        self.back_cents += cents
        return cents
