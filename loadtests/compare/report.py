"""
From pairs of runs to what the new commit is to the old one.
"""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Final, NamedTuple

from loadtests.bench.report import Spread
from loadtests.bench.runs import Measured

# Redeem may have slowed by a tenth.
LIMIT: Final = 0.90


class Pair(NamedTuple):
    """
    The same scenario on both, one right after the other.
    """

    old: Measured
    new: Measured


class Compared(NamedTuple):
    """
    What a scenario came to. Ratios are new to old, taken pair by pair.
    """

    old_per_s: Spread
    new_per_s: Spread
    plain: Spread
    equal_cpu: Spread

    @property
    def holds(self) -> bool:
        """
        Tell whether the new commit keeps to the limit, by the clock and by CPU second.
        """
        return min(self.plain.middle, self.equal_cpu.middle) >= LIMIT


def compare(pairs: Iterable[Pair]) -> dict[str, Compared]:
    """
    Gather pairs by their scenario.
    """
    gathered: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        gathered[pair.old.scenario].append(pair)
    return {name: _compared(found) for name, found in gathered.items()}


def render(compared: dict[str, Compared], old_commit: str) -> str:
    """
    Write the report for people.
    """
    lines = [
        f"This checkout against {old_commit:.12}; at least {LIMIT:.2f} is asked for.",
        "Median of the pairs (least to greatest).",
        "",
        f"{'':<16}{'old':>8}{'new':>10}   {'plain':<24}{'by CPU second':<24}",
    ]
    lines += [
        f"{name:<16}{found.old_per_s.middle:>6,.0f}/s{found.new_per_s.middle:>8,.0f}/s"
        f"   {_spread(found.plain):<24}{_spread(found.equal_cpu):<24}"
        f"{'holds' if found.holds else 'TOO SLOW'}"
        for name, found in compared.items()
    ]
    return "\n".join(lines)


def _compared(pairs: list[Pair]) -> Compared:
    return Compared(
        old_per_s=_of([pair.old.operations_per_s for pair in pairs]),
        new_per_s=_of([pair.new.operations_per_s for pair in pairs]),
        plain=_of(
            [pair.new.operations_per_s / pair.old.operations_per_s for pair in pairs]
        ),
        equal_cpu=_of(
            [
                pair.new.operations_per_cpu_s / pair.old.operations_per_cpu_s
                for pair in pairs
            ]
        ),
    )


def _of(values: list[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def _spread(found: Spread) -> str:
    return f"{found.middle:.2f} ({found.least:.2f} to {found.greatest:.2f})"
