"""
Figures are counted under the right labels, bounded, and served on loopback only.
"""

import socket
import urllib.request

import pytest

from gateway.runtime import metrics as metrics_module
from gateway.runtime.metrics import Metrics, serve_metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """
    Read one figure.
    """
    return metrics.registry.get_sample_value(name, labels)


def free_port() -> int:
    """
    Find a port that nobody uses.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_answers_are_counted_and_timed() -> None:
    """
    By method, result and status; the time by method.
    """
    metrics = Metrics()
    for seconds in (0.004, 0.2):
        metrics.rpc_finished(
            method="Redeem", result="APPROVED", status="OK", seconds=seconds
        )

    labels = {"method": "Redeem", "result": "APPROVED", "status": "OK"}
    assert value(metrics, "scrip_rpcs_total", **labels) == 2
    assert value(metrics, "scrip_rpc_seconds_count", method="Redeem") == 2
    assert value(metrics, "scrip_rpc_seconds_bucket", method="Redeem", le="0.005") == 1


def test_the_lanes_and_redis_figures() -> None:
    """
    Each helper moves its own figure.
    """
    metrics = Metrics()
    metrics.queue_depth(7)
    metrics.batch_finished(items=64, seconds=0.002)
    metrics.batch_restarted()
    metrics.batch_retried()
    metrics.batch_halved()
    metrics.batch_parted()
    metrics.outcome_unknown()
    metrics.redis_up(up=True)
    metrics.redis_failed()
    metrics.publish_dropped(3)
    metrics.fault("NOT_APPLIED")

    assert value(metrics, "scrip_lane_queue_depth") == 7
    assert value(metrics, "scrip_batch_items_sum") == 64
    assert value(metrics, "scrip_batch_seconds_count") == 1
    for event in ("restart", "retry", "halving", "aside", "unknown_outcome"):
        assert value(metrics, "scrip_batch_events_total", event=event) == 1
    assert value(metrics, "scrip_redis_up") == 1
    assert value(metrics, "scrip_redis_failures_total") == 1
    assert value(metrics, "scrip_publish_dropped_total") == 3
    assert value(metrics, "scrip_faults_total", reason="NOT_APPLIED") == 1


def test_labels_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Beyond the bound, further labels are counted as one.
    """
    monkeypatch.setattr(metrics_module, "LABEL_SETS_LIMIT", 2)
    metrics = Metrics()
    for number in range(10):
        metrics.rpc_finished(method=f"m{number}", result="r", status="OK", seconds=0)
        metrics.fault(f"f{number}")

    labels = {"method": "other", "result": "other", "status": "OK"}
    assert value(metrics, "scrip_rpcs_total", **labels) == 8
    assert value(metrics, "scrip_rpc_seconds_count", method="other") == 8
    assert value(metrics, "scrip_faults_total", reason="other") == 8


def test_two_processes_worth_of_metrics_do_not_share() -> None:
    """
    Each object has its registry, so tests and workers do not add up.
    """
    first, second = Metrics(), Metrics()
    first.queue_depth(3)

    assert value(second, "scrip_lane_queue_depth") == 0


def test_figures_are_served_on_loopback_and_stop() -> None:
    """
    The page holds ours and the process's figures; afterwards nobody listens.
    """
    port = free_port()
    metrics = Metrics()
    metrics.queue_depth(5)
    stop = serve_metrics(metrics, port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        text = page.read().decode()
    with pytest.raises(OSError, match="in use"):
        serve_metrics(metrics, port)
    stop()

    assert "scrip_lane_queue_depth 5.0" in text
    assert "python_gc_collections_total" in text
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", port))
