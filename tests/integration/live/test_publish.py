import asyncio
import random

import pytest
import redis

from currency import Currency
from gateway.domain.cards import CardState
from gateway.domain.ids import CardId
from gateway.live.library import PUBLISH, library_code
from gateway.live.options import LiveOptions
from gateway.live.snapshot import Snapshot
from tests.integration.live.worker import (
    OPTIONS,
    START_MS,
    Clock,
    Worker,
    card_at,
    failed,
    running_worker,
    server_client,
    until,
    until_counted,
    until_there,
)

SNAPSHOT = "{scrip}:snapshot:1"
EXPIRIES = "{scrip}:expiries"


async def until_written(url: str, text: str) -> None:
    """
    Wait until card 1 has that snapshot.
    """
    with server_client(url) as client:
        await until(lambda: client.get(SNAPSHOT) == text)


async def published(worker: Worker, version: int) -> Snapshot:
    """
    Publish a version of card 1, wait until it can be read, and give it.
    """
    worker.live.publish([card_at(version)], [])
    while True:
        snapshot = await worker.live.read_snapshot(CardId(1))
        if snapshot is not None and snapshot.version >= version:
            return snapshot
        await asyncio.sleep(0.002)


async def test_a_snapshot_can_be_read_with_its_age(valkey_url: str) -> None:
    """
    What was published is read with all its money, and tells how old it is.
    """
    async with running_worker(valkey_url) as worker:
        worker.live.publish([card_at(7, balance_minor=12_34)], [])
        await until_written(valkey_url, f"7 {START_MS} 1234 1234 0 3 USD")
        worker.clock.now_ms += 1_200

        assert await worker.live.read_snapshot(CardId(1)) == Snapshot(
            card_id=CardId(1),
            version=7,
            available_minor=12_34,
            ledger_minor=12_34,
            held_minor=0,
            state=CardState.ACTIVE,
            currency=Currency.of("USD"),
            at_ms=START_MS,
            age_ms=1_200,
        )


async def test_a_card_without_a_snapshot_has_none(valkey_url: str) -> None:
    """
    Nobody published the card lately: there is nothing to show.
    """
    async with running_worker(valkey_url) as worker:
        assert await worker.live.read_snapshot(CardId(404)) is None
        assert "read_failed" not in worker.events


async def test_foreign_text_under_a_snapshots_key_is_none(valkey_url: str) -> None:
    """
    What somebody else wrote there is not shown as a balance; ours replaces it.
    """
    async with running_worker(valkey_url) as worker:
        with server_client(valkey_url) as client:
            client.set(SNAPSHOT, "a lot of money")

        assert await worker.live.read_snapshot(CardId(1)) is None
        assert "read_failed" in worker.events
        assert (await published(worker, 3)).version == 3


async def test_an_older_version_never_overwrites_a_newer_one(valkey_url: str) -> None:
    """
    A worker that comes late with what is long past changes nothing.
    """
    async with running_worker(valkey_url) as one, running_worker(valkey_url) as two:
        await published(one, 8)
        two.live.publish([card_at(7), card_at(1, card_id=2)], [])
        await until_there(valkey_url, "{scrip}:snapshot:2")
        snapshot = await two.live.read_snapshot(CardId(1))

        assert snapshot is not None
        assert snapshot.version == 8


async def test_one_worker_keeps_the_newest_of_what_waits(valkey_url: str) -> None:
    """
    Versions of one card that wait together are one snapshot: the newest.
    """
    async with running_worker(valkey_url) as worker:
        worker.live.publish([card_at(3), card_at(5)], [])
        worker.live.publish([card_at(4)], [])
        await until_written(valkey_url, f"5 {START_MS} 10000 10000 0 3 USD")

        assert worker.events.count("snapshot_dropped") == 0


async def test_the_same_version_keeps_its_newest_time(valkey_url: str) -> None:
    """
    A card that did not change but was looked at again is a younger snapshot.
    """
    early, late = Clock(), Clock()
    late.now_ms += 900
    async with (
        running_worker(valkey_url, clock=early) as one,
        running_worker(valkey_url, clock=late) as two,
    ):
        await published(two, 4)
        one.live.publish([card_at(4), card_at(1, card_id=2)], [])
        await until_there(valkey_url, "{scrip}:snapshot:2")
        snapshot = await two.live.read_snapshot(CardId(1))

        assert snapshot is not None
        assert snapshot.at_ms == START_MS + 900


