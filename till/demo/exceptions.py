"""
Read the list of exceptions, as people do, and compare it with what the stories left.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from currency import Currency, Money
from till.demo.scrip_command import ScripCommand
from till.simulation.replay import TillName
from till.stories.record import Record
from till.stories.steps import StoryException

_NO_REASON: Final = ""


class Listed(NamedTuple):
    """
    Be an exception as the list has it.
    """

    till: TillName
    kind: str
    reason: str
    amount: Money

    @classmethod
    def of(cls, expected: StoryException) -> Listed:
        """
        Write one that a story expects in the same way.
        """
        reason = _NO_REASON if expected.reason is None else expected.reason.name
        return cls(expected.till, expected.kind, reason, expected.amount)

    def __str__(self) -> str:
        return " ".join((self.kind, self.reason, str(self.amount), "/".join(self.till)))


async def list_exceptions(scrip: ScripCommand) -> list[Listed]:
    """
    List what is open.
    """
    listed = await scrip.must("exceptions", "list", "--json")
    return [
        Listed(
            TillName(row["merchant"], row["store"], row["terminal"]),
            row["kind"],
            row["reason"] or _NO_REASON,
            Money.parse(row["amount"], Currency.of(row["currency"])),
        )
        for row in json.loads(listed.output)
    ]


def compare_exceptions(record: Record, found: Iterable[Listed]) -> None:
    """
    Note what is listed and was not expected, or expected and is not listed.
    """
    wanted = Counter(
        Listed.of(expected) for story in record.stories for expected in story.exceptions
    )
    listed = Counter(found)
    for left in (listed - wanted).elements():
        record.differs(f"listed as an exception, and not expected: {left}")
    for missing in (wanted - listed).elements():
        record.differs(f"expected as an exception, and not listed: {missing}")
