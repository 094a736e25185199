"""
The function library, as the server is given it.
"""

from functools import cache
from importlib.resources import files
from typing import Final

ADMIT: Final = "scrip_admit_v1"
PUBLISH: Final = "scrip_publish_v2"
DUE: Final = "scrip_due_v1"
LOAD: Final = "scrip_load_v1"


@cache
def library_code() -> str:
    """
    Read the library from the package's data.
    """
    return (files("gateway.live") / "lua" / "scrip.lua").read_text(encoding="utf-8")
