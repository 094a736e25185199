"""
The limit to beat: pgbench, one stored-function transaction per redemption.
"""

import re
import subprocess
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

_TPS = re.compile(r"tps = ([0-9.]+)")
_LATENCY = re.compile(r"latency average = ([0-9.]+) ms")
_TRANSACTIONS = re.compile(r"number of transactions actually processed: (\d+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRun:
    """
    What one run of pgbench came to.
    """

    operations: int
    operations_per_s: float
    average_ms: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    Which rows pgbench redeems from.
    """

    first_card: int
    last_card: int
    terminal: int
    merchant: int
    store: int


def run_limit(
    pgbench: Path,
    *,
    environment: dict[str, str],
    target: Target,
    clients: int,
    seconds: int,
) -> LimitRun:
    """
    Run pgbench over the server's own socket, statements prepared.
    """
    script = resources.files("loadtests.bench") / "sql" / "limit.pgbench"
    command = [
        str(pgbench), "--no-vacuum", "--protocol=prepared", f"--client={clients}",
        f"--jobs={min(clients, 2)}", f"--time={seconds}", f"--file={script}",
    ]  # fmt: skip
    command += [f"--define={name}={value}" for name, value in asdict(target).items()]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = (process.communicate(timeout=seconds + 60)[0] or b"").decode()
    if process.returncode or _number(_FAILED, output):
        message = f"pgbench failed:\n{output}"
        raise RuntimeError(message)
    return LimitRun(
        operations=int(_number(_TRANSACTIONS, output)),
        operations_per_s=_number(_TPS, output),
        average_ms=_number(_LATENCY, output),
        cpu_s=0.0,
    )


def _number(pattern: re.Pattern[str], output: str) -> float:
    found = pattern.search(output)
    if found is None:
        message = f"pgbench did not say {pattern.pattern}:\n{output}"
        raise RuntimeError(message)
    return float(found[1])
