"""
What waits to be published: bounded, and only the newest of each card.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.domain.cards import Card
from gateway.domain.ids import CardId
from gateway.engine.ports import FailedLookup
from gateway.live import keys
from gateway.live.events import LiveEvent


class Pending(NamedTuple):
    """
    A card, and when it was known to be so.
    """

    card: Card
    at_ms: int


class Notice(NamedTuple):
    """
    What one publish tells: snapshots, and failed look-ups by their counters' keys.
    """

    snapshots: list[Pending]
    failed: list[tuple[str, int]]


class Outbox:
    """
    Gather between two publishes. What does not fit is dropped and told.

    `limit` bounds the cards, and the counters of failed look-ups. Of cards the oldest
    is dropped, of failed look-ups the one that finds no place.
    """

    def __init__(self, limit: int, on_event: Callable[[str], None]) -> None:
        self._limit = limit
        self._on_event = on_event
        self._snapshots: OrderedDict[CardId, Pending] = OrderedDict()
        self._failed: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._snapshots) + len(self._failed)

    @property
    def has_failed(self) -> bool:
        """
        Tell whether failed look-ups wait.
        """
        return bool(self._failed)

    def add_cards(self, cards: Iterable[Card], at_ms: int) -> None:
        """
        Put cards in, each in the place of an older version of it.
        """
        snapshots = self._snapshots
        for card in cards:
            known = snapshots.get(card.card_id)
            if known is not None and known.card.version > card.version:
                continue
            snapshots[card.card_id] = Pending(card, at_ms)
            if len(snapshots) > self._limit:
                snapshots.popitem(last=False)
                self._on_event(LiveEvent.SNAPSHOT_DROPPED)

    def add_failed(self, failed: Iterable[FailedLookup]) -> None:
        """
        Add failed look-ups up, by terminal and by store.
        """
        for terminal_id, store_id in failed:
            self._count(keys.failed_at_terminal(terminal_id))
            self._count(keys.failed_at_store(store_id))

    def take(self, limit: int, *, oldest_ms: int) -> Notice:
        """
        Take out at most `limit` of both kinds, and drop what was true before then.
        """
        snapshots: list[Pending] = []
        while self._snapshots and len(snapshots) < limit:
            _, pending = self._snapshots.popitem(last=False)
            if pending.at_ms > oldest_ms:
                snapshots.append(pending)
            else:
                self._on_event(LiveEvent.SNAPSHOT_DROPPED)
        return Notice(snapshots, self._take_failed(limit))

    def take_failed(self, limit: int) -> Notice:
        """
        Take out at most `limit` counters of failed look-ups, and no snapshot.
        """
        return Notice([], self._take_failed(limit))

    def _take_failed(self, limit: int) -> list[tuple[str, int]]:
        failed: list[tuple[str, int]] = []
        while self._failed and len(failed) < limit:
            failed.append(self._failed.popitem(last=False))
        return failed

    def _count(self, key: str) -> None:
        had = self._failed.get(key, 0)
        if had == 0 and len(self._failed) >= self._limit:
            self._on_event(LiveEvent.FAILED_LOOKUP_DROPPED)
            return
        self._failed[key] = had + 1
