"""
What names an older transaction acts on the last card of its line, whenever that came.
"""

from dataclasses import replace
from typing import TypeVar

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import CardRef, Command, MoneyCommand
from gateway.domain.errors import ConcurrencyError
from gateway.domain.ids import CardId
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.engine_world import Bench, kinds, told
from tests.support.lives import (
    block,
    deactivate,
    lost,
    new,
    open_hold,
    take_place,
    transfer,
    unblock,
)
from tests.support.staffed import staffed
from tests.support.world import amount, load, redeem, refund, reverse, void

C = TypeVar("C", bound=Command)
FIRST, LAST = CardId(1), CardId(5)


def index_of(card_id: int) -> bytes:
    """
    Give the number's index of a card of this line.
    """
    return world.NUMBER_INDEX if card_id == 1 else bytes([0x10 + card_id]) * 32


def spare(card_id: int) -> Card:
    """
    Make a card as it leaves the printer.
    """
    return new(card_id=CardId(card_id), number_index=index_of(card_id))


def of(card_id: int, command: C) -> C:
    """
    Give the same request for another card.
    """
    return replace(command, card=CardRef(index_of(card_id), f"{card_id:04}"))


def replacing(card_id: int, *, by: int, number: int) -> tuple[MoneyCommand, ...]:
    """
    Report a card lost, and put another in its place.
    """
    return (
        of(card_id, block(number=number)),
        of(card_id, take_place(number=number + 1, index=index_of(by))),
    )


def line() -> Bench:
    """
    Give a lane with one active card and four that may take its place.
    """
    spares = [spare(card_id) for card_id in (2, 3, 4, 5)]
    return staffed(world.card(), *spares)


def replace_before_each(lane: Bench, *card_ids: int) -> None:
    """
    Let a rival replace one more card of the line whenever an attempt is about to lock.
    """
    for card_id in card_ids:
        commands = replacing(card_id, by=card_id + 1, number=10 * card_id)
        # The rival's own attempt passes the place as well, and nothing happens there.
        lane.books.strike("open", lane.rival(*commands), lambda: None)


def sound(lane: Bench, *, total_minor: int) -> None:
    """
    Hold that nothing was lost on the way, and nothing stands in between.
    """
    books = lane.books
    assert sum(card.balance_minor for card in books.cards.values()) == total_minor
    assert world.balanced(books.postings)
    for card in books.cards.values():
        if card.state is CardState.REPLACED:
            assert (card.balance_minor, card.held_minor) == (0, 0)


THREE_TIMES = (
    *replacing(1, by=2, number=10),
    *replacing(2, by=3, number=20),
    *replacing(3, by=4, number=30),
)
SALE = redeem(amount(40_00), number=1)
BACK: list[tuple[Command, int]] = [
    (reverse(1, number=90, with_card=False), 100_00),
    (void(1, number=91), 100_00),
    (refund(amount(15_00), 1, number=92), 75_00),
]


@pytest.mark.parametrize(("back", "balance"), BACK)
@pytest.mark.parametrize("batches", [1, 2, 3, 8])
async def test_a_chain_of_three_replacements(
    back: MoneyCommand, balance: int, batches: int
) -> None:
    """
    Whatever undoes the sale lands on the fourth card, however the batches are cut.
    """
    lane = line()
    commands: list[MoneyCommand] = [SALE, *THREE_TIMES, back]
    cut = len(commands) // batches + (len(commands) % batches > 0)
    answers = []
    for start in range(0, len(commands), cut):
        answers += await lane.answers(*commands[start : start + cut])

    assert {answer.record.result for answer in answers} == {Result.APPROVED}
    assert answers[-1].record.card_id == 4
    assert lane.books.cards[CardId(4)].balance_minor == balance
    sound(lane, total_minor=balance)


