from dataclasses import replace

from gateway.domain.ids import CardId
from tests.integration.live.worker import (
    BUDGETS,
    card_at,
    failed,
    request,
    requests,
    running_worker,
    server_client,
    until,
)

ID_SETS = ("{scrip}:ids:current", "{scrip}:ids:previous")


async def test_every_key_ends(valkey_url: str) -> None:
    """
    After all kinds of calls no key is without a time to live, and none lives too long.
    """
    budgets = replace(BUDGETS, remembered_ids=10, requests_per_window=1_000)
    async with running_worker(valkey_url, budgets) as worker:
        for first in range(0, 60, 6):
            await worker.live.admit(requests(first, first + 5))
            await worker.live.admit([request(None, terminal=first, store=first)])
        worker.live.publish([card_at(1), card_at(2, card_id=2)], failed(3))
        worker.live.publish([card_at(2)], failed(3, terminal=2))
        with server_client(valkey_url) as client:
            await until(lambda: client.exists("{scrip}:failed:terminal:2") == 1)
            lives_ms = {key: client.pttl(key) for key in client.keys("*")}

    assert set(ID_SETS) <= set(lives_ms)
    assert len(lives_ms) > 10
    assert min(lives_ms.values()) > 0
    assert max(lives_ms.values()) <= 3 * BUDGETS.remember_ms


async def test_ids_take_bounded_memory(valkey_url: str) -> None:
    """
    Twenty thousand ids in a short time: two sets of bounded size remain.
    """
    budgets = replace(BUDGETS, remembered_ids=1_000, requests_per_window=10**6)
    async with running_worker(valkey_url, budgets) as worker:
        for first in range(0, 20_000, 250):
            await worker.live.admit(requests(first, first + 249))
        with server_client(valkey_url) as client:
            kept = [client.scard(key) for key in ID_SETS]
            size_bytes = sum(client.memory_usage(key, samples=0) for key in ID_SETS)

            assert client.dbsize() == 3
        last = await worker.live.admit(requests(19_000, 19_999))
        counted = client.get("{scrip}:requests:1")

    assert max(kept) < 1_000 + 250
    assert size_bytes < 2 * 1_250 * 120
    assert [0] * 1_000 == last
    assert counted == "20000"


async def test_ids_outlive_the_change_of_sets(valkey_url: str) -> None:
    """
    When the current set is old it becomes the previous one, and its ids still pass.
    """
    current, previous = ID_SETS
    async with running_worker(valkey_url) as worker:
        await worker.live.admit(requests(1, 3))
        with server_client(valkey_url) as client:
            client.pexpire(current, 2 * BUDGETS.remember_ms)
            await worker.live.admit([request(4)])

            assert client.scard(previous) == 3
            assert client.scard(current) == 1
            assert client.pttl(previous) > BUDGETS.remember_ms
            assert client.pttl(current) > 2 * BUDGETS.remember_ms
        waits = await worker.live.admit(requests(1, 6))

    assert [0, 0, 0, 0, 0] == waits[:5]
    assert waits[5] > 0


async def test_ids_without_a_time_to_live_get_one(valkey_url: str) -> None:
    """
    A set that somebody made persistent ends all the same.
    """
    async with running_worker(valkey_url) as worker:
        await worker.live.admit([request(1)])
        with server_client(valkey_url) as client:
            client.persist(ID_SETS[0])
            await worker.live.admit([request(2)])

            assert client.pttl(ID_SETS[0]) > 0


async def test_keys_share_one_slot(valkey_url: str) -> None:
    """
    One function may use all keys of a batch also on a cluster.
    """
    async with running_worker(valkey_url) as worker:
        await worker.live.admit(requests(1, 3))
        worker.live.publish([card_at(1)], failed(1))
        with server_client(valkey_url) as client:
            await until(lambda: client.dbsize() == 5)

            assert {key.partition("}")[0] for key in client.keys("*")} == {"{scrip"}
        assert await worker.live.read_snapshot(CardId(1)) is not None
