"""
What a hold in another currency counts for a day, over midnights and replaced cards.

Rounding shifts what an increment is worth while others come and go, so that what is
given back is not always what was counted. The model keeps what each of them counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.domain.cards import CardState
from gateway.domain.commands import CardRef
from gateway.domain.ids import CardId
from gateway.domain.limits import UNUSED
from gateway.domain.results import Channel, Result
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Hints, RestartError
from gateway.engine.items import Item
from tests.support import world
from tests.support.desks import AMIRA
from tests.support.engine_world import CONTROLLER
from tests.support.fake_ports import at_once
from tests.support.held_world import authorize, increment
from tests.support.lives import block, new, take_place
from tests.support.staffed import asked_at_desk, staffed

if TYPE_CHECKING:
    import asyncio

    from gateway.domain.commands import MoneyCommand
    from gateway.engine.answers import Answer

EXAMPLES: Final = 300
OPENING: Final = 100_00
PLACED: Final = 105
# A line of cards, each to take the place of the one before.
CARDS: Final = 4
# The hold lives for a week.
MOST_DAYS: Final = 6
MOST_RESTARTS: Final = 2
PER_FILS: Final = Decimal(world.R1["KWD"]) / 10


class Step(NamedTuple):
    """
    One thing that happens, with a number that it may need.
    """

    kind: str
    number: int = 0


class Where(NamedTuple):
    """
    The card and the day on which something is counted.
    """

    card: int
    day: int


# Where the hold is placed.
FIRST: Final = Where(1, 0)


@dataclass
class More:
    """
    An increment that stands, and what it counted where.
    """

    key: int
    minor: int
    counted: int
    where: Where


@dataclass
class Model:
    """
    The hold, and what is counted on each card's days.
    """

    here: Where = FIRST
    minor: int = PLACED
    more: list[More] = field(default_factory=list)
    counted: dict[Where, int] = field(default_factory=dict)

    def count(self, cents: int) -> None:
        """
        Count something here.
        """
        self.counted[self.here] = self.counted.get(self.here, 0) + cents

    def enlarge(self, key: int, minor: int) -> None:
        """
        Count what the hold is worth more.
        """
        cents = _cents(self.minor + minor) - _cents(self.minor)
        self.minor += minor
        self.more.append(More(key, minor, cents, self.here))
        self.count(cents)

    def shrink(self, one: More) -> None:
        """
        Give back what came free, where the hold or at least this of it was counted.
        """
        free = _cents(self.minor) - _cents(self.minor - one.minor)
        self.minor -= one.minor
        self.more.remove(one)
        if self.here == FIRST:
            self.count(-free)
        elif one.where == self.here:
            self.count(-min(free, one.counted))


class Days:
    """
    The engine beside the model.
    """

    def __init__(self) -> None:
        waiting = [
            new(card_id=CardId(each), number_index=_index(each))
            for each in range(2, CARDS + 1)
        ]
        self.lane = staffed(world.card(OPENING, loaded_minor=OPENING), *waiting)
        self.model = Model()
        self.keys = 0
        self._ask(authorize(world.amount(PLACED, "KWD"), number=self._key()))
        self.model.count(_cents(PLACED))

    def happen(self, step: Step) -> None:
        """
        Let one thing happen on both sides, and compare the days.
        """
        model = self.model
        match step.kind:
            case "more":
                key = self._key()
                asked = increment(world.amount(step.number, "KWD"), 1, number=key)
                self._ask(asked)
                model.enlarge(key, step.number)
            case "reverse" if model.more:
                one = model.more[step.number % len(model.more)]
                number = self._key()
                self._ask(world.reverse(one.key, number=number, with_card=False))
                model.shrink(one)
            case "sell":
                self._ask(world.redeem(world.amount(step.number), number=self._key()))
                model.count(step.number)
            case "midnight" if model.here.day < MOST_DAYS:
                self.lane.books.clock += timedelta(days=1)
                model.here = model.here._replace(day=model.here.day + 1)
            case "replace" if model.here.card < CARDS:
                number = model.here.card + 1
                self._ask(block(number=self._key()))
                self._ask(take_place(number=self._key(), index=_index(number)))
                model.here = model.here._replace(card=number)
        self._compare()

    def _compare(self) -> None:
        card_id = CardId(self.model.here.card)
        card = self.lane.books.cards[card_id]
        zone = world.policy().programs[world.PROGRAM].time_zone
        today = self.lane.books.clock.astimezone(zone).date()
        used = self.lane.books.uses.get(card_id, UNUSED).on(today)

        assert card.state is CardState.ACTIVE
        assert card.held_minor == _cents(self.model.minor)
        assert used.spend_minor == self.model.counted.get(self.model.here, 0)

    def _key(self) -> int:
        self.keys += 1
        return self.keys

    def _ask(self, command: MoneyCommand) -> None:
        if command.card is not None:
            ref = CardRef(_index(self.model.here.card), "1234")
            command = replace(command, card=ref)
        staff = command.channel is Channel.IVR
        item = Item(
            caller=AMIRA if staff else CONTROLLER,
            command=asked_at_desk(command),
            deadline=0,
            future=cast("asyncio.Future[Answer]", None),
        )
        hints = Hints()
        for _ in range(MOST_RESTARTS + 1):
            try:
                done = at_once(Attempt(self.lane.tools, [item], hints).run())
            except RestartError as restart:
                if restart.refused:
                    raise
            else:
                ((_, answer),) = done.answers
                assert answer.record.result is Result.APPROVED, command
                return
        message = "the batch kept changing"
        raise AssertionError(message)


def _cents(fils: int) -> int:
    return int((fils * PER_FILS).quantize(Decimal(1), ROUND_HALF_UP))


def _index(card: int) -> bytes:
    return world.NUMBER_INDEX if card == 1 else bytes([0x10 + card]) * 32


steps = st.one_of(
    *[st.builds(Step, st.just("more"), st.integers(3, 9))] * 3,
    *[st.builds(Step, st.just("reverse"), st.integers(0, 9))] * 3,
    st.builds(Step, st.just("sell"), st.integers(1, 3)),
    st.builds(Step, st.sampled_from(["midnight", "replace"])),
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(happening=st.lists(steps, max_size=14))
@example([Step("more", 5), Step("replace"), Step("more", 5), *[Step("reverse")] * 2])
@example([Step("more", 5), Step("midnight"), Step("more", 5), *[Step("reverse")] * 2])
def test_no_more_is_given_back_than_was_counted(happening: list[Step]) -> None:
    """
    Whatever comes and goes, the day is what the model counts, and never below zero.
    """
    days = Days()
    for step in happening:
        days.happen(step)