@pytest.mark.parametrize(("back", "balance"), BACK)
async def test_all_three_come_between_the_look_up_and_the_locks(
    back: MoneyCommand, balance: int
) -> None:
    """
    One restart is enough: the next look-up brings the whole line.
    """
    lane = line()
    await lane.answers(SALE)
    lane.books.strike("open", lane.rival(*THREE_TIMES))
    (answer,) = await lane.answers(back)

    assert answer.record.result is Result.APPROVED
    assert answer.record.card_id == 4
    assert lane.observer.restarts == ["card not locked"]
    sound(lane, total_minor=balance)


async def test_a_rival_that_replaces_at_every_attempt() -> None:
    """
    Three restarts are made; the fourth replacement in a row is ABORTED, unrecorded.
    """
    lane = line()
    await lane.answers(SALE)
    replace_before_each(lane, 1, 2, 3, 4)
    (got,) = await lane.run(reverse(1, number=90))

    assert kinds([got]) == [ConcurrencyError]
    assert lane.observer.restarts == ["card not locked"] * 4
    (answer,) = await lane.answers(reverse(1, number=90))
    assert (answer.record.result, answer.record.card_id) == (Result.APPROVED, LAST)
    sound(lane, total_minor=100_00)


async def test_three_replacements_in_a_row_are_within_the_limit() -> None:
    """
    A replacement before each of three attempts: the fourth attempt is answered.
    """
    lane = line()
    await lane.answers(SALE)
    replace_before_each(lane, 1, 2, 3)
    (answer,) = await lane.answers(reverse(1, number=90))

    assert (answer.record.result, answer.record.card_id) == (Result.APPROVED, 4)
    assert lane.observer.restarts == ["card not locked"] * 3


async def test_a_sale_on_a_replaced_card_and_its_reversal_in_one_batch() -> None:
    """
    Declined 78, and nothing to undo: the whole line is locked after one restart.
    """
    lane = line()
    await lane.answers(*THREE_TIMES)
    sale, undone = await lane.answers(SALE, reverse(1, number=90))

    assert told([sale, undone]) == [
        (Result.CARD_CLOSED, False),
        (Result.APPROVED, False),
    ]
    assert undone.record.effective is False
    assert lane.observer.restarts == ["card not locked"]


async def test_any_number_of_the_line_is_the_cards() -> None:
    """
    The old number, one in between and the new one; another's is 25.
    """
    lane = line()
    await lane.answers(SALE, *THREE_TIMES)
    asked = [
        of(card_id, refund(amount(1_00), 1, number=90 + card_id))
        for card_id in (1, 2, 3, 4, 5)
    ]
    answers = await lane.answers(*asked)

    assert [answer.record.result for answer in answers] == [
        *[Result.APPROVED] * 4,
        Result.ORIGINAL_NOT_FOUND,
    ]


async def test_an_old_load_is_reversed_on_the_successor() -> None:
    """
    Its money and its count are taken from the card that has them now; spent, it is 21.
    """
    lane = line()
    await lane.answers(load(amount(50_00), number=1), load(amount(30_00), number=2))
    await lane.answers(*replacing(1, by=2, number=10))
    (answer,) = await lane.answers(reverse(1, number=90))
    after = lane.books.cards[CardId(2)]

    assert (answer.record.result, answer.record.card_id) == (Result.APPROVED, 2)
    assert (after.balance_minor, after.load_count) == (130_00, 2)
    assert after.loaded_minor == 30_00
    await lane.answers(of(2, redeem(amount(120_00), number=3)))
    (spent,) = await lane.answers(reverse(2, number=91))
    assert spent.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
async def test_an_activation_that_was_replaced_stands(cut: int) -> None:
    """
    21: something came after it, in whatever batch.
    """
    first = world.card(0, state=CardState.PENDING, load_count=0)
    lane = staffed(first, spare(2))
    commands: list[MoneyCommand] = [
        world.activate(amount(25_00), number=1),
        *replacing(1, by=2, number=10),
        reverse(1, number=90),
    ]
    answers = await lane.answers(*commands[:cut])
    if commands[cut:]:
        answers += await lane.answers(*commands[cut:])

    assert answers[-1].record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    sound(lane, total_minor=25_00)


