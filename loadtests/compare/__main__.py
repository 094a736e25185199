"""
`python -m loadtests.compare`: has Redeem slowed since an old commit?

Both run on this machine at the same time, each with stores of its own; load falls on
one and on the other in turn (A B A B …), so that what else the machine does falls on
both. The load generator is this checkout's for both. The exit code tells whether the
medians keep to the limit.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Final

from loadtests.bench.runs import Measured, Scenario, measure_gateway
from loadtests.compare.checkout import old_checkout, this_checkout
from loadtests.compare.kept import KeptSystem
from loadtests.compare.report import LIMIT, Pair, compare, render

# The end of the first issue: money moves, and nothing that came later slows it down.
FIRST_ISSUE: Final = "4f8ffad01af47af5a7641f9be26d936bc617adbf"

SCENARIOS: Final = (
    Scenario(name="unary 64", mode="unary", in_flight=64, connections=4),
    Scenario(name="stream 256", mode="stream", in_flight=256),
)


def main() -> int:
    """
    Run the comparison and write its report.
    """
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="scrip-compare-"))
    # As root the stores run as another user, who must be able to pass.
    folder.chmod(0o711)
    pairs: list[Pair] = []
    try:
        with ExitStack() as stack:
            commit = options.old
            checkout = old_checkout(commit, folder / "checkout", _say)
            old, new = (
                KeptSystem(name, where, folder / name, options.cards)
                for name, where in (
                    ("old", stack.enter_context(checkout)),
                    ("new", this_checkout()),
                )
            )
            for system in (old, new):
                stack.callback(system.stop)
            for system in (old, new):
                system.wait()
            # What runs first on a fresh start is slow; the first round does not count.
            for number in range(options.rounds + 1):
                _say(
                    f"round {number} of {options.rounds}" if number else "no round yet"
                )
                ran = [
                    Pair(
                        old=_run(old, scenario, options),
                        new=_run(new, scenario, options),
                    )
                    for scenario in SCENARIOS
                ]
                pairs += ran if number else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    compared = compare(pairs)
    print(render(compared, options.old))
    report = {
        "machine": f"{platform.machine()} {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "old": options.old,
        "limit": LIMIT,
        "ratios": {
            name: {
                "plain": found.plain._asdict(),
                "equal_cpu": found.equal_cpu._asdict(),
                "holds": found.holds,
            }
            for name, found in compared.items()
        },
        "runs": [asdict(run) for pair in pairs for run in pair],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    _say(f"written to {options.out}")
    return 0 if all(found.holds for found in compared.values()) else 1


def _run(
    system: KeptSystem, scenario: Scenario, options: argparse.Namespace
) -> Measured:
    run = measure_gateway(
        system, scenario, seconds=options.seconds, warm_up_s=options.warm_up
    )
    _say(
        f"{run.system}, {run.scenario}: {run.operations_per_s:,.0f}/s, "
        f"{run.operations_per_cpu_s:,.0f} a CPU second"
    )
    return run


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.compare")
    parser.add_argument("--old", default=FIRST_ISSUE, help="the commit to compare with")
    parser.add_argument("--cards", type=int, default=10_000, help="on each of both")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of each scenario")
    parser.add_argument("--seconds", type=int, default=8, help="length of one run")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds not counted")
    parser.add_argument("--out", type=Path, default=Path("build/bench-compare.json"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
