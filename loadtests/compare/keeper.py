"""
Keep one system of whatever checkout comes first on the path, until nobody listens.

Run by its path, with the folder of the checkout as the working one and first on
PYTHONPATH: the system's stores, schema and workers are then that checkout's own, and
this file is the only one of another. Arguments: a data folder, and how many cards. What
the load needs to know is written as one JSON object; it ends with its standard input.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import psutil

from loadtests.bench.system import System


def main() -> None:
    """
    Start it, tell how to call it, and stop it when we are no longer needed.
    """
    # What is said on the way, by programs it starts too, is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    system = System(Path(sys.argv[1]), cards=int(sys.argv[2]))
    try:
        system.start(lambda text: print(text, file=sys.stderr, flush=True))
        known = {
            "owner_dsn": system.owner_dsn,
            "till": asdict(system.till),
            "pids": {
                **_workers(),
                "postgres": system.postgres.pid,
                "redis": system.valkey.pid,
            },
        }
        print(json.dumps(known), file=answers, flush=True)
        sys.stdin.read()
    finally:
        system.stop()


def _workers() -> dict[str, int]:
    """
    Find the workers among what this process started.
    """
    found = [
        child.pid
        for child in psutil.Process().children()
        if "gateway.worker" in child.cmdline()
    ]
    return {f"gateway-{number}": pid for number, pid in enumerate(found, 1)}


if __name__ == "__main__":
    main()
