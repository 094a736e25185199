"""
A supervisor with one worker, as a program that can be killed.

Arguments: what the worker does, and a folder for its notes.
"""

import sys
from pathlib import Path

from gateway.runtime.logging import configure_logging
from gateway.runtime.processes import Supervisor, WorkerProgram
from gateway.runtime.settings_groups import LoggingSettings, SupervisorSettings

WORKER = Path(__file__).with_name("worker.py")


def main() -> None:
    """
    Supervise until stopped; say when the worker is ready.
    """
    configure_logging(LoggingSettings())
    program = WorkerProgram(
        name="worker-0",
        command=[sys.executable, "-I", "-S", str(WORKER), *sys.argv[1:]],
        environment={},
    )
    supervisor = Supervisor(
        [program],
        SupervisorSettings(stop_grace_s=1),
        when_ready=lambda: print("ready", flush=True),
    )
    sys.exit(supervisor.run())


if __name__ == "__main__":
    main()
