"""
Write a story's steps, and count beside them what its cards have to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from currency import Currency, Money, RateBook
from till.card_number import CardNumber
from till.codes import CurrentState, EntryMode, Result
from till.pin import Pin
from till.requests import Advice, Request, Reverse, TillContext
from till.simulation.plan import SEED, local_amount
from till.simulation.purchases import FIRST_DAY
from till.simulation.replay import TillName
from till.stories.desk import StaffRequest
from till.stories.places import store_of
from till.stories.purse import Purse
from till.stories.steps import (
    Act,
    Ask,
    AskStaff,
    Expected,
    Keep,
    Step,
    Story,
    StoryException,
)

DOLLAR: Final = Currency.of("USD")


class HeldCard(NamedTuple):
    """
    Be a card in somebody's hands, with its PIN if it has one.
    """

    number: CardNumber
    pin: Pin | None = None


Wallet = Mapping[str, HeldCard]


@dataclass(slots=True)
class Script:
    """
    Gather the steps of one story.

    Request ids follow from the seed and the words of a step, which are its name.
    """

    name: str
    title: str
    rates: RateBook
    wallet: Wallet
    steps: list[Step] = field(default_factory=list)
    purses: dict[str, Purse] = field(default_factory=dict)
    ends_as: dict[UUID, CurrentState] = field(default_factory=dict)
    exceptions: list[StoryException] = field(default_factory=list)

    def purse(self, holder: str) -> Purse:
        """
        Give the purse of a holder: one card each.
        """
        if holder not in self.purses:
            card = self.wallet[holder]
            self.purses[holder] = Purse(holder, card.number, card.pin)
        return self.purses[holder]

    def scene(self, till: TillName, day: int, hour: int) -> Scene:
        """
        Open a scene at a till, at a full hour there on a day of the demo, from 1 on.
        """
        zone = ZoneInfo(store_of(till).country.time_zone)
        there = datetime.combine(day_of(day), time(hour), tzinfo=zone)
        return Scene(self, till, there.astimezone(UTC))

    def request_id(self, says: str) -> UUID:
        """
        Make the request id of a step.
        """
        chance = Random(f"{SEED}/{self.name}/{says}")
        return UUID(int=chance.getrandbits(128), version=4)

    def end(self) -> Story:
        """
        Give the story.
        """
        return Story(
            name=self.name,
            title=self.title,
            steps=tuple(sorted(self.steps, key=lambda step: step.at)),
            purses=tuple(self.purses.values()),
            ends_as=dict(self.ends_as),
            exceptions=tuple(self.exceptions),
        )


def day_of(day: int) -> date:
    """
    Give a day of the demo, the first being 1.
    """
    return FIRST_DAY + timedelta(days=day - 1)


@dataclass(frozen=True, slots=True)
class Scene:
    """
    Be at a till at an hour, and write what is asked there.
    """

    script: Script
    till: TillName
    at: datetime

    def local(self, cents: int) -> Money:
        """
        Express cents of a card in the till's money at the hour's rate.
        """
        currency = store_of(self.till).country.currency
        return local_amount(cents, currency, self.script.rates, self.at)

    def context(self, says: str) -> TillContext:
        """
        Give what the till adds of its own.
        """
        zone = ZoneInfo(store_of(self.till).country.time_zone)
        return TillContext(
            merchant_reference=f"{self.script.name}: {says}"[:64],
            entry_mode=EntryMode.SCANNED,
            local_time=self.at.astimezone(zone).isoformat(),
        )

    def add(self, says: str, act: Act) -> None:
        """
        Write a step, which has a name of its own.
        """
        if any(says == step.says for step in self.script.steps):
            raise ValueError(f"{self.script.name}: two steps are called {says!r}")
        self.script.steps.append(
            Step(story=self.script.name, at=self.at, says=says, act=act)
        )

    def ask(self, says: str, request: Request, expected: Expected) -> None:
        """
        Write that the till asks, and how what is recorded of it has to end.
        """
        self.add(says, Ask(till=self.till, request=request, expected=expected))
        self._expect_to_end(request.request_id, expected)

    def ask_staff(self, says: str, request: StaffRequest, expected: Expected) -> None:
        """
        Write that a member of the staff asks, whose desk this is.
        """
        self.add(says, AskStaff(desk=self.till, request=request, expected=expected))
        self._expect_to_end(request.request_id, expected)

    def keep(
        self, says: str, request: Advice | Reverse, expected: Expected | None
    ) -> None:
        """
        Write that the till keeps what it will tell when it is connected again.
        """
        self.add(says, Keep(till=self.till, request=request, expected=expected))
        if expected is not None:
            self._expect_to_end(request.request_id, expected)

    def _expect_to_end(self, request_id: UUID | None, expected: Expected) -> None:
        if request_id is not None:
            self.script.ends_as[request_id] = (
                CurrentState.POSTED
                if expected.result in {Result.APPROVED, Result.APPROVED_PARTIAL}
                else CurrentState.DECLINED
            )


def approved(purse: Purse, amount: Money | None = None) -> Expected:
    """
    Expect an approval, with the balances that the purse has by now.
    """
    return Expected(
        result=Result.APPROVED,
        approved=amount,
        available_cents=purse.available_cents,
        ledger_cents=purse.ledger_cents,
        held_cents=purse.held_cents,
    )


def declined(
    result: Result, purse: Purse | None = None, *, sentence: str = ""
) -> Expected:
    """
    Expect a decline; it tells balances only where a purse is given.
    """
    return Expected(
        result=result,
        available_cents=None if purse is None else purse.available_cents,
        ledger_cents=None if purse is None else purse.ledger_cents,
        held_cents=None if purse is None else purse.held_cents,
        sentence=sentence,
    )
