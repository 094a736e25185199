"""
Refunds and voids in batches: their originals are read, and their keys never claimed.
"""

import pytest

from gateway.domain.cards import CardState
from gateway.domain.commands import MoneyCommand
from gateway.domain.ids import CardId
from gateway.domain.results import CurrentState, Result
from tests.support import world
from tests.support.engine_world import (
    bench,
    of_second_card,
    on_second,
    other_content,
    told,
)
from tests.support.world import (
    activate,
    amount,
    key,
    load,
    redeem,
    refund,
    reverse,
    void,
)

FIRST, SECOND = CardId(1), CardId(2)
BALANCE = 100_00


async def test_refunds_in_the_batch_of_their_sale() -> None:
    """
    Each sees what the one before gave back; what undoes one makes room again.
    """
    lane = bench()

    answers = await lane.answers(
        redeem(amount(30_00)),
        refund(amount(20_00), number=201),
        refund(amount(10_01), number=202),
        redeem(amount(30_00)),
        refund(amount(10_00), number=203),
        redeem(amount(30_00)),
        void(201, number=204),
        redeem(amount(30_00)),
        refund(amount(20_01), number=205),
        reverse(203, number=206, with_card=False),
        refund(amount(30_00), number=207),
    )

    assert [a.record.result.name for a in answers] == [
        *("APPROVED", "APPROVED", "INVALID_AMOUNT", "APPROVED", "APPROVED"),
        *("APPROVED", "APPROVED", "APPROVED", "INVALID_AMOUNT", "APPROVED"),
        "APPROVED",
    ]
    assert [a.state.name for a in (answers[3], answers[5], answers[7])] == [
        "POSTED",
        "REFUNDED",
        "POSTED",
    ]
    assert lane.books.cards[FIRST].balance_minor == BALANCE
    assert lane.books.commits == 1
    assert not lane.observer.restarts


async def test_refunds_of_a_stored_sale() -> None:
    """
    What was given back in earlier batches counts, and what was undone of it does not.
    """
    lane = bench()
    await lane.answers(redeem(amount(30_00)), refund(amount(20_00), number=201))
    await lane.answers(void(201, number=202))
    await lane.answers(refund(amount(25_00), number=203))

    beyond, rest = await lane.answers(
        refund(amount(5_01), number=204), refund(amount(5_00), number=205)
    )
    (again,) = await lane.answers(redeem(amount(30_00)))

    assert beyond.record.result is Result.INVALID_AMOUNT
    assert rest.record.result is Result.APPROVED
    assert (again.replayed, again.state) == (True, CurrentState.REFUNDED)
    assert lane.books.cards[FIRST].balance_minor == BALANCE


async def test_undoing_a_refund_whose_sale_nobody_names() -> None:
    """
    The refund alone is read; the sale's sums are found anew by the next batch.
    """
    lane = bench()
    await lane.answers(redeem(amount(30_00)), refund(amount(30_00), number=201))

    (undone,) = await lane.answers(reverse(201, with_card=False))
    (again,) = await lane.answers(refund(amount(30_00), number=202))

    assert undone.record.effective
    assert again.record.result is Result.APPROVED


@pytest.mark.parametrize("early", [refund(amount(5_00)), void()])
async def test_an_original_that_is_not_there_is_not_shut_out(
    early: MoneyCommand,
) -> None:
    """
    25 and no tombstone, before the original in one batch, and in one of its own.
    """
    lane = bench()

    (alone,) = await lane.answers(early)
    before, sale = await lane.answers(
        refund(amount(5_00), number=210), redeem(amount(30_00))
    )
    (replay,) = await lane.answers(early)

    assert told([alone, before, sale, replay]) == [
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.APPROVED, False),
        (Result.ORIGINAL_NOT_FOUND, True),
    ]
    assert not lane.observer.restarts


async def test_a_tombstone_is_no_original_to_refund() -> None:
    """
    25: in the tombstone's batch, and later.
    """
    lane = bench()

    answers = await lane.answers(reverse(1), refund(amount(5_00)), void())
    (later,) = await lane.answers(refund(amount(5_00), number=202))

    assert told([*answers, later]) == [(Result.ORIGINAL_NOT_FOUND, False)] * 4
    assert lane.books.keys[key(1)][1] is None


@pytest.mark.parametrize("command", [refund(amount(5_00), 200), void(300)])
async def test_what_names_itself(command: MoneyCommand) -> None:
    """
    25, recorded once.
    """
    lane = bench()

    answers = await lane.answers(command, command)

    assert told(answers) == [
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ORIGINAL_NOT_FOUND, True),
    ]


