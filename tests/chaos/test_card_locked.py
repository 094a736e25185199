"""
A stranger's transaction keeps one card locked: only its own requests wait for it.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from tests.support.chaos_journal import errors_of
from tests.support.chaos_load import Shape, Traffic, entries_between
from tests.support.chaos_rival import Rival
from tests.support.server import Gateway
from till.errors import NotAppliedError

SPAN_S = 2.0
OTHERS = Shape(unary=4, streams=4, outstanding=12, cards=40)
STUCK = Shape(unary=4, streams=1, outstanding=8, cards=1)


def answers_in(traffic: Traffic, seconds: float) -> int:
    """
    Count what is answered in a span of time.
    """
    before = traffic.answers
    time.sleep(seconds)
    return traffic.answers - before


def test_a_locked_card_does_not_keep_the_others_up(gateway: Gateway) -> None:
    """
    The others fail nothing and go on; who asks for the card is told to ask again.

    Each level of the halving once waited the whole lock_timeout, in every batch that
    held a request for the card: the others fell to a thirtieth.
    """
    with ExitStack() as stack:
        rival = stack.enter_context(Rival(gateway))
        others = stack.enter_context(Traffic(gateway, OTHERS))
        stuck = stack.enter_context(Traffic(gateway, STUCK))
        others.wait_for_answers(300)
        before = answers_in(others, SPAN_S)
        rival.lock(stuck.cards[0])
        began_s = time.monotonic()
        during = answers_in(others, SPAN_S)
        answered = answers_in(stuck, SPAN_S / 4)
        ended_s = time.monotonic()
        rival.rollback()
        stuck.wait_for_answers(50)

    neighbours = entries_between(others.journal, began_s, ended_s)
    refused = errors_of(entries_between(stuck.journal, 0, ended_s))
    assert not errors_of(neighbours)
    assert during > before / 4, f"{before} before, {during} while it was locked"
    assert answered == 0
    assert refused
    assert all(isinstance(error, NotAppliedError) for error in refused)
    others.check()
    stuck.check()
