"""
Leave no image of the memory behind: keys and card numbers stand in it.
"""

import resource


def forbid_core_dumps() -> None:
    """
    Let neither this process nor what it starts write a core, whatever the shell allows.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
