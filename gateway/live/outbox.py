"""
What waits to be published: bounded, and only the newest of each card.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gateway.domain.cards import Card
from gateway.domain.holds import Hold, HoldState
from gateway.domain.ids import CardId, TransactionId
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
    What one publish tells: snapshots, failed look-ups by their counters' keys, holds.
    """

    snapshots: list[Pending]
    failed: list[tuple[str, int]]
    holds: Sequence[Hold] = ()


class Outbox:
    """
    Gather between two publishes. What does not fit is dropped and told.

    `limit` bounds the cards, the counters of failed look-ups, and the holds. Of cards
    and of holds the oldest is dropped, of failed look-ups the one that finds no place.
    """

    def __init__(self, limit: int, on_event: Callable[[str], None]) -> None:
        self._limit = limit
        self._on_event = on_event
        self._snapshots: OrderedDict[CardId, Pending] = OrderedDict()
        self._failed: OrderedDict[str, int] = OrderedDict()
        self._holds: OrderedDict[TransactionId, Hold] = OrderedDict()

    def __len__(self) -> int:
        return len(self._snapshots) + len(self._failed) + len(self._holds)

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

    def add_holds(self, holds: Iterable[Hold]) -> None:
        """
        Put holds in, each in the place of what it was before.
        """
        for hold in holds:
            self._holds[hold.hold_id] = hold
            self._bound_holds()

    def put_back(self, holds: Sequence[Hold]) -> None:
        """
        Put holds in again that did not go out, unless they have changed since.

        Unlike a snapshot they do not age, and to tell them twice does no harm.
        """
        for hold in reversed(holds):
            known = self._holds.setdefault(hold.hold_id, hold)
            if known.state is HoldState.OPEN and hold.state is not HoldState.OPEN:
                self._holds[hold.hold_id] = hold
            self._holds.move_to_end(hold.hold_id, last=False)
        self._bound_holds()

    def add_failed(self, failed: Iterable[FailedLookup]) -> None:
        """
        Add failed look-ups up, by terminal and by store.
        """
        for terminal_id, store_id in failed:
            self._count(keys.failed_at_terminal(terminal_id))
            self._count(keys.failed_at_store(store_id))

    def take(self, limit: int, *, oldest_ms: int) -> Notice:
        """
        Take out at most `limit` of each kind, and drop snapshots from before then.
        """
        snapshots: list[Pending] = []
        while self._snapshots and len(snapshots) < limit:
            _, pending = self._snapshots.popitem(last=False)
            if pending.at_ms > oldest_ms:
                snapshots.append(pending)
            else:
                self._on_event(LiveEvent.SNAPSHOT_DROPPED)
        holds: list[Hold] = []
        while self._holds and len(holds) < limit:
            holds.append(self._holds.popitem(last=False)[1])
        return Notice(snapshots, self._take_failed(limit), holds)

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

    def _bound_holds(self) -> None:
        while len(self._holds) > self._limit:
            self._holds.popitem(last=False)
            self._on_event(LiveEvent.EXPIRY_DROPPED)

    def _count(self, key: str) -> None:
        had = self._failed.get(key, 0)
        if had == 0 and len(self._failed) >= self._limit:
            self._on_event(LiveEvent.FAILED_LOOKUP_DROPPED)
            return
        self._failed[key] = had + 1
