"""
`python -m loadtests.holds`: let many holds end beside sales, and measure when they do.

What is asked for: 100,000 live holds that end over 60 s beside sales at 70 % of the
bench rate, which is measured first in the same run: 99 % of the RELEASE rows within 2 s
of their time, exactly one each, and sound books. Before it, the same sales run without
a hold that ends: what they differ by is the releases' doing. The exit code tells
whether what is asked for was met.
"""

import argparse
import asyncio
import json
import platform
import shutil
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from gateway.books.check import check_books
from loadtests.bench.runs import Measured, Scenario, measure
from loadtests.bench.system import System
from loadtests.holds.placing import (
    Outcome,
    place,
    seconds_until,
    wait_until_ended,
)

LEAST_IN_TIME = 0.99
SHARE_OF_RATE = 0.7
WARM_UP_S = 2
# The load ends after the last hold, and is counted from before the first.
MARGIN_S = 3
REST_S = 60.0


def main() -> int:
    """
    Run it and print the figures.
    """
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="scrip-holds-"))
    system = System(folder, cards=options.cards)
    try:
        system.start(_say)
        report = _run(system, options)
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(_render(report))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    _say(f"written to {options.out}")
    return 0 if report["met"] else 1


def _run(system: System, options: argparse.Namespace) -> dict[str, Any]:
    most = _sales(system, options, seconds=options.bench_seconds, per_s=None)
    per_s = max(1, round(SHARE_OF_RATE * most.operations_per_s))
    _say(f"bench rate {most.operations_per_s:,.0f}/s; sales at {per_s:,}/s")
    system.start_clerk()
    before = _sales(system, options, seconds=options.bench_seconds, per_s=per_s)
    _say(f"placing {options.holds:,} holds")
    dsn = system.owner_dsn
    start = place(
        dsn,
        cards=options.cards,
        holds=options.holds,
        lead_s=options.lead,
        spread_s=options.spread,
    )
    # A new clerk tells Redis of all holds, as after a loss.
    system.restart_clerk()
    left_s = seconds_until(dsn, start)
    _say(f"the first holds end in {left_s:.0f} s")
    threading.Event().wait(max(0.0, left_s - WARM_UP_S - MARGIN_S))
    seconds = round(options.spread) + 2 * MARGIN_S
    busy_s = _busy_s()
    beside = _sales(system, options, seconds=seconds, per_s=per_s)
    busy_cores = (_busy_s() - busy_s) / (seconds + WARM_UP_S)
    outcome = wait_until_ended(dsn, limit_s=REST_S, say=_say)
    _say("checking the books")
    broken = [found.rule for found in asyncio.run(check_books(dsn))]
    met = (
        outcome.share >= LEAST_IN_TIME and outcome.once == outcome.holds and not broken
    )
    return {
        "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "cards": options.cards,
        "spread_s": options.spread,
        "mode": options.mode,
        "bench_rate": asdict(most),
        "wanted_per_s": per_s,
        "sales_before": asdict(before),
        "sales_beside": asdict(beside),
        "busy_cores": busy_cores,
        "cores": psutil.cpu_count(),
        "outcome": asdict(outcome),
        "broken_rules": broken,
        "clerk": system.clerk_log(),
        "complaints": system.complaints(),
        "met": met,
    }


def _sales(
    system: System, options: argparse.Namespace, *, seconds: int, per_s: int | None
) -> Measured:
    unary = options.mode == "unary"
    scenario = Scenario(
        name=f"{options.mode} sales",
        mode=options.mode,
        in_flight=64 if unary else 256,
        connections=4 if unary else 1,
        per_s=per_s,
    )
    run = measure(system, scenario, seconds=seconds, warm_up_s=WARM_UP_S)
    _say(f"{scenario.name}: {run.operations_per_s:,.0f}/s, p99 {run.p99_ms:.0f} ms")
    return run


def _busy_s() -> float:
    """
    Give the CPU seconds that the whole machine has used.
    """
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def _render(report: dict[str, Any]) -> str:
    outcome = Outcome(**report["outcome"])
    before, beside = report["sales_before"], report["sales_beside"]

    def sales(run: dict[str, Any]) -> str:
        others = {
            name: count
            for name, count in run["results"].items()
            if name != "RESULT_APPROVED"
        }
        return (
            f"{run['operations_per_s']:,.0f}/s, p50 {run['p50_ms']:.1f} ms, "
            f"p99 {run['p99_ms']:.1f} ms, not approved {others or 'none'}"
        )

    def second(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f} s"

    lines = [
        f"holds                {outcome.holds:,} over {report['spread_s']:.0f} s",
        f"cards                {report['cards']:,}",
        f"within 2 s           {100 * outcome.share:.2f} % (99 % wanted)",
        f"exactly one RELEASE  {outcome.once:,} of {outcome.holds:,}",
        f"lag p50 / p90        {second(outcome.p50_s)} / {second(outcome.p90_s)}",
        f"lag p99 / p99.9      {second(outcome.p99_s)} / {second(outcome.p999_s)}",
        f"lag least / most     {second(outcome.least_s)} / {second(outcome.most_s)}",
        f"bench rate           {sales(report['bench_rate'])}",
        f"sales wanted         {report['wanted_per_s']:,}/s",
        f"sales before         {sales(before)}",
        f"sales beside         {sales(beside)}",
        "CPU beside           "
        + ", ".join(
            f"{name} {us * beside['operations_per_s'] / 1e6:.2f}"
            for name, us in beside["cpu_us"].items()
        )
        + f", generator "
        f"{beside['generator_cpu_us'] * beside['operations_per_s'] / 1e6:.2f} cores",
        f"whole machine        {report['busy_cores']:.2f} of {report['cores']} cores",
        f"books check          {', '.join(report['broken_rules']) or 'sound'}",
        "",
        "what was asked for was " + ("met" if report["met"] else "NOT met"),
    ]
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.holds")
    parser.add_argument("--holds", type=int, default=100_000)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument(
        "--spread", type=float, default=60.0, help="seconds over which holds end"
    )
    parser.add_argument(
        "--lead", type=float, default=60.0, help="seconds to place them all before"
    )
    parser.add_argument("--mode", choices=("unary", "stream"), default="unary")
    parser.add_argument("--bench-seconds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("build/bench-holds.json"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
