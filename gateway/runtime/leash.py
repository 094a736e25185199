"""
Start programs that do not outlive us.

On Linux the kernel sends the child a signal when the thread that started it ends,
whatever ended it; elsewhere a child of a killed parent stays until the next start
finds it.  Because it is the thread that counts, only the main thread may start one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.runtime.service_account import Account

_LAUNCHER: Final = Path(__file__).with_name("leash_exec.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    What to run, and how.

    Attributes:
        command: The program's full path and its arguments.
        environment: All of its environment.
        folder: Where it runs; entered before any right is given up, so it may lie
            in a folder that the account cannot enter.
        output: Descriptor for both of its outputs; none: they are ours.
        account: Who it runs as, when that is not us.
        death_signal: What it is sent when we end without having stopped it.
        kept_descriptors: Descriptors it inherits besides.

    """

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    output: int | None = None
    account: Account | None = None
    death_signal: signal.Signals = signal.SIGTERM
    kept_descriptors: Sequence[int] = ()


def start_leashed(program: Program) -> subprocess.Popen[bytes]:
    """
    Start a program in a session of its own; its pid is the program's.

    Raises:
        RuntimeError: Outside of the main thread.

    """
    if threading.current_thread() is not threading.main_thread():
        message = "start it from the main thread: it ends with the thread that did"
        raise RuntimeError(message)
    account = program.account
    user, group = ("-", "-") if account is None else (account.uid, account.gid)
    leash = (os.getpid(), int(program.death_signal), user, group)
    return subprocess.Popen(
        [sys.executable, "-I", "-S", _LAUNCHER, *map(str, leash), *program.command],
        cwd=program.folder,
        env=dict(program.environment),
        stdin=subprocess.DEVNULL,
        stdout=program.output,
        stderr=program.output,
        start_new_session=True,
        pass_fds=program.kept_descriptors,
    )
