"""
Holds: amounts kept on a card for a later capture (domain 1.7).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from gateway.domain.ids import CardId, TerminalId, TransactionId


class HoldState(IntEnum):
    """
    Where a hold stands. Values equal those of `scrip.v1.Hold.State`.
    """

    OPEN = 1
    CAPTURED = 2
    CANCELLED = 3
    EXPIRED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """
    One hold as it stands under the lock of its card.

    `hold_id` is the transaction that placed it, and `terminal_id` where that was.
    Amounts named `authorized` and `captured` are minor units of `currency_code`, the
    transaction's; those named `card` of the card's currency. The rates are those of
    the moment it was placed, for all that follows; None where the two currencies are
    one. What an OPEN hold keeps from being spent is `held_minor`. Limits count by
    `placed_at`, the time when it was placed on this card; None if it was on another.
    """

    hold_id: TransactionId
    card_id: CardId
    terminal_id: TerminalId
    state: HoldState
    currency_code: str
    authorized_minor: int
    card_minor: int
    captured_minor: int
    captured_card_minor: int
    rate_transaction: Decimal | None
    rate_card: Decimal | None
    applied_rate: Decimal | None
    rate_table_version: int | None
    rate_effective_from: datetime | None
    expires_at: datetime
    placed_at: datetime | None = None

    @property
    def held_minor(self) -> int:
        """
        Give what it keeps on the card, in the card's currency.
        """
        if self.state is not HoldState.OPEN:
            return 0
        return max(0, self.card_minor - self.captured_card_minor)


class HoldStep(NamedTuple):
    """
    What one transaction made of a hold: inserted with it, and never changed.

    `held_change_minor` is what the card's held amount changed by, with its sign; the
    rest is the hold after it.
    """

    transaction_id: TransactionId
    hold_id: TransactionId
    held_change_minor: int
    state: HoldState
    currency_code: str
    authorized_minor: int
    captured_minor: int
    held_minor: int
    expires_at: datetime


def step_of(
    transaction_id: TransactionId, before: Hold | None, after: Hold
) -> HoldStep:
    """
    Write down what a transaction made of a hold; `before` is None where it placed it.
    """
    held_before = before.held_minor if before is not None else 0
    return HoldStep(
        transaction_id=transaction_id,
        hold_id=after.hold_id,
        held_change_minor=after.held_minor - held_before,
        state=after.state,
        currency_code=after.currency_code,
        authorized_minor=after.authorized_minor,
        captured_minor=after.captured_minor,
        held_minor=after.held_minor,
        expires_at=after.expires_at,
    )
