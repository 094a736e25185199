"""
Room for a connection of every till.

A shell or a service manager mostly grants 1,024 open files, and as many more as a
program asks for: each till keeps a connection open, and one file is needed for each.
"""

import resource
from typing import Final

# More connections than one process could serve; no system has to grant more.
WANTED: Final = 65_536


def allow_open_files() -> int:
    """
    Raise this process's limit as far as it may be; give what it is now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = WANTED if hard == unlimited else min(WANTED, hard)
    if soft == unlimited or soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        # macOS says that there is no limit and grants less all the same.
        return soft
    return wanted
