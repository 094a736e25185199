"""
Keep what was asked in the stories and what came of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from currency import Currency, Money
from till.answer import Answer
from till.requests import (
    Activate,
    Advice,
    Capture,
    CashOut,
    Load,
    Redeem,
    Refund,
    Request,
    Void,
)
from till.stories.desk import StaffRequest
from till.stories.steps import Keep, Step, Story

MAX_DIFFERENCES: Final = 1_000
# What the money of an approval is called in the summary.
_KINDS: Final = {
    Activate: "loaded",
    Load: "loaded",
    Redeem: "paid",
    Advice: "paid",
    Capture: "paid",
    Refund: "given back",
    Void: "given back",
    CashOut: "paid out",
}


@dataclass(frozen=True, slots=True)
class Played:
    """
    Be a step that was answered.
    """

    step: Step
    request: Request | StaffRequest
    answer: Answer


@dataclass(slots=True)
class Record:
    """
    Gather the answers of all stories, and all that was not as expected.
    """

    stories: Sequence[Story]
    played: list[Played] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    difference_count: int = 0

    def differs(self, what: str) -> None:
        """
        Note something that is not as expected; the first thousand in words.
        """
        self.difference_count += 1
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(what)

    def of(self, story: Story) -> Iterator[Played]:
        """
        Give the answered steps of a story.
        """
        return (each for each in self.played if each.step.story == story.name)

    def results(self, story: Story) -> Counter[tuple[str, str]]:
        """
        Count a story's answers by operation and result.
        """
        return Counter(
            (type(each.request).__name__, each.answer.result.name)
            for each in self.of(story)
        )

    def money(self, story: Story) -> dict[tuple[str, Currency], MoneyMoved]:
        """
        Add up what a story moved, by kind and currency, here and on the cards.

        What was taken back while it was offline is left out: it came to nothing,
        approved first or not.
        """
        moved: dict[tuple[str, Currency], MoneyMoved] = {}
        for each in self.of(story):
            kind = _KINDS.get(type(each.request))
            record = each.answer.conversion
            act = each.step.act
            taken_back = isinstance(act, Keep) and act.expected is None
            if kind is None or record is None or not each.answer.approved or taken_back:
                continue
            amount, on_card = record.transaction_amount, record.card_amount
            key = kind, amount.currency
            before = moved.get(key)
            moved[key] = (
                MoneyMoved(1, amount, on_card)
                if before is None
                else MoneyMoved(
                    before.count + 1, before.amount + amount, before.on_card + on_card
                )
            )
        return moved


@dataclass(frozen=True, slots=True)
class MoneyMoved:
    """
    Be money that answers of one kind moved: in a till's currency and on the cards.
    """

    count: int
    amount: Money
    on_card: Money