async def test_versions_only_grow_under_rival_publishers(valkey_url: str) -> None:
    """
    Four workers publish 400 versions in any order; a reader never sees one go back.
    """
    chance = random.Random(7)
    versions = list(range(1, 401))
    chance.shuffle(versions)
    seen: list[int] = []

    async def publish_some(worker: Worker, mine: list[int]) -> None:
        for version in mine:
            worker.live.publish([card_at(version)], [])
            await asyncio.sleep(0.0005)

    async with (
        running_worker(valkey_url) as a,
        running_worker(valkey_url) as b,
        running_worker(valkey_url) as c,
        running_worker(valkey_url) as d,
    ):
        rivals = [
            asyncio.create_task(publish_some(worker, versions[number::4]))
            for number, worker in enumerate((a, b, c, d))
        ]
        while not seen or seen[-1] < 400:
            snapshot = await a.live.read_snapshot(CardId(1))
            seen.append(snapshot.version if snapshot else 0)
            await asyncio.sleep(0)
        await asyncio.gather(*rivals)

    assert sorted(seen) == seen
    assert len(set(seen)) > 3


async def test_a_snapshot_lives_from_when_it_was_true(valkey_url: str) -> None:
    """
    One that waited three of its five seconds is shown for two more.
    """
    async with running_worker(valkey_url) as worker:
        worker.live.publish([card_at(1)], [])
        worker.clock.now_ms += 3_000
        with server_client(valkey_url) as client:
            await until(lambda: client.exists(SNAPSHOT) == 1)

            assert 1_000 < client.pttl(SNAPSHOT) <= 2_000


async def test_one_that_waited_too_long_is_not_shown(valkey_url: str) -> None:
    """
    Older than its life it is dropped: a newer one may have come and gone.
    """
    async with running_worker(valkey_url) as worker:
        worker.live.publish([card_at(1)], [])
        worker.clock.now_ms += 5_000
        await until(lambda: "snapshot_dropped" in worker.events)

        assert await worker.live.read_snapshot(CardId(1)) is None


async def test_failed_look_ups_of_all_workers_add_up(valkey_url: str) -> None:
    """
    Each worker adds what it saw.
    """
    async with running_worker(valkey_url) as one, running_worker(valkey_url) as two:
        one.live.publish([], failed(2, terminal=1))
        two.live.publish([], failed(3, terminal=1))
        await until_counted(valkey_url, "{scrip}:failed:terminal:1", 5)
        await until_counted(valkey_url, "{scrip}:failed:store:1", 5)


async def test_many_cards_go_out_in_several_calls(valkey_url: str) -> None:
    """
    More than one call takes: all of them arrive.
    """
    async with running_worker(valkey_url) as worker:
        worker.live.publish([card_at(1, card_id=n) for n in range(1_500)], failed(4))
        with server_client(valkey_url) as client:
            await until(lambda: client.dbsize() == 1_502)

            assert client.get("{scrip}:failed:store:1") == "4"


async def test_stop_publishes_what_waits(valkey_url: str) -> None:
    """
    What was published just before the stop arrives.
    """
    options = LiveOptions(timeout_ms=OPTIONS.timeout_ms, publish_pause_ms=60_000)
    async with running_worker(valkey_url, options=options) as worker:
        worker.live.publish([card_at(1)], [])
        await until_written(valkey_url, f"1 {START_MS} 10000 10000 0 3 USD")
        worker.live.publish([card_at(2)], [])

    with server_client(valkey_url) as client:
        assert client.get(SNAPSHOT) == f"2 {START_MS} 10000 10000 0 3 USD"


@pytest.mark.parametrize(
    "arguments",
    [
        (2, 1000, 0, 0, 9, 9, "1 5 0", 100),
        (1, 1000, 0, 0, 9, 9, "no version", 100),
        (1, 1000, 0, 0, 9, 9, "1 5 0 0 0 3 USD", 0),
        (1, 1000, 0, 0, 9, 9, "1 5 0 0 0 3 USD", "soon"),
        (1, 1000, 1, 0, 9, 9, "soon", "hold", "1 5 0 0 0 3 USD", 100),
        (1, 1000, 1, 0, 9, 9, 5, "", "1 5 0 0 0 3 USD", 100),
        (1, 1000, 0, 1, 9, 9, "1 5 0 0 0 3 USD", 100),
    ],
)
def test_a_malformed_publish_changes_nothing(
    valkey_url: str, arguments: tuple[object, ...]
) -> None:
    """
    Arguments are checked before the first write.
    """
    with server_client(valkey_url) as client:
        client.function_load(library_code())
        with pytest.raises(redis.ResponseError, match="scrip_publish_v2"):
            client.fcall(PUBLISH, 2, SNAPSHOT, EXPIRIES, *arguments)

        assert client.dbsize() == 0
