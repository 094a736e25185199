"""
A worker is told to stop: it finishes what it has, and the tills move to the other.
"""

from __future__ import annotations

from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Traffic
from tests.support.server import Gateway


def test_workers_are_renewed_under_load(gateway: Gateway) -> None:
    """
    SIGTERM to one of two workers and a new one in its place, again and again.

    Unary tills with the guide's retry policy see no failure; streams resend what was
    not answered under the same request ids. Each worker exits with 0.
    """
    codes = []
    with Traffic(gateway) as traffic:
        for worker in (1, 2, 1, 2):
            traffic.wait_for_answers(150)
            codes.append(gateway.stop(worker))
            traffic.wait_for_answers(100)
            gateway.start(worker)

    traffic.check()
    assert codes == [0, 0, 0, 0]
    assert not errors_of(traffic.journal), errors_of(traffic.journal)[0]
    assert traffic.reopened >= 2
