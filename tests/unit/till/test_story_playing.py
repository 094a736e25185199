"""
The stories are played step by step, asked for again, and summed up.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from currency import Currency, Money
from tests.unit.till.fake_host import FakeHost
from tests.unit.till.scripted_host import (
    RATES,
    WALLET,
    ScriptedHost,
    planned,
)
from till import CurrentState, Result
from till.client import Sender
from till.demo.exceptions import Listed, compare_exceptions
from till.demo.story_audit import StoryAudit
from till.demo.story_summary import stories_facts, story_tables
from till.simulation.replay import Replay, TillName
from till.stories.desk import Asked
from till.stories.places import (
    AMIRA,
    STORY_STORES,
    till_of,
)
from till.stories.playing import Player
from till.stories.record import Record
from till.stories.steps import Ask, Expected, Step, Story, Upload

TILLS = [
    till_of(store, number)
    for store in STORY_STORES
    for number in range(1, store.tills + 1)
]


class Telling:
    """
    Hold stories that are played at a scripted host.
    """

    def __init__(self, folder: Path) -> None:
        self.record = Record(planned())
        self.host = ScriptedHost(self.record.stories)
        self.folder = folder

    async def play(self) -> None:
        """
        Play all hours in their order, and ask for all of it again.
        """
        senders: dict[TillName, Sender] = dict.fromkeys(TILLS, self.host)
        desks: dict[TillName, Asked] = {AMIRA: self.host}
        player = Player(
            self.record,
            senders=senders,
            desks=desks,
            folder=self.folder,
        )
        for hour in sorted(player.hours):
            await player.play(hour)
        await StoryAudit(
            self.record,
            senders,
            desks,
        ).run()

    def step(self, says: str) -> Step:
        """
        Find a step by its words.
        """
        (found,) = (
            step
            for story in self.record.stories
            for step in story.steps
            if step.says == says
        )
        return found

    def expected(self, says: str) -> Expected:
        """
        Give what a step expects.
        """
        act = self.step(says).act
        assert not isinstance(act, Upload)
        assert act.expected is not None
        return act.expected

    def change(self, says: str, answered: Expected) -> None:
        """
        Let the host answer a step in another way.
        """
        act = self.step(says).act
        assert not isinstance(act, Upload)
        assert act.request.request_id is not None
        self.host.changed[act.request.request_id] = answered


@pytest.fixture
def telling(tmp_path: Path) -> Telling:
    """
    Give stories to be played.
    """
    return Telling(tmp_path)


def steps_of(stories: Collection[Story]) -> list[Step]:
    """
    Give all steps.
    """
    return [step for story in stories for step in story.steps]


async def test_a_host_that_does_as_told_differs_in_nothing(telling: Telling) -> None:
    """
    Every step is asked, also those that were kept while the kiosk was offline.
    """
    await telling.play()

    assert [] == telling.record.differences
    asked = [
        step
        for step in steps_of(telling.record.stories)
        if not isinstance(step.act, Upload)
    ]
    assert len(asked) == len(telling.record.played) == len(telling.host.asked)
    (queue,) = telling.folder.glob("*.queue")
    assert "card" not in queue.read_text("utf-8")


async def test_a_wrong_answer_is_named_with_its_step(telling: Telling) -> None:
    """
    Another result, a cent, an amount, a sentence or an exception: each is told.
    """
    thief = telling.expected("a thief tries to buy perfume")
    telling.change(
        "a thief tries to buy perfume", replace(thief, result=Result.APPROVED)
    )
    shoes = telling.expected("the owner buys shoes")
    telling.change("the owner buys shoes", replace(shoes, available_cents=1))
    tip = telling.expected("table 1 pays with a tip")
    fils = Money(1, Currency.of("KWD"))
    telling.change("table 1 pays with a tip", replace(tip, approved=fils))
    dinner = telling.expected("the editor comes for dinner")
    telling.change("the editor comes for dinner", replace(dinner, sentence="Declined."))
    family = telling.expected("the family buys above the floor limit")
    telling.change(
        "the family buys above the floor limit", replace(family, exception=None)
    )
    await telling.play()

    found = "\n".join(telling.record.differences)
    assert 5 == telling.record.difference_count
    assert "lost card: a thief tries to buy perfume: APPROVED and not LOST" in found
    assert "lost card: the owner buys shoes: 1 cents available, not" in found
    assert f"restaurant: table 1 pays with a tip: {fils} was approved" in found
    assert "canteen: the editor comes for dinner: it says 'Declined.'" in found
    assert "kiosk: the family buys above the floor limit: the exception is" in found


async def test_what_is_recorded_otherwise_is_found(telling: Telling) -> None:
    """
    A state other than expected, and a card with a cent too much.
    """
    bookshop = telling.record.stories[4]
    sale = telling.step("the student buys the wrong atlas").act
    assert isinstance(sale, Ask)
    assert sale.request.request_id is not None
    assert CurrentState.VOIDED is bookshop.ends_as[sale.request.request_id]
    telling.host._states[sale.request.request_id] = CurrentState.POSTED
    telling.host.holds_more_cents = 1
    await telling.play()

    found = "\n".join(telling.record.differences)
    assert "the wrong atlas: recorded as APPROVED, POSTED, and not APPROVED, V" in found
    assert len(WALLET) + 1 == telling.record.difference_count
    assert "bookshop: card of saver: 6781 cents on the card, not 6780 cents" in found


def test_exceptions_are_compared_one_by_one() -> None:
    """
    What is not listed, and what nobody expected, differ.
    """
    record = Record(planned())
    expected = [
        Listed.of(each) for story in record.stories for each in story.exceptions
    ]
    compare_exceptions(record, expected)
    assert [] == record.differences

    stranger = expected[0]._replace(reason="EXPIRED_CARD")
    compare_exceptions(record, [*expected[1:], stranger])

    assert [
        f"listed as an exception, and not expected: {stranger}",
        f"expected as an exception, and not listed: {expected[0]}",
    ] == record.differences
    assert "city-jo/jerash/till-1" in str(stranger)


async def test_the_summary_has_a_section_by_story(telling: Telling) -> None:
    """
    What was asked, the money in its currency, and the exceptions with their price.
    """
    await telling.play()
    screen = StringIO()
    for table in story_tables(telling.record):
        Console(file=screen, width=100).print(table)
    facts = stories_facts(telling.record)

    text = screen.getvalue().replace("\N{NO-BREAK SPACE}", " ")
    assert "6 APPROVED, 1 AUTHORIZATION_EXPIRED" in text
    assert "ADVICE_NOT_PAID" in text
    assert "JOD 7.500" in text
    assert {"APPROVED": 1, "LOST_CARD": 1} == facts["lost card"]["answers"][
        "GetBalance"
    ]
    assert 4 == len(facts["kiosk"]["exceptions"]) + len(
        facts["two messages"]["exceptions"]
    )
    assert 67_80 == facts["bookshop"]["cards"]["saver"]


def test_too_few_days_for_a_story_show_no_table() -> None:
    """
    A demo of one day has shoppers only.
    """
    assert [] == list(story_tables(Record([])))


async def test_the_clock_waits_for_the_scenes_of_an_hour() -> None:
    """
    Hours without shoppers are played too, and each is over before the next begins.
    """

    class Scenes:
        """
        Note the clock's hour before and after each scene.
        """

        hours = tuple(
            datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in (3, 9)
        )

        async def play(self, hour: datetime) -> None:
            """
            Ask something, which takes some turns of the loop.
            """
            before = host.now
            await host.move_to_nowhere()
            seen.append((hour, before, host.now))

    class Host(FakeHost):
        """
        Give others a turn.
        """

        async def move_to_nowhere(self) -> None:
            """
            Wait a little.
            """
            for _ in range(10):
                await asyncio.sleep(0)

    host, seen = Host(rates=RATES), list[tuple[datetime, datetime, datetime]]()
    await Replay([], tills={}, cards={}, clock=host, beside=Scenes()).run(
        lambda visit: None
    )

    assert [(hour, hour, hour) for hour in Scenes.hours] == seen
    assert list(Scenes.hours) == host.moves
