import structlog

from gateway.bootstrap.clerk_observing import ClerkObserver
from gateway.runtime.metrics import Metrics


class Clock:
    """
    A clock that stands until it is moved.
    """

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """
        Read it.
        """
        return self.now_s


def test_releases_are_counted_and_told_together() -> None:
    """
    Every one is in the figures; the log has one line in ten seconds, with the worst.
    """
    metrics, clock = Metrics(), Clock()
    with structlog.testing.capture_logs() as logs:
        observer = ClerkObserver(metrics, clock)
        observer.released([0.5])
        observer.released([1.5, 0.1])
        observer.released([0.2])
        clock.now_s += 10
        observer.released([0.3])

    value = metrics.registry.get_sample_value
    assert 5 == value("scrip_released_holds_total")
    assert 5 == value("scrip_release_lag_seconds_count")
    assert 4 == value("scrip_release_lag_seconds_bucket", {"le": "0.5"})
    assert [(1, 500), (4, 1_500)] == [
        (line["count"], line["worst_lag_ms"])
        for line in logs
        if line["event"] == "holds released"
    ]


def test_what_is_left_and_loaded_is_counted() -> None:
    """
    With the reason, and how long it took.
    """
    metrics = Metrics()
    with structlog.testing.capture_logs() as logs:
        observer = ClerkObserver(metrics, Clock())
        observer.gave_up(3, TimeoutError("kept"))
        observer.loaded(7, 0.25)
        observer.alarm("a turn failed", RuntimeError("ours"))

    value = metrics.registry.get_sample_value
    assert 3 == value("scrip_releases_given_up_total")
    assert 7 == value("scrip_live_holds_loaded_total")
    assert ["warning", "info", "error"] == [line["log_level"] for line in logs]
    assert "TimeoutError: kept" == logs[0]["why"]
    assert 250 == logs[1]["took_ms"]


def test_what_comes_and_goes_is_told_once() -> None:
    """
    Redis at its changes, the books every ten seconds.
    """
    metrics, clock = Metrics(), Clock()
    with structlog.testing.capture_logs() as logs:
        observer = ClerkObserver(metrics, clock)
        for used in (True, True, False, False, True):
            observer.redis_used(used=used)
        observer.books_away(OSError("gone"))
        observer.books_away(OSError("gone"))
        clock.now_s += 10
        observer.books_away(OSError("gone"))

    told = [line["log_level"] for line in logs]
    assert ["info", "warning", "info", "warning", "warning"] == told
    assert 1 == metrics.registry.get_sample_value("scrip_redis_up")
