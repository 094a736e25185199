"""
The figures of one process, for Prometheus.

One object with one registry, made at the start and passed down; a test makes its own.
The methods keep the children of labelled metrics, because looking one up costs more
than counting on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK: Final = "127.0.0.1"
OTHER: Final = "other"

# Labels come from our own enums; should one not, it cannot fill the memory.
LABEL_SETS_LIMIT: Final = 2_000

_RPC_SECONDS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_BATCH_SECONDS: Final = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015),
    *(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_BATCH_ITEMS: Final = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 512)


class Metrics:
    """
    All metrics of a process.
    """

    def __init__(self) -> None:
        """
        Make the metrics in a registry of their own.
        """
        # Each counter would else be two lines; the function has no annotations.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._rpcs = self._counter(
            "scrip_rpcs",
            "Calls and stream items answered.",
            "method",
            "result",
            "status",
        )
        self._rpc_seconds = Histogram(
            "scrip_rpc_seconds",
            "Time from a call's arrival to its answer.",
            ("method",),
            buckets=_RPC_SECONDS,
            registry=self.registry,
        )
        self._faults = self._counter(
            "scrip_faults",
            "Answers that record nothing, by the reason in their ErrorInfo.",
            "reason",
        )
        self._queue_depth = self._gauge(
            "scrip_lane_queue_depth", "Requests waiting for the next batch."
        )
        self._batch_items = Histogram(
            "scrip_batch_items",
            "Requests decided in one commit.",
            buckets=_BATCH_ITEMS,
            registry=self.registry,
        )
        self._batch_seconds = Histogram(
            "scrip_batch_seconds",
            "Time of one batch from its first statement to its commit.",
            buckets=_BATCH_SECONDS,
            registry=self.registry,
        )
        self._batch_events = self._counter(
            "scrip_batch_events",
            "What went not straight: restart, retry, halving, aside, unknown_outcome.",
            "event",
        )
        self._redis_up = self._gauge(
            "scrip_redis_up",
            "1 while Redis is used, 0 while the breaker keeps calls from it.",
        )
        self._redis_failures = self._counter(
            "scrip_redis_failures", "Calls to Redis that failed or took too long."
        )
        self._publish_dropped = self._counter(
            "scrip_publish_dropped", "Change notices for Redis that were given up."
        )
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._rpc_children: dict[tuple[str, str, str], Counter] = {}
        self._rpc_seconds_children: dict[str, Histogram] = {}
        self._fault_children: dict[str, Counter] = {}
        self.batch_restarted = self._event_counter("restart")
        self.batch_retried = self._event_counter("retry")
        self.batch_halved = self._event_counter("halving")
        self.batch_parted = self._event_counter("aside")
        self.outcome_unknown = self._event_counter("unknown_outcome")

    def rpc_finished(
        self, *, method: str, result: str, status: str, seconds: float
    ) -> None:
        """
        Count one answered call or stream item.
        """
        key = (method, result, status)
        counter = self._rpc_children.get(key)
        if counter is None:
            if len(self._rpc_children) >= LABEL_SETS_LIMIT:
                key = (OTHER, OTHER, status)
            counter = self._rpcs.labels(*key)
            self._rpc_children[key] = counter
        counter.inc()
        timer = self._rpc_seconds_children.get(method)
        if timer is None:
            if len(self._rpc_seconds_children) >= LABEL_SETS_LIMIT:
                method = OTHER
            timer = self._rpc_seconds.labels(method)
            self._rpc_seconds_children[method] = timer
        timer.observe(seconds)

    def fault(self, reason: str) -> None:
        """
        Count an answer that recorded nothing.
        """
        counter = self._fault_children.get(reason)
        if counter is None:
            if len(self._fault_children) >= LABEL_SETS_LIMIT:
                reason = OTHER
            counter = self._faults.labels(reason)
            self._fault_children[reason] = counter
        counter.inc()

    def queue_depth(self, requests: int) -> None:
        """
        Say how many requests wait for the next batch.
        """
        self._queue_depth.set(requests)

    def batch_finished(self, *, items: int, seconds: float) -> None:
        """
        Count one batch.
        """
        self._batch_items.observe(items)
        self._batch_seconds.observe(seconds)

    def redis_up(self, *, up: bool) -> None:
        """
        Say whether Redis is in use.
        """
        self._redis_up.set(up)

    def redis_failed(self) -> None:
        """
        Count a failed call to Redis.
        """
        self._redis_failures.inc()

    def publish_dropped(self, notices: int) -> None:
        """
        Count change notices that were given up.
        """
        self._publish_dropped.inc(notices)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def _event_counter(self, event: str) -> Callable[[], None]:
        counter = self._batch_events.labels(event)

        def count() -> None:
            counter.inc()

        return count


def serve_metrics(metrics: Metrics, port: int) -> Callable[[], None]:
    """
    Serve the figures on the loopback address; give what ends it.

    Raises:
        OSError: When the port is taken.

    """
    server, thread = start_http_server(port, addr=LOOPBACK, registry=metrics.registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
