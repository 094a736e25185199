"""
Tills that lose their connections or their patience.
"""

from __future__ import annotations

from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Shape, Traffic
from tests.support.chaos_network import breaking_network
from tests.support.server import Gateway


def test_connections_break_under_load(gateway: Gateway) -> None:
    """
    Every connection is reset again and again, requests and answers on the way lost.

    The retry policy of the guide and the stream's resending hide it from the tills.
    """
    with (
        breaking_network(gateway.port) as network,
        Traffic(gateway, port=network.port) as traffic,
    ):
        for _ in range(15):
            traffic.wait_for_answers(40)
            network.break_all()
        traffic.wait_for_answers(100)

    traffic.check()
    assert network.broken >= 100
    assert not errors_of(traffic.journal), errors_of(traffic.journal)[0]
    assert traffic.reopened >= 15


def test_tills_that_do_not_wait(gateway: Gateway) -> None:
    """
    A till gives up after milliseconds, then asks again or reverses: one outcome.

    Some were never taken in, some were decided while nobody listened, and some come
    after their reversal: what they are told in the end is what the books say.
    """
    with Traffic(gateway, Shape(hasty=0.5)) as traffic:
        traffic.wait_for_answers(1_500, timeout_s=60)

    traffic.check()
    errors = errors_of(traffic.journal)
    assert len(errors) >= 50
    assert {error.status for error in errors} == {"DEADLINE_EXCEEDED"}
