"""
Mask what may be a card number in text that leaves the process.

The second wall: card numbers are types with a masked `repr` and never reach a log.
What comes in from outside as plain text (an error of a library, a field in which a
till sent the wrong thing) is caught here.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Collection

SHORTEST_NUMBER_DIGITS: Final = 12
TEXT_LIMIT: Final = 16 * 1024
UUID_SIZE: Final = 36
DEPTH_LIMIT: Final = 8

# One separator may stand between two digits, as people write card numbers.
_RUN: Final = r"\d(?:[\s\-\u2010-\u2015]?\d){11,}"
_HEX: Final = "[0-9a-fA-F]"
_UUID: Final = (
    rf"(?<![0-9a-fA-F\-]){_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}(?![0-9a-fA-F\-])"
)
_SUSPECT: Final = re.compile(_RUN)
_UUID_OR_RUN: Final = re.compile(rf"(?P<uuid>{_UUID})|{_RUN}")
HARMLESS: Final = frozenset({int, float, bool, type(None), datetime, UUID})


def redact(text: str) -> str:
    """
    Keep the last four of every run of twelve or more digits.

    Longer runs than a card number's are masked as well: one may be inside.  A UUID
    is left alone, because requests are found by theirs.
    """
    size = len(text)
    if size < SHORTEST_NUMBER_DIGITS or (
        # A UUID and nothing else; most texts of a request line are, and the
        # search below would cost more than all the rest of the line.
        size == UUID_SIZE and text[8] == text[13] == text[18] == text[23] == "-"
    ):
        return text
    if size > TEXT_LIMIT:
        text = f"{text[:TEXT_LIMIT]}... ({size} characters)"
    if _SUSPECT.search(text) is None:
        return text
    return _UUID_OR_RUN.sub(_mask, text)


def redact_value(value: object, *, depth: int = 0) -> object:
    """
    Mask a value of any kind, also inside of what it contains.

    A type that we do not know is shown by its `repr`, which for our secrets is masked.
    """
    kind = type(value)
    if kind in HARMLESS:
        return value
    if isinstance(value, str) and kind is str:
        return redact(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _redact_items(value, depth) if depth < DEPTH_LIMIT else "..."
    return redact(repr(value))


def _redact_items(value: Collection[object], depth: int) -> object:
    if isinstance(value, dict):
        return {
            redact(str(key)): redact_value(item, depth=depth + 1)
            for key, item in value.items()
        }
    return [redact_value(item, depth=depth + 1) for item in value]


def _mask(match: re.Match[str]) -> str:
    if match["uuid"] is not None:
        return match["uuid"]
    digits = [character for character in match[0] if character.isdigit()]
    return "****" + "".join(digits[-4:])
