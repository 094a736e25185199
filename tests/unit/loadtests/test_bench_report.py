"""
From runs of the benchmark to medians and ratios.
"""

import pytest

from loadtests.bench.report import RATIOS, Spread, render, summarize
from tests.support.measured import measured

TO_THE_LIMIT = "redeem unary, 64 in flight, to the limit at 64"
RESTRICTED = "heavily restricted cards to plain ones, unary 64"
MANY_TO_FEW = "many cards to few, unary 64"


def test_medians_with_their_spread() -> None:
    """
    A line tells the median of the runs, with the least and the greatest.
    """
    runs = [measured("unary 64", per_s) for per_s in (900, 1_000, 1_500)]
    line = summarize(runs)["few", "unary 64"]

    assert line.per_s == Spread(1_000, 900, 1_500)
    assert line.per_cpu_s.middle == pytest.approx(1_000)


def test_ratios_of_two_scenarios() -> None:
    """
    A ratio is of medians, by the clock and by CPU second.
    """
    summary = summarize(
        [
            measured("limit 64", 2_000, cpu_us=500),
            measured("unary 64", 1_500, cpu_us=1_000),
            measured("bound unary 64", 1_200, cpu_us=1_250),
        ]
    )

    assert RATIOS[TO_THE_LIMIT](summary) == {"plain": 0.75, "equal_cpu": 0.5}
    assert RATIOS[RESTRICTED](summary) == {"plain": 0.8, "equal_cpu": 0.8}


def test_what_was_not_measured_has_no_ratio() -> None:
    """
    Without a second system nothing is said of many cards, and the report has no line.
    """
    summary = summarize([measured("unary 64", 1_000), measured("limit 64", 1_000)])

    assert RATIOS[MANY_TO_FEW](summary) is None
    assert RATIOS[RESTRICTED](summary) is None
    assert MANY_TO_FEW not in render(summary)
    assert TO_THE_LIMIT in render(summary)


def test_many_cards_against_few() -> None:
    """
    The first system has few cards, the second many.
    """
    summary = summarize(
        [
            measured("unary 64", 1_000),
            measured("unary 64", 900, system="many"),
        ]
    )

    assert RATIOS[MANY_TO_FEW](summary) == {"plain": 0.9, "equal_cpu": 1}
