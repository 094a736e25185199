"""
Confirm and Advice in batches: what each sees of the others, and which exceptions stay.
"""

from dataclasses import replace

from currency import Currency
from gateway.domain.exceptions import ExceptionKind
from gateway.domain.ids import CardId
from gateway.domain.results import CurrentState, Result
from tests.support import world
from tests.support.engine_world import Bench, bench, lane_policy
from tests.support.late_requests import advice, confirm
from tests.support.world import (
    amount,
    key,
    load,
    redeem,
    reverse,
    void,
)

FIRST = CardId(1)


def at(*, two_message: bool = False, floor_limit: int | None = None) -> Bench:
    """
    Make a bench whose first terminal is so.
    """
    rules = lane_policy()
    here = rules.places[world.TERMINAL]
    terminal = replace(
        here.terminal,
        two_message=two_message,
        floor_limit_minor=floor_limit,
        floor_limit_currency=Currency.of("USD") if floor_limit else None,
    )
    place = replace(here, terminal=terminal)
    return bench(rules=replace(rules, places=rules.places | {world.TERMINAL: place}))


async def test_in_the_batch_of_its_load() -> None:
    """
    What is confirmed can be spent by the next; confirmed again it is not effective.
    """
    lane = at(two_message=True)

    answers = await lane.answers(
        load(amount(40_00)),
        redeem(amount(120_00), number=2),
        confirm(number=3),
        confirm(number=4),
        redeem(amount(120_00), number=5),
        reverse(1, number=6),
        load(amount(40_00)),
    )

    assert [a.record.result.name for a in answers] == [
        *("APPROVED", "INSUFFICIENT_FUNDS", "APPROVED", "APPROVED", "APPROVED"),
        *("CANNOT_BE_REVERSED", "APPROVED"),
    ]
    assert [a.record.effective for a in answers[2:4]] == [True, False]
    assert answers[6].state is CurrentState.POSTED
    assert lane.books.cards[FIRST].unconfirmed_minor == 0
    assert lane.books.commits == 1


async def test_in_later_batches() -> None:
    """
    What was confirmed or reversed before is read with the original.
    """
    lane = at(two_message=True)
    await lane.answers(load(amount(40_00)), load(amount(5_00), number=2))
    await lane.answers(confirm(1, number=3), reverse(2, number=4))

    again, late, back, unsaid = await lane.answers(
        confirm(1, number=5),
        confirm(2, number=6),
        reverse(1, number=7),
        reverse(3, number=8),
    )

    assert (again.record.result, again.record.effective) == (Result.APPROVED, False)
    assert late.record.result is Result.ALREADY_REVERSED
    assert back.record.result is Result.CANNOT_BE_REVERSED
    assert unsaid.record.result is Result.CANNOT_BE_REVERSED
    assert lane.books.cards[FIRST].balance_minor == 140_00


async def test_a_confirmation_of_nothing_leaves_no_tombstone() -> None:
    """
    25, and the original is done when it comes.
    """
    lane = at(two_message=True)
    missing, late = await lane.answers(confirm(1, number=3), load(amount(40_00)))

    assert missing.record.result is Result.ORIGINAL_NOT_FOUND
    assert late.record.result is Result.APPROVED
    assert key(3) in lane.books.keys


async def test_an_exception_is_kept_once() -> None:
    """
    Two reversals of a load that is spent, in one batch and in the next: one exception.
    """
    lane = bench()
    await lane.answers(load(amount(40_00)), redeem(amount(130_00), number=2))
    first, second = await lane.answers(reverse(1, number=3), reverse(1, number=4))
    (third,) = await lane.answers(reverse(1, number=5))

    assert {a.record.result for a in (first, second, third)} == {
        Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    }
    ((_, item),) = lane.books.exceptions.items()
    assert item.kind is ExceptionKind.LOAD_NOT_REVERSED
    assert item.opened_by == first.record.transaction_id


async def test_advices_and_what_takes_them_back() -> None:
    """
    Two sales of a batch share what the card has; an early reversal shuts its sale out.
    """
    lane = at(floor_limit=80_00)
    one, two, early, shut, again = await lane.answers(
        advice(amount(70_00)),
        advice(amount(70_00), number=2),
        reverse(3, number=4),
        advice(amount(10_00), number=3),
        advice(amount(70_00), number=2),
    )
    (undone,) = await lane.answers(void(2, number=5))

    assert (one.record.approved_minor, two.record.approved_minor) == (70_00, 30_00)
    assert early.record.result is Result.ORIGINAL_NOT_FOUND
    assert shut.record.result is Result.ALREADY_REVERSED
    assert again.replayed
    assert undone.record.effective
    assert [item.amount_minor for item in lane.books.exceptions.values()] == [40_00]
    assert lane.books.cards[FIRST].balance_minor == 30_00
