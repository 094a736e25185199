import asyncio
import logging

import pytest

from gateway.live.breaker import Breaker
from gateway.live.errors import RedisLostError, RedisSlowError

INTERVAL_MS = 20


class Probe:
    """
    A server that is away as long as `error` says so; counts how often it was tried.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.tries = 0

    async def __call__(self) -> None:
        """
        Answer, or fail.
        """
        self.tries += 1
        if self.error is not None:
            raise self.error


def state_of(breaker: Breaker) -> str:
    """
    Tell how it stands.
    """
    return "open" if breaker.is_open else "closed"


async def until_closed(breaker: Breaker) -> None:
    """
    Wait until the breaker closes.
    """
    async with asyncio.timeout(2):
        await breaker.wait_closed()


async def test_it_begins_open_and_closes_with_the_first_probe() -> None:
    """
    Nobody uses Redis before it has answered once.
    """
    events: list[str] = []
    breaker = Breaker(Probe(), interval_ms=INTERVAL_MS, on_event=events.append)
    assert state_of(breaker) == "open"
    await breaker.start()

    assert state_of(breaker) == "closed"
    assert events == ["breaker_closed"]
    await breaker.stop()
    assert state_of(breaker) == "open"


async def test_it_goes_on_probing_until_redis_is_back() -> None:
    """
    A server that is away at the start is tried at each interval.
    """
    probe = Probe(RedisLostError("refused"))
    breaker = Breaker(probe, interval_ms=INTERVAL_MS, on_event=lambda _: None)
    await breaker.start()
    await asyncio.sleep(5 * INTERVAL_MS / 1000)
    assert state_of(breaker) == "open"
    assert 2 <= probe.tries <= 6
    probe.error = None
    await until_closed(breaker)

    assert state_of(breaker) == "closed"
    await breaker.stop()


async def test_the_first_failure_is_probed_at_once_the_next_one_is_not() -> None:
    """
    A server that came back is used at once; one that fails again waits the interval.
    """
    breaker = Breaker(Probe(), interval_ms=10_000, on_event=lambda _: None)
    await breaker.start()
    breaker.trip(RedisLostError("reset"))
    assert state_of(breaker) == "open"
    await until_closed(breaker)
    breaker.trip(RedisSlowError("slow"))
    await asyncio.sleep(0.02)

    assert state_of(breaker) == "open"
    await breaker.stop()


async def test_failures_while_it_is_open_open_it_once() -> None:
    """
    Several calls in flight fail together: each is told, the breaker opens once.
    """
    events: list[str] = []
    breaker = Breaker(Probe(), interval_ms=10_000, on_event=events.append)
    await breaker.start()
    events.clear()
    for _ in range(3):
        breaker.trip(RedisSlowError("slow"))
    await breaker.stop()

    assert events.count("call_failed") == 3
    assert events.count("breaker_opened") == 1


async def test_a_dead_server_is_logged_once_in_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    The reason is logged with the first failure, not with each probe; so is the return.
    """
    probe = Probe(RedisLostError("connection refused"))
    breaker = Breaker(probe, interval_ms=1, on_event=lambda _: None)
    with caplog.at_level(logging.INFO):
        await breaker.start()
        await asyncio.sleep(0.05)
        tries = probe.tries
        probe.error = None
        await until_closed(breaker)
        await breaker.stop()

    assert tries > 3
    assert ["WARNING", "INFO"] == [record.levelname for record in caplog.records]
    assert "connection refused" in caplog.messages[0]
    assert "in use again" in caplog.messages[1]


async def test_a_fault_of_our_own_does_not_end_the_probing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    An exception nobody thought of is logged, and the next probe comes all the same.
    """
    probe = Probe(TypeError("our bug"))
    breaker = Breaker(probe, interval_ms=1, on_event=lambda _: None)
    await breaker.start()
    await asyncio.sleep(0.02)
    probe.error = None
    await until_closed(breaker)
    await breaker.stop()

    assert "our bug" in caplog.text
