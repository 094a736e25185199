"""
`python -m loadtests.redis_outage`: kill Redis under load, bring it back empty.

What is asked for: no failed call, p99 under 250 ms while away, and at least 0.9 of the
throughput before within 2 s of its return. Between the outages the same runs are made
without one: what they differ by is the machine's doing. The exit code tells whether the
medians meet what is asked for, the throughput compared with the runs without an outage.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median

from loadtests.bench.system import System
from loadtests.redis_outage.outage import Outage, Plan, run_outage

MOST_P99_MS = 250
LEAST_SHARE = 0.9
CARDS = 10_000
# Mode, requests in flight, connections.
MODES = (("unary", 64, 4), ("stream", 64, 1))


def main() -> int:
    """
    Run the outages and print their figures.
    """
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="scrip-outage-"))
    system = System(folder, cards=CARDS, workers=options.workers)
    plans = [
        Plan(
            mode=mode,
            kills=kills,
            in_flight=in_flight,
            connections=connections,
            before_s=options.before,
            away_s=options.away,
            after_s=options.after,
        )
        for mode, in_flight, connections in MODES
        for kills in (True, False)
    ]
    outages: list[Outage] = []
    try:
        system.start(_say)
        for number in range(1, options.rounds + 1):
            for plan in plans:
                what = "outage" if plan.kills else "no outage"
                _say(f"round {number} of {options.rounds}: {plan.mode}, {what}")
                outages.append(run_outage(system, plan))
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(one) for one in outages], indent=1))
    _say(f"written to {options.out}")
    met = [
        _tell(
            [one for one in outages if one.mode == mode], f"{mode}, {count} in flight"
        )
        for mode, count, _ in MODES
    ]
    return 0 if all(met) else 1


def _tell(runs: list[Outage], title: str) -> bool:
    """
    Print one mode's figures; tell whether its medians meet what is asked for.
    """
    print(f"\n{title}")
    heads = f"{'redeems/s':>10}{'/CPU s':>8}{'p50 ms':>9}{'p99 ms':>9}{'longest':>9}"
    for one in runs:
        print(f"{'Redis killed' if one.killed else 'Redis stays':14}{heads}")
        for name in ("before", "away", "right_after", "later"):
            span = getattr(one, name)
            print(
                f"{name.replace('_', ' '):14}{span.per_s:>10,.0f}"
                f"{span.per_cpu_s:>8,.0f}{span.p50_ms:>9.1f}{span.p99_ms:>9.1f}"
                f"{span.longest_ms:>9.1f}"
            )
    killed = [one for one in runs if one.killed]
    stayed = [one for one in runs if not one.killed]
    failed = sum(one.failed for one in runs)
    p99 = median(one.away.p99_ms for one in killed)
    ratio = _middle(killed, "share") / _middle(stayed, "share")
    ratio_cpu = _middle(killed, "share_per_cpu_s") / _middle(stayed, "share_per_cpu_s")
    print(f"failed calls: {failed}")
    print(
        f"p99 while away: {p99:.0f} ms (at most {MOST_P99_MS}); in runs without an "
        f"outage {median(one.away.p99_ms for one in stayed):.0f} ms"
    )
    print("throughput in the 2 s after the return, as part of that before:")
    print(f"  with an outage {_spread(killed, 'share')}")
    print(f"  without one    {_spread(stayed, 'share')}")
    print(
        f"  ratio {ratio:.2f}, by CPU second {ratio_cpu:.2f} (at least {LEAST_SHARE})"
    )
    met = not failed and p99 <= MOST_P99_MS and ratio >= LEAST_SHARE
    print("met" if met else "NOT met")
    return met


def _middle(runs: list[Outage], name: str) -> float:
    values: list[float] = [getattr(one, name) for one in runs]
    return median(values)


def _spread(runs: list[Outage], name: str) -> str:
    values = sorted(getattr(one, name) for one in runs)
    return f"{median(values):.2f} [{values[0]:.2f} to {values[-1]:.2f}]"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.redis_outage")
    parser.add_argument("--workers", type=int, default=1, help="gateway processes")
    parser.add_argument("--rounds", type=int, default=3, help="outages of each mode")
    parser.add_argument("--before", type=float, default=6, help="seconds before it")
    parser.add_argument("--away", type=float, default=5, help="seconds without Redis")
    parser.add_argument("--after", type=float, default=6, help="seconds after it")
    parser.add_argument("--out", type=Path, default=Path("build/redis_outage.json"))
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
