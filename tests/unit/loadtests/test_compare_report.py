"""
What the new commit is to the old one is told pair by pair.
"""

import pytest

from loadtests.bench.report import Spread
from loadtests.compare.report import Pair, compare, render
from tests.support.measured import measured


def pair(
    old: float, new: float, *, cpu_us: float = 1_000, scenario: str = "unary 64"
) -> Pair:
    """
    Make a pair; one operation of the old commit costs 1,000 microseconds.
    """
    return Pair(old=measured(scenario, old), new=measured(scenario, new, cpu_us=cpu_us))


def test_ratios_are_taken_pair_by_pair() -> None:
    """
    A slow moment of the machine falls on both runs of a pair, and out of their ratio.
    """
    found = compare([pair(1_000, 950), pair(100, 96), pair(2_000, 1_960)])["unary 64"]

    assert found.plain == pytest.approx((0.96, 0.95, 0.98))
    assert found.old_per_s == Spread(1_000, 100, 2_000)
    assert found.new_per_s == Spread(950, 96, 1_960)


def test_cpu_is_compared_by_operation() -> None:
    """
    What takes a quarter more CPU does four fifths by CPU second.
    """
    found = compare([pair(1_000, 1_000, cpu_us=1_250)])["unary 64"]

    assert found.equal_cpu == pytest.approx((0.8, 0.8, 0.8))
    assert found.plain == Spread(1, 1, 1)


@pytest.mark.parametrize(
    ("new", "cpu_us", "holds"),
    [(900, 1_000, True), (899, 1_000, False), (900, 1_112, False)],
)
def test_the_limit_is_a_tenth(new: float, cpu_us: float, holds: bool) -> None:
    """
    0.90 holds; less does not, by the clock or by CPU second.
    """
    assert compare([pair(1_000, new, cpu_us=cpu_us)])["unary 64"].holds is holds


def test_one_bad_pair_does_not_decide() -> None:
    """
    The median decides; the least is told beside it.
    """
    pairs = [pair(1_000, 500), pair(1_000, 990), pair(1_000, 1_010)]
    compared = compare(pairs)

    assert compared["unary 64"].holds
    assert "0.99 (0.50 to 1.01)" in render(compared, "4f8ffad01af47af5")


def test_scenarios_stand_by_themselves() -> None:
    """
    Each scenario has its own line and its own verdict.
    """
    slow = pair(1_000, 100, scenario="stream 256")
    compared = compare([pair(1_000, 1_000), slow])
    *_, unary, stream = render(compared, "4f8ffad01af47af5").splitlines()

    assert unary.startswith("unary 64")
    assert unary.endswith("holds")
    assert stream.startswith("stream 256")
    assert stream.endswith("TOO SLOW")