@pytest.mark.parametrize("command", [refund(amount(5_00)), void()])
async def test_a_late_one_was_reversed_before(command: MoneyCommand) -> None:
    """
    21: a till that gave its refund or void up has shut it out.
    """
    lane = bench()
    number = int.from_bytes(command.request_id)

    answers = await lane.answers(
        redeem(amount(30_00)), reverse(number, number=100), command
    )

    assert told(answers)[1:] == [
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ALREADY_REVERSED, False),
    ]
    assert answers[2].record.transaction_id is None
    assert lane.books.cards[FIRST].balance_minor == 70_00


@pytest.mark.parametrize("command", [refund(amount(5_00)), void()])
async def test_a_repetition_is_replayed(command: MoneyCommand) -> None:
    """
    In the same batch and later; the same id with other content is a DUPLICATE.
    """
    lane = bench()

    _, first, second = await lane.answers(redeem(amount(30_00)), command, command)
    third, other = await lane.answers(command, other_content(command))

    assert told([first, second, third, other]) == [
        (Result.APPROVED, False),
        (Result.APPROVED, True),
        (Result.APPROVED, True),
        (Result.DUPLICATE, False),
    ]
    assert first.record == second.record == third.record


async def test_a_void_and_what_comes_after_it() -> None:
    """
    VOIDED; a second void, a refund and a reversal of the sale: 21; of the void: 21.
    """
    lane = bench()

    answers = await lane.answers(
        redeem(amount(30_00)),
        void(number=301),
        redeem(amount(30_00)),
        void(number=302),
        refund(amount(1_00)),
        reverse(1, number=100, with_card=False),
        reverse(301, number=101, with_card=False),
        void(301, number=303),
    )
    later = await lane.answers(
        redeem(amount(30_00)), void(number=304), reverse(1, number=102)
    )

    assert answers[2].state is later[0].state is CurrentState.VOIDED
    assert [a.record.result.name for a in (*answers[3:], *later[1:])] == [
        "ALREADY_REVERSED",
        "ALREADY_REVERSED",
        "ALREADY_REVERSED",
        "CANNOT_BE_REVERSED",
        "CANNOT_BE_REVERSED",
        "ALREADY_REVERSED",
        "ALREADY_REVERSED",
    ]
    assert lane.books.cards[FIRST].balance_minor == BALANCE


async def test_voids_of_an_activation_wait_for_what_followed() -> None:
    """
    21 while a sale stands; a voided sale no longer does, and voids are no activity.
    """
    lane = bench()
    await lane.answers(
        of_second_card(activate(amount(25_00), number=1)),
        of_second_card(redeem(amount(5_00), number=2)),
    )

    answers = await lane.answers(
        void(1, number=301), void(2, number=302), void(1, number=303)
    )
    after = lane.books.cards[SECOND]

    assert [a.record.result for a in answers] == [
        Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL,
        Result.APPROVED,
        Result.APPROVED,
    ]
    assert (after.state, after.balance_minor) == (CardState.PENDING, 0)


@pytest.mark.parametrize("command", [refund(amount(30_00)), void()])
async def test_an_original_that_a_rival_commits_after_the_look_up(
    command: MoneyCommand,
) -> None:
    """
    Its card proves not to be locked: the batch starts again with it.
    """
    lane = bench()
    lane.books.strike("open", lane.rival(redeem(amount(30_00))))

    (answer,) = await lane.answers(command)

    assert answer.record.result is Result.APPROVED
    assert lane.observer.restarts == ["card not locked"]
    assert lane.books.cards[FIRST].balance_minor == BALANCE


async def test_a_refund_that_a_rival_commits_before_the_lock() -> None:
    """
    The sums are read under the card's lock: the rival's refund counts.
    """
    lane = bench()
    await lane.answers(redeem(amount(30_00)))
    lane.books.strike("open", lane.rival(refund(amount(20_00), number=201)))

    beyond, rest = await lane.answers(
        refund(amount(30_00), number=202), refund(amount(10_00), number=203)
    )

    assert beyond.record.result is Result.INVALID_AMOUNT
    assert rest.record.result is Result.APPROVED


async def test_the_original_of_another_terminal() -> None:
    """
    A sibling names the terminal of the sale, whose key it is; its own key is its own.
    """
    lane = bench()
    sale, back = await lane.answers(
        redeem(amount(30_00)), on_second(refund(amount(30_00), number=1, original=1))
    )

    assert told([sale, back]) == [(Result.APPROVED, False)] * 2
    assert back.record.terminal_id != sale.record.terminal_id


async def test_a_refund_reads_once_and_a_sale_never() -> None:
    """
    Only lost keys and originals cost the trip that reads what is stored.
    """
    lane = bench()
    await lane.answers(redeem(amount(30_00)), load(amount(1_00), number=2))
    plain = lane.books.passed.count("read_stored")
    await lane.answers(refund(amount(5_00)), refund(amount(5_00), number=201))

    assert (plain, lane.books.passed.count("read_stored")) == (0, 1)
    assert world.NOW == lane.books.clock
