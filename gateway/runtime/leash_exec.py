"""
Become another program that ends when our parent does; run as a script.

Started by `leash.py` in a new interpreter, because Python code between fork and exec
is not safe beside threads.  Imports only what starts at once.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """
    Give up rights and cores, ask the kernel for the signal, execute the program.
    """
    parent, death_signal, user, group, *command = sys.argv[1:]
    # As gateway.runtime.core_dumps, which cannot be imported here.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if user != "-":
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))
    if sys.platform == "linux":
        # After the change of user, which would clear it.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
        if os.getppid() != int(parent):
            sys.exit("the parent has ended already")
    # The interpreter ignores these two; the program shall start with the defaults.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606 - the command is ours
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
