"""
One outage under load, cut into spans.
"""

import json
import subprocess
import sys
import time
from bisect import bisect_left
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import IO, Any, NamedTuple

from loadtests.bench.system import System, seed
from loadtests.bench.usage import Meter, spent

WARM_UP_S = 2
SETTLED_S = 2.0
_PERCENT = 100
_END_TIMEOUT_S = 60


class Span(NamedTuple):
    """
    What was answered between two moments.

    `per_cpu_s` is by CPU second of the gateway and Postgres: what else the machine did
    meanwhile does not show in it.
    """

    per_s: float
    per_cpu_s: float
    p50_ms: float
    p99_ms: float
    longest_ms: float


class Mark(NamedTuple):
    """
    A moment, and the CPU used until then.
    """

    moment_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """
    One run: before the kill, while Redis was away, right after its return, and later.

    `right_after` are the first 2 s from the moment at which it was started again.
    """

    mode: str
    killed: bool
    before: Span
    away: Span
    right_after: Span
    later: Span
    results: dict[str, int]

    @property
    def share(self) -> float:
        """
        Tell what part of the throughput before was there right after the return.
        """
        return self.right_after.per_s / self.before.per_s

    @property
    def share_per_cpu_s(self) -> float:
        """
        Tell the same by CPU second.
        """
        return self.right_after.per_cpu_s / self.before.per_cpu_s

    @property
    def failed(self) -> int:
        """
        Count the calls that were not approved; the load is such that all should be.
        """
        return sum(self.results.values()) - self.results.get("RESULT_APPROVED", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What load, and how long each part of a run lasts.

    Without `kills` everything is the same but that Redis stays: how much a run differs
    from itself on this machine.
    """

    mode: str
    kills: bool
    in_flight: int
    connections: int
    before_s: float
    away_s: float
    after_s: float

    @property
    def seconds(self) -> float:
        """
        How long the load lasts.
        """
        return self.before_s + self.away_s + self.after_s


def run_outage(system: System, plan: Plan) -> Outage:
    """
    Kill Redis under load, and bring it back empty; or let the same time pass.

    Raises:
        RuntimeError: a call ended without an answer, or the generator failed.

    """
    orders = asdict(system.till) | {
        "mode": plan.mode,
        "operation": "redeem",
        "in_flight": plan.in_flight,
        "connections": plan.connections,
        "seconds": plan.seconds,
        "warm_up_s": WARM_UP_S,
        "seed": seed(),
    }
    load = subprocess.Popen(
        [sys.executable, "-m", "loadtests.redis_outage.timeline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stdin, stdout, stderr = _pipes(load)
    stdin.write(json.dumps(orders).encode())
    stdin.close()
    _expect(stderr, b"counting")
    meters = [meter for name, meter in system.meters.items() if name != "redis"]
    began = _mark(meters)
    time.sleep(plan.before_s)
    killed = _mark(meters)
    if plan.kills:
        system.valkey.kill()
    time.sleep(plan.away_s)
    back = _mark(meters)
    if plan.kills:
        system.valkey.start()
    time.sleep(max(0.0, back.moment_s + SETTLED_S - time.monotonic()))
    settled = _mark(meters)
    _expect(stderr, b"counted")
    ended = _mark(meters)
    report: dict[str, Any] = json.loads(stdout.read() or b"{}")
    failure = stderr.read().decode()
    load.wait(timeout=_END_TIMEOUT_S)
    if not report or failure:
        message = f"a call had no answer, or the load generator failed:\n{failure}"
        raise RuntimeError(message)
    return Outage(
        mode=plan.mode,
        killed=plan.kills,
        before=_span(report, began, killed),
        away=_span(report, killed, back),
        right_after=_span(report, back, settled),
        later=_span(report, settled, ended),
        results=report["results"],
    )


def _mark(meters: list[Meter]) -> Mark:
    return Mark(time.monotonic(), spent(meters))


def _span(report: dict[str, Any], began: Mark, ended: Mark) -> Span:
    """
    Gather the answers that came in a span: what waits through it counts where it ends.
    """
    moments = report["moments_s"]
    first = bisect_left(moments, began.moment_s)
    last = bisect_left(moments, ended.moment_s)
    latencies = [second * 1_000 for second in report["latencies_s"][first:last]]
    length_s = ended.moment_s - began.moment_s
    if len(latencies) < _PERCENT:
        message = f"{len(latencies)} answers in {length_s:.1f} s: too few"
        raise RuntimeError(message)
    cuts = quantiles(latencies, n=_PERCENT)
    return Span(
        per_s=len(latencies) / length_s,
        per_cpu_s=len(latencies) / (ended.cpu_s - began.cpu_s),
        p50_ms=cuts[49],
        p99_ms=cuts[98],
        longest_ms=max(latencies),
    )


def _pipes(
    process: subprocess.Popen[bytes],
) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        message = "the load generator has no pipes"
        raise RuntimeError(message)
    return process.stdin, process.stdout, process.stderr


def _expect(stream: IO[bytes], word: bytes) -> None:
    line = stream.readline()
    if line.strip() != word:
        message = f"the load generator failed\n{(line + stream.read()).decode()}"
        raise RuntimeError(message)