@pytest.mark.parametrize("together", [True, False])
async def test_holds_move_with_the_balance(together: bool) -> None:
    """
    They are the new card's from then on, and expire there.
    """
    lane = line()
    hold = open_hold(70, 30_00)
    held = replace(lost(held_minor=30_00), next_hold_expiry=hold.expires_at, version=0)
    lane.books.cards[FIRST] = held
    lane.books.holds[hold.hold_id] = hold
    asked = of(1, take_place(number=11, index=index_of(2)))
    if together:
        await lane.answers(of(1, block(BlockReason.STOLEN, number=10)), asked)
    else:
        await lane.answers(of(1, block(BlockReason.STOLEN, number=10)))
        await lane.answers(asked)
    after = lane.books.cards[CardId(2)]

    assert lane.books.holds[hold.hold_id].card_id == 2
    assert (after.held_minor, after.next_hold_expiry) == (30_00, hold.expires_at)
    assert lane.books.cards[FIRST].next_hold_expiry is None


async def test_a_replacement_is_asked_twice() -> None:
    """
    The same request is replayed, a new one finds the card closed; one move.
    """
    lane = line()
    commands = replacing(1, by=2, number=10)
    await lane.answers(*commands)
    again = of(1, take_place(number=12, index=index_of(3)))
    answers = await lane.answers(commands[1], again)

    assert told(answers) == [(Result.APPROVED, True), (Result.CARD_CLOSED, False)]
    assert lane.books.cards[CardId(3)].state is CardState.PENDING
    sound(lane, total_minor=100_00)


async def test_two_cards_never_get_the_same_successor() -> None:
    """
    Both are asked for in one batch: the second finds the new card taken.
    """
    second = replace(lost(50_00), card_id=CardId(3), number_index=index_of(3))
    lane = staffed(lost(), spare(2), second)
    answers = await lane.answers(
        of(1, take_place(number=1, index=index_of(2))),
        of(3, take_place(number=2, index=index_of(2))),
    )

    assert [answer.record.result for answer in answers] == [
        Result.APPROVED,
        Result.CARD_ALREADY_ACTIVATED,
    ]
    sound(lane, total_minor=150_00)


async def test_two_transfers_cross() -> None:
    """
    Each card gives the other all it has; the second move takes both sums.
    """
    second = replace(world.card(30_00), card_id=CardId(2), number_index=index_of(2))
    lane = staffed(world.card(), second)
    answers = await lane.answers(
        of(1, transfer(number=1, index=index_of(2))),
        of(2, transfer(number=2, index=index_of(1))),
    )

    assert [answer.record.approved_minor for answer in answers] == [100_00, 130_00]
    assert lane.books.cards[FIRST].balance_minor == 130_00
    sound(lane, total_minor=130_00)


async def test_a_reversal_keeps_a_late_move_away() -> None:
    """
    The tombstone comes first: 21, and neither card has changed.
    """
    lane = line()
    await lane.answers(reverse(5, number=90, with_card=False))
    (late,) = await lane.answers(of(1, transfer(number=5, index=index_of(2))))

    assert late.record.result is Result.ALREADY_REVERSED
    assert {card.version for card in lane.books.cards.values()} == {1}


async def test_a_life_in_one_batch() -> None:
    """
    Blocked, unblocked, spent and closed: each sees what the one before left.
    """
    lane = line()
    answers = await lane.answers(
        block(number=1),
        redeem(amount(1_00), number=2),
        unblock(number=3),
        redeem(amount(100_00), number=4),
        deactivate(number=5),
        unblock(number=6),
    )

    assert [answer.record.result for answer in answers] == [
        Result.APPROVED,
        Result.LOST_CARD,
        Result.APPROVED,
        Result.APPROVED,
        Result.APPROVED,
        Result.CARD_CLOSED,
    ]
    assert [answer.record.activity for answer in answers][:3] == [
        ActivityType.BLOCK,
        ActivityType.REDEEM,
        ActivityType.UNBLOCK,
    ]
