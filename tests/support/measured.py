"""
Runs of the benchmark that nobody ran.
"""

from loadtests.bench.runs import Measured


def measured(
    scenario: str, per_s: float, *, cpu_us: float = 1_000, system: str = "few"
) -> Measured:
    """
    Make one run with its throughput, and the CPU time of one operation.
    """
    return Measured(
        scenario=scenario,
        system=system,
        operations=1,
        operations_per_s=per_s,
        cpu_us={"gateway-1": cpu_us * 0.75, "postgres": cpu_us * 0.25},
        generator_cpu_us=100,
        wal_bytes=1_400,
        commits=0.1,
        p50_ms=40,
        p99_ms=80,
        peak_mib={"gateway-1": 100},
        results={"RESULT_APPROVED": 1},
    )
