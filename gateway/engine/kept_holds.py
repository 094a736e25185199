"""
The holds that a batch knows, as they stand after each of its decisions.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import CardId, TransactionId
from gateway.domain.record import TransactionRecord


class KeptHolds:
    """
    Keep holds by their ids and by the cards they are on now.

    A batch may release holds on hundreds of cards: none of them looks through all.
    """

    def __init__(self, holds: Iterable[Hold]) -> None:
        self._holds: dict[TransactionId, Hold] = {}
        self._on: dict[CardId, dict[TransactionId, None]] = {}
        self._changed: dict[TransactionId, Hold] = {}
        for hold in holds:
            self._keep(hold)

    @property
    def changed(self) -> list[Hold]:
        """
        Give those that are new or changed, in their last version.
        """
        return list(self._changed.values())

    def get(self, hold_id: TransactionId) -> Hold | None:
        """
        Give a hold as it stands now.
        """
        return self._holds.get(hold_id)

    def open_on(self, card_id: CardId) -> tuple[Hold, ...]:
        """
        Give the open holds of a card, as far as they were read.
        """
        holds = map(self._holds.__getitem__, self._on.get(card_id, ()))
        return tuple(hold for hold in holds if hold.state is HoldState.OPEN)

    def change(self, hold: Hold, record: TransactionRecord) -> None:
        """
        Take over what a transaction made of a hold.
        """
        kept = self._placed(hold, record)
        self._keep(kept)
        self._changed[hold.hold_id] = kept

    def _placed(self, hold: Hold, record: TransactionRecord) -> Hold:
        """
        Note when a hold was placed on its card: now, before, or on another card.
        """
        if hold.hold_id == record.transaction_id:
            return replace(hold, placed_at=record.host_time)
        before = self._holds.get(hold.hold_id)
        if before is not None and before.card_id != hold.card_id:
            return replace(hold, placed_at=None)
        return hold

    def _keep(self, hold: Hold) -> None:
        known = self._holds.get(hold.hold_id)
        if known is not None and known.card_id != hold.card_id:
            del self._on[known.card_id][hold.hold_id]
        self._holds[hold.hold_id] = hold
        self._on.setdefault(hold.card_id, {})[hold.hold_id] = None
