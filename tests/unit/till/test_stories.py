"""
The stories: what they plan, and what has to be on their cards in the end.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from currency import Currency, Money
from tests.unit.till.scripted_host import (
    LAST_DAY,
    RATES,
    WALLET,
    planned,
)
from till import Activate, Advice, CardNumber, Result, Reverse
from till.stories.bookshop import wrong
from till.stories.places import (
    CALL_CENTRE,
    RESTAURANT,
    STORY_STORES,
    till_of,
)
from till.stories.purse import Deed, Purse
from till.stories.sales import activate
from till.stories.script import Script
from till.stories.steps import Ask, Keep, Step, Story, Upload


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
