"""
From runs to medians, spreads and ratios.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple

from loadtests.bench.runs import Measured


class Spread(NamedTuple):
    """
    A median with the least and the greatest of its runs.
    """

    middle: float
    least: float
    greatest: float


class Line(NamedTuple):
    """
    What a scenario came to on one system, over its runs.
    """

    per_s: Spread
    per_cpu_s: Spread
    cpu_us: dict[str, float]
    generator_cpu_us: float
    wal_bytes: float
    commits: float
    p50_ms: float | None
    p99_ms: float | None
    peak_mib: dict[str, float]


Summary = dict[tuple[str, str], Line]


def summarize(runs: Iterable[Measured]) -> Summary:
    """
    Gather runs by system and scenario.
    """
    gathered: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    for run in runs:
        gathered[run.system, run.scenario].append(run)
    return {name: _line(found) for name, found in gathered.items()}


def _line(runs: list[Measured]) -> Line:
    return Line(
        per_s=_spread([run.operations_per_s for run in runs]),
        per_cpu_s=_spread([run.operations_per_cpu_s for run in runs]),
        cpu_us={
            name: median([run.cpu_us[name] for run in runs]) for name in runs[0].cpu_us
        },
        generator_cpu_us=median([run.generator_cpu_us for run in runs]),
        wal_bytes=median([run.wal_bytes for run in runs]),
        commits=median([run.commits for run in runs]),
        p50_ms=_known([run.p50_ms for run in runs]),
        p99_ms=_known([run.p99_ms for run in runs]),
        peak_mib={
            name: max(run.peak_mib[name] for run in runs) for name in runs[0].peak_mib
        },
    )


def _spread(values: list[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def _known(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


Ratio = Callable[[Summary], dict[str, float] | None]


def _against(measured: str, limit: str) -> Ratio:
    def ratio(summary: Summary) -> dict[str, float] | None:
        few = next(iter(summary))[0]
        if (few, measured) not in summary or (few, limit) not in summary:
            return None
        return _quotient(summary, (few, measured), (few, limit))

    return ratio


def _many_to_few(scenario: str) -> Ratio:
    def ratio(summary: Summary) -> dict[str, float] | None:
        systems = list(dict.fromkeys(system for system, _ in summary))
        if len(systems) == 1:
            return None
        return _quotient(summary, (systems[1], scenario), (systems[0], scenario))

    return ratio


def _quotient(
    summary: Summary, over: tuple[str, str], under: tuple[str, str]
) -> dict[str, float]:
    first, second = summary[over], summary[under]
    return {
        "plain": first.per_s.middle / second.per_s.middle,
        "equal_cpu": first.per_cpu_s.middle / second.per_cpu_s.middle,
    }


RATIOS: dict[str, Ratio] = {
    "redeem unary, 1 in flight, to the limit at 1 client": _against(
        "unary 1", "limit 1"
    ),
    "redeem unary, 16 in flight, to the limit at 16": _against("unary 16", "limit 16"),
    "redeem unary, 64 in flight, to the limit at 64": _against("unary 64", "limit 64"),
    "redeem over Transact, 256, to the limit at 64": _against("stream 256", "limit 64"),
    "one hot card to spread cards, unary 64": _against("hot unary 64", "unary 64"),
    "one hot card to spread cards, Transact 256": _against(
        "hot stream 256", "stream 256"
    ),
    "heavily restricted cards to plain ones, unary 64": _against(
        "bound unary 64", "unary 64"
    ),
    "heavily restricted cards to plain ones, Transact 256": _against(
        "bound stream 256", "stream 256"
    ),
    "an Authorize or its Capture to a Redeem, unary 64": _against(
        "hold unary 64", "unary 64"
    ),
    "an Authorize or its Capture to a Redeem, Transact 256": _against(
        "hold stream 256", "stream 256"
    ),
    "many cards to few, unary 64": _many_to_few("unary 64"),
    "many cards to few, Transact 256": _many_to_few("stream 256"),
    "many cards to few, the limit at 64": _many_to_few("limit 64"),
}


def render(summary: Summary) -> str:
    """
    Write the report for people.
    """
    lines = [
        "Median of the runs (least to greatest). CPU: microseconds an operation.",
        "",
    ]
    for (system, scenario), line in summary.items():
        parts = ", ".join(f"{name} {us:,.0f}" for name, us in line.cpu_us.items())
        lines.append(
            f"{system:>16}  {scenario:<15} {line.per_s.middle:>7,.0f}/s "
            f"({line.per_s.least:,.0f} to {line.per_s.greatest:,.0f})  "
            f"{line.per_cpu_s.middle:>6,.0f} a CPU second "
            f"({line.per_cpu_s.least:,.0f} to {line.per_cpu_s.greatest:,.0f})"
        )
        lines.append(
            f"{'':>18}CPU: {parts}; generator {line.generator_cpu_us:,.0f}; "
            f"WAL {line.wal_bytes:,.0f} bytes and {line.commits:.3f} commits each; "
            f"{_latency(line)}; peak {_memory(line)}"
        )
    lines += ["", f"{'ratio':<55}{'plain':>8}{'at equal CPU':>15}"]
    for name, ratio in RATIOS.items():
        found = ratio(summary)
        if found is not None:
            lines.append(f"{name:<55}{found['plain']:>8.2f}{found['equal_cpu']:>15.2f}")
    return "\n".join(lines)


def _latency(line: Line) -> str:
    if line.p50_ms is None:
        return "no latency"
    if line.p99_ms is None:
        return f"mean {line.p50_ms:.1f} ms"
    return f"p50 {line.p50_ms:.1f} ms, p99 {line.p99_ms:.1f} ms"


def _memory(line: Line) -> str:
    return ", ".join(f"{name} {mib:,.0f} MiB" for name, mib in line.peak_mib.items())
