from dataclasses import replace

from gateway.domain.cards import Card
from gateway.domain.ids import CardId, StoreId, TerminalId
from gateway.engine.ports import FailedLookup
from gateway.live.outbox import Outbox
from tests.support.world import card

NOW_MS = 1_764_000_000_000


def card_at(version: int, card_id: int = 1) -> Card:
    """
    Make a card in one of its versions.
    """
    return replace(card(), card_id=CardId(card_id), version=version)


def failed(terminal: int, store: int = 1) -> FailedLookup:
    """
    Make a failed look-up.
    """
    return FailedLookup(TerminalId(terminal), StoreId(store))


def test_only_the_newest_version_of_a_card_waits() -> None:
    """
    An older version is left out, a newer or equal one takes the place.
    """
    events: list[str] = []
    outbox = Outbox(10, events.append)
    outbox.add_cards([card_at(2), card_at(3)], NOW_MS)
    outbox.add_cards([card_at(1)], NOW_MS + 5)
    outbox.add_cards([card_at(3)], NOW_MS + 7)
    notice = outbox.take(10, oldest_ms=0)

    assert [(3, NOW_MS + 7)] == [(c.version, at_ms) for c, at_ms in notice.snapshots]
    assert len(outbox) == 0
    assert events == []


def test_too_many_cards_drop_the_oldest() -> None:
    """
    The bound holds, and each that falls out is told.
    """
    events: list[str] = []
    outbox = Outbox(3, events.append)
    outbox.add_cards([card_at(1, number) for number in range(5)], NOW_MS)
    notice = outbox.take(10, oldest_ms=0)

    assert [2, 3, 4] == [c.card_id for c, _ in notice.snapshots]
    assert events == ["snapshot_dropped"] * 2


def test_what_is_old_is_not_taken() -> None:
    """
    A snapshot that was true too long ago is dropped and told, newer ones are taken.
    """
    events: list[str] = []
    outbox = Outbox(10, events.append)
    outbox.add_cards([card_at(1, 1)], NOW_MS)
    outbox.add_cards([card_at(1, 2)], NOW_MS + 1)
    notice = outbox.take(10, oldest_ms=NOW_MS)

    assert [2] == [c.card_id for c, _ in notice.snapshots]
    assert events == ["snapshot_dropped"]


def test_failed_look_ups_add_up_by_terminal_and_store() -> None:
    """
    Each counts at its terminal and at its store, under the keys of their counters.
    """
    outbox = Outbox(10, lambda _: None)
    outbox.add_failed([failed(1), failed(2), failed(1)])

    assert dict(outbox.take(10, oldest_ms=0).failed) == {
        "{scrip}:failed:terminal:1": 2,
        "{scrip}:failed:terminal:2": 1,
        "{scrip}:failed:store:1": 3,
    }


def test_failed_look_ups_of_too_many_terminals_are_told() -> None:
    """
    A counter that finds no place is told; those that have one go on counting.
    """
    events: list[str] = []
    outbox = Outbox(3, events.append)
    outbox.add_failed([failed(1), failed(2), failed(3), failed(1)])

    assert dict(outbox.take(10, oldest_ms=0).failed) == {
        "{scrip}:failed:terminal:1": 2,
        "{scrip}:failed:terminal:2": 1,
        "{scrip}:failed:store:1": 4,
    }
    assert events == ["failed_lookup_dropped"]


def test_a_take_is_limited() -> None:
    """
    What does not go out with one call goes with the next, oldest first.
    """
    outbox = Outbox(10, lambda _: None)
    outbox.add_cards([card_at(1, number) for number in range(5)], NOW_MS)
    outbox.add_failed([failed(1)])
    first = outbox.take(3, oldest_ms=0)
    second = outbox.take(3, oldest_ms=0)

    assert [0, 1, 2] == [c.card_id for c, _ in first.snapshots]
    assert [3, 4] == [c.card_id for c, _ in second.snapshots]
    assert (2, 0) == (len(first.failed), len(second.failed))
