"""
The stories: what they plan, how they are played, and what is found to differ.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from rich.console import Console

from currency import Currency, Money
from tests.unit.till.fake_host import FakeHost
from tests.unit.till.scripted_host import (
    LAST_DAY,
    RATES,
    WALLET,
    ScriptedHost,
    planned,
)
from till import Activate, Advice, CardNumber, CurrentState, Result, Reverse
from till.client import Sender
from till.demo.exceptions import Listed, compare_exceptions
from till.demo.story_audit import StoryAudit
from till.demo.story_summary import stories_facts, story_tables
from till.simulation.replay import Replay, TillName
from till.stories.bookshop import wrong
from till.stories.desk import Asked
from till.stories.places import (
    AMIRA,
    CALL_CENTRE,
    RESTAURANT,
    STORY_STORES,
    till_of,
)
from till.stories.playing import Player
from till.stories.purse import Deed, Purse
from till.stories.record import Record
from till.stories.sales import activate
from till.stories.script import Script
from till.stories.steps import Ask, Expected, Keep, Step, Story, Upload

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


def balances(story: str) -> dict[str, int]:
    """
    Give what the cards of a story hold in the end, in cents.
    """
    (found,) = (each for each in planned() if each.name == story)
    return {purse.holder: purse.ledger_cents for purse in found.purses}


def test_stories_are_made_of_their_seed_alone() -> None:
    """
    Twice the same, down to the request ids.
    """
    assert planned() == planned()


def test_a_story_is_told_to_its_end_or_not_at_all() -> None:
    """
    A demo of too few days leaves it out; each fits into the first four.
    """
    assert [] == planned(date(2025, 1, 1))
    assert {"restaurant"} == {story.name for story in planned(date(2025, 1, 3))} - {
        "kiosk"
    }
    assert {
        "restaurant",
        "kiosk",
        "lost card",
        "canteen",
        "bookshop",
        "two messages",
    } == {story.name for story in planned()}


def test_every_holder_has_a_card_and_every_card_a_story() -> None:
    """
    No card is made for nobody, and none belongs to two stories.
    """
    holders = [purse.holder for story in planned() for purse in story.purses]

    assert sorted(WALLET) == sorted(holders)


def test_request_ids_and_names_are_each_used_once() -> None:
    """
    Across all stories: a request id is the identity of a step.
    """
    requests = [
        step.act.request.request_id
        for step in steps_of(planned())
        if not isinstance(step.act, Upload) and step.act.request.request_id is not None
    ]

    assert len(requests) == len(set(requests)) > 70


def test_no_step_expects_a_card_below_zero() -> None:
    """
    Nowhere on the way, and in the end nothing is held or unconfirmed.
    """
    for step in steps_of(planned()):
        if isinstance(step.act, Ask):
            expected = step.act.expected
            cents = (
                expected.available_cents,
                expected.ledger_cents,
                expected.held_cents,
            )
            assert all(each is None or each >= 0 for each in cents), step
    for story in planned():
        for purse in story.purses:
            assert 0 == purse.held_cents == purse.unconfirmed_cents


def test_the_stories_show_what_a_till_can_be_told() -> None:
    """
    Each of these results is expected somewhere.
    """
    expected = {
        step.act.expected.result
        for step in steps_of(planned())
        if not isinstance(step.act, Upload) and step.act.expected is not None
    }

    assert {
        Result.APPROVED,
        Result.AUTHORIZATION_EXPIRED,
        Result.EXCEEDS_AUTHORIZED,
        Result.INSUFFICIENT_FUNDS,
        Result.RESTRICTED_CARD,
        Result.LOST_CARD,
        Result.CARD_CLOSED,
        Result.NOT_PERMITTED,
        Result.LIMIT_EXCEEDED,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.INVALID_AMOUNT,
        Result.PIN_REQUIRED,
        Result.INCORRECT_PIN,
    } == expected


def test_bills_are_paid_with_tips() -> None:
    """
    By hand: KWD 27.500, 28.125 and 26.500 at 3.2520 of USD 200.00 each; 42.000 of six.
    """
    found = balances("restaurant")

    assert 200_00 - 89_43 == found["guest 1"]
    assert 200_00 - 91_46 == found["guest 2"]
    assert 200_00 - 86_18 == found["guest 3"]
    assert 200_00 == found["guest 4"]
    assert 0 == found["guest 5"]
    assert 200_00 - 136_58 == found["guest 6"]


def test_the_kiosk_leaves_exceptions_of_what_cards_did_not_pay() -> None:
    """
    By hand: USD 12.00 are JOD 8.508 of 14.000; 7.500 lie above the floor limit.
    """
    (kiosk,) = (story for story in planned() if story.name == "kiosk")

    assert {
        Result.INSUFFICIENT_FUNDS: "5.492",
        Result.LIMIT_EXCEEDED: "7.500",
        Result.CARD_NOT_ACTIVE: "6.000",
    } == {each.reason: each.amount.to_decimal_text() for each in kiosk.exceptions}
    assert 80_00 - 35_26 == balances("kiosk")["family"]
    assert 0 == balances("kiosk")["driver"]
    kept = [step.act.request for step in kiosk.steps if isinstance(step.act, Keep)]
    assert {Advice, Reverse} == {type(request) for request in kept}


def test_the_new_card_has_all_of_the_old_one() -> None:
    """
    By hand: what was loaded less shoes, lunch and the party; the dress came back.
    """
    found = balances("lost card")

    assert 0 == found["owner"]
    # KWD 14.000 and 18.750 at 3.2520.
    assert 260_00 - 45_53 - 60_98 - 41_10 == found["owner's new card"]


def test_the_parts_of_a_refund_come_to_the_whole() -> None:
    """
    Behaviour 47: 22.16, 22.17 and 22.17 of 66.50, whatever the rate is by then.
    """
    sale = Deed(
        at=datetime(2025, 1, 1, tzinfo=UTC),
        request_id=UUID(int=1),
        till=till_of(RESTAURANT),
        purse=Purse("somebody", CardNumber("0" * 16)),
        amount=Money(10_000, Currency.of("JPY")),
        cents=66_50,
    )

    assert [22_16, 22_17, 22_17] == [sale.part(yen) for yen in (3333, 3333, 3334)]


def test_two_steps_of_one_name_are_refused() -> None:
    """
    They would have one request id.
    """
    script = Script("a story", "Told twice", RATES, WALLET)
    scene = script.scene(till_of(RESTAURANT), 2, 12)
    purse = script.purse("guest 1")
    activate(scene, "a card is bought", purse, 10_00)

    with pytest.raises(ValueError, match="two steps are called 'a card is bought'"):
        activate(scene, "a card is bought", purse, 10_00)


def test_a_wrong_pin_is_another_pin() -> None:
    """
    Of as many digits.
    """
    pin = WALLET["saver"].pin
    assert pin is not None

    assert "123450" == wrong(pin).digits
    with pytest.raises(ValueError, match="no PIN"):
        wrong(None)


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


def test_stories_have_stores_of_their_own() -> None:
    """
    Merchants that no shopper visits, and a desk without a till.
    """
    assert all(store.country.merchant.startswith("city-") for store in STORY_STORES)
    assert () == CALL_CENTRE.terminals
    assert LAST_DAY == max(story.last_day for story in planned())
    first = planned()[0].steps[0].act
    assert isinstance(first, Ask)
    assert isinstance(first.request, Activate)
