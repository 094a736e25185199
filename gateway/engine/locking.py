"""
What a batch asks of the books first, cards to lock and keys to claim, and what it gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.domain.card_pins import CardPin
from gateway.domain.cards import Card
from gateway.domain.commands import Fingerprint
from gateway.domain.ids import CardId, RequestKey, TerminalId, TransactionId
from gateway.domain.limits import DayUse


class Claim(NamedTuple):
    """
    A request key to be claimed. Without a fingerprint it is a tombstone.

    `transaction_id` is of the transaction that the claim stands for: the request's own,
    or the reversal's.
    """

    key: RequestKey
    transaction_id: TransactionId
    fingerprint: Fingerprint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """
    What the first round trip locks and claims. The adapter sorts all.

    `terminals` are those for which something is counted.
    `pin_indexes` and `pin_card_ids` are of those cards whose PINs are to be read, once
    they are locked.
    `patience_ms` bounds each wait of the batch; without it the connection's own does.
    Without `waits`, cards that another has locked are left out.
    """

    card_indexes: Sequence[bytes]
    card_ids: Sequence[CardId]
    claims: Sequence[Claim]
    terminals: Sequence[TerminalId] = ()
    pin_indexes: Sequence[bytes] = ()
    pin_card_ids: Sequence[CardId] = ()
    patience_ms: int | None = None
    waits: bool = True

    @property
    def reads_pins(self) -> bool:
        """
        Tell whether any PIN is to be read.
        """
        return bool(self.pin_indexes or self.pin_card_ids)


# How a card is named: by its number's index, by its id, or by its original's key.
CardName = bytes | CardId | RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """
    What it found: the cards, each under its row lock, the keys won, the batch's clock.

    `clock` was read after every lock was granted, `policy_version` after it. `uses`
    holds what each card used of its day, `terminal_uses` the same of terminals that
    count, under their locks too.
    """

    cards: Sequence[Card]
    won: frozenset[RequestKey]
    clock: datetime
    policy_version: int
    uses: Mapping[CardId, DayUse] = field(default_factory=dict)
    terminal_uses: Mapping[TerminalId, DayUse] = field(default_factory=dict)
    pins: Sequence[CardPin] = ()
