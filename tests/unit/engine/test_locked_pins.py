"""
A locked PIN and the holds of its card: what a batch has to read for an increment.
"""

from dataclasses import replace

from gateway.domain.cards import Card
from gateway.domain.commands import MoneyCommand
from gateway.domain.ids import CardId
from gateway.domain.results import Channel, Result
from tests.support.held_world import authorize, capture, increment
from tests.support.lives import block, new, take_place
from tests.support.pins import PIN_ACTIVITIES, RIGHT, WRONG, kept_pin, with_pin
from tests.support.staffed import StaffedBench, staffed
from tests.support.world import amount, card, redeem

CARD = CardId(1)


def pin_bench(*more: Card) -> StaffedBench:
    """
    Build a lane whose products permit everything and ask a PIN for it.
    """
    lane = staffed(card(), *more)
    products = {
        number: replace(one, pin_required_for=PIN_ACTIVITIES)
        for number, one in lane.books.rules.products.items()
    }
    lane.books.rules = replace(
        lane.books.rules, version=lane.books.rules.version + 1, products=products
    )
    lane.books.pins[CARD] = kept_pin()
    return lane


async def test_an_increment_does_not_pass_a_lock_of_another_batch() -> None:
    """
    Its request carries no PIN and maybe no card: the tries are read all the same.
    """
    lane = pin_bench()
    await lane.answers(with_pin(authorize(amount(1_00), number=1), RIGHT))
    (free,) = await lane.answers(increment(amount(1), number=2))
    await lane.answers(
        *(with_pin(redeem(amount(1), number=n), WRONG) for n in (3, 4, 5))
    )

    (shut,) = await lane.answers(increment(amount(1), number=6))
    (again,) = await lane.answers(increment(amount(1), number=6))
    (taken,) = await lane.answers(capture(amount(1_00), number=7))

    assert free.record.result is taken.record.result is Result.APPROVED
    assert shut.record.result is Result.PIN_TRIES_EXCEEDED
    assert (again.record.result, again.replayed) == (shut.record.result, True)
    assert lane.books.pins[CARD].tries[Channel.API].wrong_total == 3


async def test_an_increment_does_not_pass_a_lock_of_its_own_batch() -> None:
    """
    Placed, grown, locked and not grown any more: one commit.
    """
    lane = pin_bench()

    answers = await lane.answers(
        with_pin(authorize(amount(1_00), number=1), RIGHT),
        increment(amount(1), number=2),
        *(with_pin(redeem(amount(1), number=n), WRONG) for n in (3, 4, 5)),
        increment(amount(1), number=6),
    )

    assert [answer.record.result for answer in answers] == [
        *[Result.APPROVED] * 2,
        *[Result.INCORRECT_PIN] * 3,
        Result.PIN_TRIES_EXCEEDED,
    ]
    assert lane.books.commits == 1


async def test_the_card_that_took_the_holds_over_has_the_lock_that_counts() -> None:
    """
    Whatever became of the first one's PIN; in one batch as in two.
    """
    for in_one_batch in (True, False):
        lane = pin_bench(new(card_id=CardId(2)))
        lane.books.pins[CardId(2)] = replace(kept_pin(), card_id=CardId(2))
        placing = with_pin(authorize(amount(1_00), number=1), RIGHT)
        wrong = [with_pin(redeem(amount(1), number=n), WRONG) for n in (11, 12, 13)]
        moving: list[MoneyCommand] = [
            placing,
            *wrong,
            block(number=2),
            take_place(number=3),
        ]
        grown = increment(amount(1), number=4)
        if in_one_batch:
            *_, free = await lane.answers(*moving, grown)
        else:
            await lane.answers(*moving)
            (free,) = await lane.answers(grown)
        tries = kept_pin(3).tries[Channel.API]._replace(card_id=CardId(2))
        lane.books.pins[CardId(2)] = lane.books.pins[CardId(2)].tried(tries)
        (shut,) = await lane.answers(increment(amount(1), number=5))

        assert free.record.result is Result.APPROVED
        assert shut.record.result is Result.PIN_TRIES_EXCEEDED
        assert shut.record.card_id == CardId(2)


async def test_pins_are_read_for_no_other_message_about_a_hold() -> None:
    """
    A capture or a cancel is never asked for the PIN, and costs no statement more.
    """
    lane = pin_bench()
    await lane.answers(with_pin(authorize(amount(1_00), number=1), RIGHT))
    await lane.answers(increment(amount(1), number=2))
    await lane.answers(capture(amount(1_00), number=3))

    read = [request.reads_pins for request in lane.books.opened]
    assert read == [True, True, False]
    assert list(lane.books.opened[1].pin_card_ids) == [CARD]
