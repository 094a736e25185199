"""
A card and its states (domain 1.3).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum

from currency import Currency
from gateway.domain.errors import InvariantError
from gateway.domain.ids import (
    CardId,
    IssueBatchId,
    LimitSetId,
    ProductId,
    ProgramId,
    RestrictionSetId,
)


class CardState(IntEnum):
    """
    Where a card stands. EXPIRED is derived from the date and is no state.

    Values equal those of `scrip.v1.Card.State`.
    """

    CREATED = 1
    PENDING = 2
    ACTIVE = 3
    BLOCKED = 4
    DEPLETED = 5
    DEACTIVATED = 6
    REPLACED = 7


class BlockReason(IntEnum):
    """
    Why a card is blocked.
    """

    LOST = 1
    STOLEN = 2
    FRAUD = 3
    CUSTOMER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    One card's row as it stands under its lock.

    Money is in minor units of `currency`. `version` grows by one with every transaction
    that changes the row, and is that transaction's `card_seq`. `loaded_minor` is the
    sum of the loads that were not undone: the face value of a card of one load.
    No open hold ends before `next_hold_expiry`; None: none does. `replaced_by` is the
    card that took over its balance and its holds.
    """

    card_id: CardId
    program_id: ProgramId
    product_id: ProductId
    number_index: bytes
    last_four: str
    state: CardState
    block_reason: BlockReason | None
    currency: Currency
    balance_minor: int
    held_minor: int
    unconfirmed_minor: int
    load_count: int
    expires_on: date | None
    version: int
    last_transaction_at: datetime | None
    loaded_minor: int = 0
    issue_batch_id: IssueBatchId | None = None
    restriction_set_id: RestrictionSetId | None = None
    next_hold_expiry: datetime | None = None
    replaced_by: CardId | None = None
    limit_set_id: LimitSetId | None = None

    def __post_init__(self) -> None:
        """
        Refuse what the database's CHECK refuses too.
        """
        if (
            self.held_minor < 0
            or self.unconfirmed_minor < 0
            or self.balance_minor < self.held_minor + self.unconfirmed_minor
        ):
            message = f"card {self.card_id}: balance below what is held"
            raise InvariantError(message)

    @property
    def available_minor(self) -> int:
        """
        What can be spent: ledger less holds less unconfirmed loads.
        """
        return self.balance_minor - self.held_minor - self.unconfirmed_minor

    def moved(
        self,
        amount_minor: int,
        at: datetime,
        *,
        state: CardState | None = None,
        loads: int = 0,
        expires_on: date | None = None,
        held_minor: int = 0,
        unconfirmed_minor: int = 0,
    ) -> "Card":
        """
        Give the card after one transaction: the balance changed by `amount_minor`.

        `expires_on` given as None keeps nothing: callers pass the card's own. With
        `loads` the amount is that of a load, or of a load that is undone. `held_minor`
        and `unconfirmed_minor` are changes too. DEPLETED says that there is nothing on
        it: whatever credits such a card, and names no state, makes it ACTIVE.
        """
        held = self.held_minor + held_minor
        if state is None:
            lives = amount_minor > 0 and self.state is CardState.DEPLETED
            state = CardState.ACTIVE if lives else self.state
        return Card(
            card_id=self.card_id,
            program_id=self.program_id,
            product_id=self.product_id,
            number_index=self.number_index,
            last_four=self.last_four,
            state=state,
            block_reason=self.block_reason,
            currency=self.currency,
            balance_minor=self.balance_minor + amount_minor,
            held_minor=held,
            unconfirmed_minor=self.unconfirmed_minor + unconfirmed_minor,
            load_count=self.load_count + loads,
            expires_on=expires_on,
            version=self.version + 1,
            last_transaction_at=at,
            loaded_minor=self.loaded_minor + (amount_minor if loads else 0),
            issue_batch_id=self.issue_batch_id,
            restriction_set_id=self.restriction_set_id,
            next_hold_expiry=self.next_hold_expiry if held else None,
            replaced_by=self.replaced_by,
            limit_set_id=self.limit_set_id,
        )
