"""
`python -m loadtests.bench`: measure the gateway and the limit side by side.

Runs are interleaved (A B A B …), so that what else the machine does falls on both.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from loadtests.bench.report import RATIOS, render, summarize
from loadtests.bench.runs import Measured, Scenario, measure
from loadtests.bench.system import System

SCENARIOS = [
    Scenario(name="limit 64", mode="limit", in_flight=64),
    Scenario(name="unary 64", mode="unary", in_flight=64, connections=4),
    Scenario(name="stream 256", mode="stream", in_flight=256),
    Scenario(name="limit 16", mode="limit", in_flight=16),
    Scenario(name="unary 16", mode="unary", in_flight=16, connections=4),
    Scenario(name="limit 1", mode="limit", in_flight=1),
    Scenario(name="unary 1", mode="unary", in_flight=1),
    Scenario(name="hot unary 64", mode="unary", in_flight=64, connections=4, cards=1),
    Scenario(name="hot stream 256", mode="stream", in_flight=256, cards=1),
    Scenario(
        name="balance 64",
        mode="unary",
        in_flight=64,
        connections=4,
        operation="balance",
    ),
    Scenario(
        name="bound unary 64",
        mode="unary",
        in_flight=64,
        connections=4,
        restricted=True,
    ),
    Scenario(name="bound stream 256", mode="stream", in_flight=256, restricted=True),
    # An operation is one of the two: an Authorize, or the Capture of it.
    Scenario(
        name="hold unary 64",
        mode="unary",
        in_flight=64,
        connections=4,
        operation="hold",
    ),
    Scenario(name="hold stream 256", mode="stream", in_flight=256, operation="hold"),
]
MANY = [
    scenario
    for scenario in SCENARIOS
    if scenario.name in {"limit 64", "unary 64", "stream 256"}
]


def main() -> int:
    """
    Run the benchmark and write its report.
    """
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="scrip-bench-"))
    systems: list[tuple[System, list[Scenario]]] = [
        (
            System(
                folder / "few", cards=options.few_cards, restricted=options.few_cards
            ),
            SCENARIOS,
        )
    ]
    if options.many_cards:
        many = System(folder / "many", cards=options.many_cards)
        systems.append((many, MANY))
    runs: list[Measured] = []
    try:
        for system, _ in systems:
            system.start(_say)
        for number in range(1, options.rounds + 1):
            _say(f"round {number} of {options.rounds}")
            runs += _round(systems, options.seconds, options.warm_up)
    finally:
        for system, _ in systems:
            system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    summary = summarize(runs)
    print(render(summary))
    report = {
        "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "ratios": {name: ratio(summary) for name, ratio in RATIOS.items()},
        "runs": [asdict(run) for run in runs],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    _say(f"written to {options.out}")
    return 0


def _round(
    systems: list[tuple[System, list[Scenario]]], seconds: int, warm_up_s: int
) -> list[Measured]:
    """
    Run each scenario once; the same one on both systems side by side.
    """
    done = []
    for scenario in SCENARIOS:
        for system, wanted in systems:
            if scenario in wanted:
                run = measure(system, scenario, seconds=seconds, warm_up_s=warm_up_s)
                _say(
                    f"{system.name}, {scenario.name}: {run.operations_per_s:,.0f}/s, "
                    f"{run.operations_per_cpu_s:,.0f} a CPU second"
                )
                done.append(run)
    return done


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench")
    parser.add_argument("--few-cards", type=int, default=10_000)
    parser.add_argument(
        "--many-cards", type=int, default=1_000_000, help="0 leaves this part out"
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each scenario")
    parser.add_argument("--seconds", type=int, default=8, help="length of one run")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds not counted")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
