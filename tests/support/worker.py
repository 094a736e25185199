"""
A worker program with every way to behave; needs nothing but the interpreter.

Arguments: what to do, a folder for notes, and what the supervisor adds.
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

HOLD_S = 60


def main() -> None:
    """
    Do what the first argument says.
    """
    what, notes = sys.argv[1], Path(sys.argv[2])
    descriptor = int(sys.argv[sys.argv.index("--ready-fd") + 1])
    starts = notes / f"starts-{what}"
    with starts.open("a") as file:
        file.write(f"{os.getpid()}\n")
    if what == "misconfigured":
        sys.exit(78)
    if what == "crash":
        sys.exit(3)
    if what == "crash-once" and starts.read_text().count("\n") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, leave)
    if what != "silent":
        os.write(descriptor, b"ready\n")
    os.close(descriptor)
    time.sleep(HOLD_S)


def leave(number: int, frame: FrameType | None) -> None:
    """
    End in order.
    """
    del number, frame
    sys.exit(0)


if __name__ == "__main__":
    main()
