"""
Watching a decision: which functions it called, and nothing besides.
"""

import sys

import pytest

from gateway.domain.watching import watched
from tests.support import watched_functions as functions

MODULE = functions.__name__
OUTER, INNER = (MODULE, "outer"), (MODULE, "inner")


def test_calls_are_told_with_what_they_got_and_gave() -> None:
    """
    In the order in which they ended, each with its arguments.
    """
    result, calls = watched(lambda: functions.inner(1) + functions.inner(2), {INNER})

    assert result == 5
    assert [(call.given, call.gave) for call in calls] == [
        ({"number": 1}, 2),
        ({"number": 2}, 3),
    ]


def test_what_a_watched_function_calls_is_not_told() -> None:
    """
    Only the outermost of those watched is.
    """
    _, calls = watched(lambda: functions.outer(1), {OUTER, INNER})
    _, inside = watched(lambda: functions.outer(1), {INNER})

    assert [call.function for call in calls] == [OUTER]
    assert [call.function for call in inside] == [INNER, INNER]


def test_nobody_is_watched_afterwards() -> None:
    """
    Also when it failed, whoever looked on before looks on again.
    """
    before = sys.getprofile()

    with pytest.raises(ZeroDivisionError):
        watched(lambda: functions.failing(0), {(MODULE, "failing")})

    assert sys.getprofile() is before
