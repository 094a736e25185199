"""
The embedded Valkey: it starts anywhere, comes back empty, and forgets nothing else.
"""

import stat
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.runtime.embedded import EmbeddedServerError, EmbeddedValkey
from tests.support.stores import running_valkey

_MEMORY_BYTES = 4 * 1024 * 1024


def client_of(server: EmbeddedValkey) -> redis.Redis:
    """
    Connect without the library's silent retries.
    """
    return redis.Redis.from_url(server.url, retry=Retry(NoBackoff(), 0))


def fill(client: redis.Redis) -> None:
    """
    Write twice what fits.
    """
    size_bytes = 128 * 1024
    for number in range(2 * _MEMORY_BYTES // size_bytes):
        client.set(f"big-{number}", b"x" * size_bytes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("port", "0"),
        ("save", ""),
        ("appendonly", "no"),
        ("maxmemory-policy", "noeviction"),
    ],
)
def test_it_keeps_nothing_evicts_nothing_and_listens_on_no_network(
    valkey_server: EmbeddedValkey, name: str, expected: str
) -> None:
    """
    What is live can be rebuilt, so nothing is written; a full memory refuses writes.
    """
    with client_of(valkey_server) as client:
        assert {name: expected} == client.config_get(name)


def test_the_shared_one_is_given_empty(valkey_url: str) -> None:
    """
    A test finds neither keys nor functions of the one before.
    """
    with redis.Redis.from_url(valkey_url) as client:
        assert client.dbsize() == 0
        assert client.function_list() == []
        client.set("left", "behind")


def test_only_its_account_gets_to_the_socket(valkey_server: EmbeddedValkey) -> None:
    """
    The socket lies in a folder that is closed to everybody else.
    """
    run_folder = valkey_server.folder.run_folder("valkey")

    assert stat.S_IMODE(run_folder.stat().st_mode) == 0o700


def test_a_killed_one_comes_back_empty_under_the_same_address(
    data_folder: Path,
) -> None:
    """
    SIGKILL loses all it held; clients find the new one where the old one was.
    """
    with running_valkey(data_folder) as server:
        address = server.url
        with client_of(server) as client:
            client.set("key", "value")
            server.kill()
            with pytest.raises(redis.ConnectionError):
                client.get("key")
            server.start()

            assert client.get("key") is None
        assert address == server.url


def test_a_full_memory_refuses_writes(data_folder: Path) -> None:
    """
    Beyond its bound a write is an error and no key is forgotten.
    """
    server = EmbeddedValkey(data_folder, memory_bytes=_MEMORY_BYTES)
    server.start()
    try:
        with client_of(server) as client:
            client.set("first", "kept")
            with pytest.raises(redis.OutOfMemoryError):
                fill(client)

            assert client.get("first") == b"kept"
    finally:
        server.stop()


def test_a_folder_has_one_server(data_folder: Path) -> None:
    """
    A second start on the same folder is refused; its address is known there too.
    """
    with running_valkey(data_folder) as server:
        second = EmbeddedValkey(data_folder)
        with pytest.raises(EmbeddedServerError, match="in use by process"):
            second.start()

        assert server.url == second.url


def test_a_server_left_by_a_killed_gateway_is_replaced(data_folder: Path) -> None:
    """
    Where no leash holds, the next start ends the old server.
    """
    orphan = EmbeddedValkey(data_folder)
    orphan.start()
    # As if its gateway had been killed, where the kernel ends no orphans.
    assert orphan._lock is not None
    orphan._lock.release()
    with running_valkey(data_folder) as server, client_of(server) as client:
        assert not orphan.is_running()
        assert client.ping()


def test_a_start_that_fails_shows_the_end_of_the_log(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The error holds what the server said, and the folder is free again.
    """
    server = EmbeddedValkey(data_folder)
    command = server._command
    monkeypatch.setattr(server, "_command", lambda: [*command(), "--no-such", "1"])
    with pytest.raises(EmbeddedServerError, match="no-such"):
        server.start()
    monkeypatch.undo()
    server.start()
    server.stop()

    assert not server.is_running()


def test_a_silent_server_is_given_up_in_time(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A server that never answers is ended after the time it has.
    """
    server = EmbeddedValkey(data_folder, start_timeout_s=0.05)
    monkeypatch.setattr(server, "_answers", lambda _pid: False)
    with pytest.raises(EmbeddedServerError, match=r"is silent for 0\.05 s"):
        server.start()

    assert not server.is_running()


def test_where_none_runs_the_error_says_how_to_start_one(data_folder: Path) -> None:
    """
    A command that needs the server says which one is missing, and what starts it.
    """
    with pytest.raises(EmbeddedServerError, match="no embedded valkey runs"):
        _ = EmbeddedValkey(data_folder).url
