"""
Keep what is used of limits while a batch decides (ADR 0020).

Each decision sees what those before it used; what is written at the end is what the
last one left.
"""

from collections.abc import Mapping
from datetime import datetime

from gateway.domain.cards import Card
from gateway.domain.counting import count_card, count_terminal, use_of, without
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.limits import UNUSED, DayUse, Use, Used
from gateway.domain.policy import Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import UNDOINGS
from gateway.engine.locking import Locked
from gateway.engine.stored import Stored


class Usage:
    """
    What is used, from the locked read of a batch to its write.
    """

    def __init__(self, locked: Locked, stored: Stored, policy: Policy) -> None:
        self._programs = policy.programs
        self._cards = dict(locked.uses)
        self._recent: dict[CardId, tuple[Use, ...]] = dict(stored.recent)
        self._terminals = dict(locked.terminal_uses)
        self._changed: dict[TerminalId, DayUse] = {}

    def used(self, card: Card | None, terminal_id: TerminalId) -> Used:
        """
        Give what is used of the limits that a request on a card, here, must obey.
        """
        terminal = self._terminals.get(terminal_id)
        if card is None:
            return Used(terminal=terminal)
        card_id = card.card_id
        return Used(
            self._cards.get(card_id, UNUSED),
            self._recent.get(card_id, ()),
            terminal,
        )

    def add(
        self,
        record: TransactionRecord,
        original: TransactionRecord | None,
        placed_at: datetime | None,
    ) -> None:
        """
        Count a transaction. `original` is what it names, if it names anything.
        """
        undone = original if record.activity in UNDOINGS else None
        card_id, program_id = record.card_id, record.program_id
        if card_id is not None and program_id is not None:
            self._cards[card_id] = count_card(
                self._cards.get(card_id, UNUSED),
                record,
                zone=self._programs[program_id].time_zone,
                original=undone,
                placed_at=placed_at,
            )
            if card_id in self._recent:
                self._look_back_on(card_id, record, undone)
        terminal_id = record.terminal_id if undone is None else undone.terminal_id
        before = self._terminals.get(terminal_id)
        if before is not None:
            after = count_terminal(before, record, undone)
            if after is not before:
                self._terminals[terminal_id] = self._changed[terminal_id] = after

    def of_cards(self, card_ids: Mapping[CardId, object]) -> dict[CardId, DayUse]:
        """
        Give what is used of cards.
        """
        return {card_id: self._cards.get(card_id, UNUSED) for card_id in card_ids}

    def of_terminals(self) -> dict[TerminalId, DayUse]:
        """
        Give what was done on terminals, where that changed.
        """
        return self._changed

    def _look_back_on(
        self,
        card_id: CardId,
        record: TransactionRecord,
        undone: TransactionRecord | None,
    ) -> None:
        uses = self._recent[card_id]
        use = use_of(record)
        if use is not None:
            self._recent[card_id] = (*uses, use)
        elif record.effective and undone is not None:
            self._recent[card_id] = without(uses, undone.transaction_id)
