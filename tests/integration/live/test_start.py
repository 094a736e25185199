import asyncio
from pathlib import Path

from gateway.domain.ids import CardId
from gateway.live.redis_live import RedisLive
from gateway.runtime.embedded import EmbeddedValkey
from tests.integration.live.worker import (
    BUDGETS,
    OPTIONS,
    Clock,
    card_at,
    request,
    requests,
    running_worker,
    server_client,
    until,
)
from tests.support.stores import running_valkey


async def test_the_embedded_server_is_reported_without_a_warning(
    valkey_url: str,
) -> None:
    """
    Our own Valkey is what we want: supported, and nothing to say about it.
    """
    async with running_worker(valkey_url) as worker:
        assert worker.report.name == "Valkey"
        assert worker.report.version.count(".") == 2
        assert worker.report.is_reachable
        assert worker.report.is_supported
        assert worker.report.warnings == ()
        assert worker.events == ["functions_loaded", "breaker_closed"]


async def test_a_server_that_evicts_is_warned_of(data_folder: Path) -> None:
    """
    A server that may forget budgets when it is full is used, with a warning.
    """
    with running_valkey(data_folder) as server:
        with server_client(server.url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        async with running_worker(server.url) as worker:
            assert worker.report.is_supported
            assert len(worker.report.warnings) == 1
            assert "allkeys-lru" in worker.report.warnings[0]
            assert "noeviction" in worker.report.warnings[0]


async def test_without_a_server_it_starts_and_joins_later(data_folder: Path) -> None:
    """
    A gateway starts without Redis, says so, and uses it once it is there.
    """
    server = EmbeddedValkey(data_folder)
    server.start()
    url = server.url
    server.stop()
    async with running_worker(url) as worker:
        assert not worker.report.is_reachable
        assert worker.report.is_supported
        assert "budgets are local" in worker.report.warnings[0]
        assert [0] * 5 == await worker.live.admit(requests(1, 5))
        assert (await worker.live.admit([request(6)]))[0] > 0
        worker.live.publish([card_at(1)], [])
        assert await worker.live.read_snapshot(CardId(1)) is None
        server.start()
        await until(lambda: worker.live.is_shared)

        assert [0] == await worker.live.admit([request(7)])
    server.stop()


async def test_before_the_start_and_after_the_stop_budgets_are_local(
    valkey_url: str,
) -> None:
    """
    The port works at any time; outside of its life it leaves Redis alone.
    """
    live = RedisLive(
        valkey_url, BUDGETS, wall_ms=Clock(), on_event=lambda _: None, options=OPTIONS
    )
    assert [0] * 3 == await live.admit(requests(1, 3))
    await live.start()
    assert [0] * 3 == await live.admit(requests(1, 3))
    await live.stop()
    assert [0, 0] == await live.admit(requests(4, 5))
    live.publish([card_at(1)], [])
    await live.stop()

    with server_client(valkey_url) as client:
        assert client.get("{scrip}:requests:1") == "3"
        assert (await live.admit([request(6)]))[0] > 0


async def test_a_worker_keeps_at_most_three_connections(valkey_url: str) -> None:
    """
    However many ask at once, admissions, notices and readers have one connection each.

    Gateways that other tests share have theirs on the same server: they are left out.
    """
    with server_client(valkey_url) as client:
        others = {entry["id"] for entry in client.client_list()}
    async with running_worker(valkey_url) as worker:
        worker.live.publish([card_at(1)], [])
        await asyncio.gather(
            *(worker.live.admit([request(n)]) for n in range(50)),
            *(worker.live.read_snapshot(CardId(1)) for _ in range(50)),
        )
        with server_client(valkey_url) as client:
            names = [
                entry["name"]
                for entry in client.client_list()
                if entry["id"] not in others
            ]

    assert sorted(name for name in names if name) == [
        "scrip-admit",
        "scrip-publish",
        "scrip-read",
    ]
    assert worker.live.is_shared is False
