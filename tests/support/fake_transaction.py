"""
One batch's transaction on books in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.domain.cards import Card
from gateway.domain.holds import HoldState
from gateway.domain.ids import CardId, RequestKey
from gateway.engine.locking import Claim
from gateway.engine.ports import WriteSet
from gateway.engine.stored import Stored

if TYPE_CHECKING:
    from tests.support.fake_books import FakeBooks


class FakeTransaction:
    """
    One batch's transaction.
    """

    def __init__(
        self,
        books: FakeBooks,
        cards: Sequence[Card],
        won: dict[RequestKey, Claim],
    ) -> None:
        self._books = books
        self._won = won
        self.cards = cards

    async def read_stored(
        self,
        keys: Sequence[RequestKey],
        holders: Sequence[CardId] = (),
        looking_back: Sequence[tuple[CardId, datetime]] = (),
    ) -> Stored:
        """
        Read what is kept under keys that were not won, and holds.
        """
        books = self._books
        books.reach("read_stored")
        requests = {key: books.stored(key) for key in keys if key in books.keys}
        named = {found.step.hold_id for found in requests.values() if found.step}
        holds = [
            hold
            for hold in books.holds.values()
            if hold.hold_id in named
            or (hold.card_id in holders and hold.state is HoldState.OPEN)
        ]
        recent = {card_id: books.recent(card_id, at) for card_id, at in looking_back}
        return Stored(requests, holds, recent)

    async def commit(self, writes: WriteSet) -> None:
        """
        Commit, or raise and be rolled back.
        """
        self._books.closed()
        self._books.reach("commit")
        self._books.apply(writes, list(self._won.values()))
        self._books.reach("committed")

    async def rollback(self) -> None:
        """
        Give the locks and the claims back.
        """
        self._books.closed()
