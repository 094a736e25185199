"""
Watch which checks a decision makes, while it is made again for an explanation.

The interpreter tells of each call, so the list of checks is what the decision did, not
a second copy of its rules; and a sale, which nobody watches, pays nothing (ADR 0022).
"""

import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any, NamedTuple, TypeVar

_T = TypeVar("_T")

# A function by its module and its name there.
FunctionName = tuple[str, str]


class Call(NamedTuple):
    """
    One call of a watched function: what it was given, and what it gave.
    """

    function: FunctionName
    given: dict[str, Any]
    gave: Any


def watched(
    run: Callable[[], _T], functions: Collection[FunctionName]
) -> tuple[_T, list[Call]]:
    """
    Run something and tell which of these functions it called, in the order of return.

    What one of them calls of the others is its own affair and not told. Only this
    thread is watched, and only until this returns.
    """
    calls: list[Call] = []
    open_calls: list[dict[str, Any]] = []

    # Coverage does not see what runs in the hook.
    def look(  # pragma: no cover
        frame: FrameType, event: str, arg: object
    ) -> None:
        if event not in {"call", "return"}:
            return
        name = (frame.f_globals.get("__name__", ""), frame.f_code.co_qualname)
        if name not in functions:
            return
        if event == "call":
            open_calls.append(dict(frame.f_locals))
            return
        given = open_calls.pop()
        if not open_calls:
            calls.append(Call(name, given, arg))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        result = run()
    finally:
        sys.setprofile(before)
    return result, calls
