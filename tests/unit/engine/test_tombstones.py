"""
Reversals and their tombstones: whatever the order of arrival, one key, one outcome.
"""

import pytest

from gateway.domain.cards import CardState
from gateway.domain.ids import CardId
from gateway.domain.policy import PartyState
from gateway.domain.results import CurrentState, Result
from tests.support.engine_world import (
    bench,
    lane_policy,
    of_second_card,
    on_second,
    other_content,
    told,
)
from tests.support.world import activate, amount, key, load, redeem, reverse

FIRST, SECOND = CardId(1), CardId(2)


async def test_14_19_a_reversal_in_the_batch_of_its_original() -> None:
    """
    Undone at once; undone again by another id: 00; the replay says REVERSED.
    """
    lane = bench()

    answers = await lane.answers(
        redeem(amount(30_00)),
        reverse(1, number=100, with_card=False),
        reverse(1, number=101, with_card=False),
        redeem(amount(30_00)),
        reverse(1, number=100, with_card=False),
    )

    assert [a.record.effective for a in answers] == [None, True, False, None, True]
    assert [a.state for a in answers[3:]] == [
        CurrentState.REVERSED,
        CurrentState.POSTED,
    ]
    assert lane.books.cards[FIRST].balance_minor == 100_00
    assert not lane.observer.restarts


async def test_20_21_a_tombstone_and_its_late_original() -> None:
    """
    25 and a tombstone; the original gets 21, in the same batch and later, unrecorded.
    """
    lane = bench()

    answers = await lane.answers(reverse(1), redeem(amount(30_00)))
    later = await lane.answers(other_content(load(amount(5_00))), reverse(1))

    assert told([*answers, *later]) == [
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ALREADY_REVERSED, False),
        (Result.ALREADY_REVERSED, False),
        (Result.ORIGINAL_NOT_FOUND, True),
    ]
    assert answers[1].record.transaction_id is None
    assert lane.books.keys[key(1)] == (answers[0].record.transaction_id, None)
    assert lane.books.cards[FIRST].balance_minor == 100_00
    assert lane.results() == ["ORIGINAL_NOT_FOUND"]


async def test_a_tombstone_is_reversed_again_by_another_id() -> None:
    """
    25 again, recorded under its own id; the tombstone stays the first one's.
    """
    lane = bench()

    first, second = await lane.answers(reverse(1), reverse(1, number=101))
    (third,) = await lane.answers(reverse(1, number=102))

    assert told([first, second, third]) == [(Result.ORIGINAL_NOT_FOUND, False)] * 3
    assert lane.books.keys[key(1)][0] == first.record.transaction_id


async def test_a_reversal_of_itself() -> None:
    """
    25, kept as a reversal: its key is no tombstone, and what comes later differs.
    """
    lane = bench()

    answers = await lane.answers(
        reverse(100), reverse(100), other_content(redeem(amount(1_00), number=100))
    )
    (later,) = await lane.answers(reverse(100, number=101))

    assert told([*answers, later]) == [
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ORIGINAL_NOT_FOUND, True),
        (Result.DUPLICATE, False),
        (Result.CANNOT_BE_REVERSED, False),
    ]
    assert not lane.observer.restarts


async def test_reversals_that_name_each_other() -> None:
    """
    The first leaves a tombstone under the second's key, which is then late.
    """
    lane = bench()

    answers = await lane.answers(
        reverse(101, number=100), reverse(100, number=101), reverse(100, number=102)
    )

    assert told(answers) == [
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ALREADY_REVERSED, False),
        (Result.CANNOT_BE_REVERSED, False),
    ]


async def test_a_tombstone_that_a_duplicate_claimed_goes() -> None:
    """
    The reversal's id was used before: its original, later in the batch, is decided.
    """
    lane = bench()
    await lane.answers(load(amount(1_00), number=100))

    answers = await lane.answers(
        other_content(reverse(1, number=100)), redeem(amount(30_00), number=1)
    )

    assert told(answers) == [(Result.DUPLICATE, False), (Result.APPROVED, False)]
    assert lane.observer.restarts == ["tombstone not earned"]
    assert lane.books.keys[key(1)][1] is not None


async def test_a_tombstone_that_a_replay_claimed_goes() -> None:
    """
    A reversal declined before check 15 and sent again claims nothing for its original.
    """
    lane = bench(rules=lane_policy(second_terminal=PartyState.SUSPENDED))
    refused = on_second(reverse(1))
    await lane.answers(refused)
    lane.books.rules = lane_policy(2)

    answers = await lane.answers(refused, redeem(amount(30_00)))

    assert told(answers) == [
        (Result.INVALID_TERMINAL, True),
        (Result.APPROVED, False),
    ]


@pytest.mark.parametrize("with_original", [True, False])
async def test_a_tombstone_that_a_suspended_till_claimed_goes(
    *, with_original: bool
) -> None:
    """
    Declined before check 15, it must not keep the original from being decided.
    """
    lane = bench(rules=lane_policy(second_terminal=PartyState.SUSPENDED))
    sale = [redeem(amount(30_00))] if with_original else []

    answers = await lane.answers(on_second(reverse(1)), *sale)
    (later,) = await lane.answers(redeem(amount(30_00)))

    assert answers[0].record.result is Result.INVALID_TERMINAL
    assert told([later]) == [(Result.APPROVED, with_original)]
    assert lane.observer.restarts == ["tombstone not earned"]


async def test_many_that_claim_one_tombstone_in_vain_cost_one_restart() -> None:
    """
    A till that sends its bad reversal over and over never fails its neighbours.
    """
    lane = bench(rules=lane_policy(second_terminal=PartyState.SUSPENDED))
    await lane.answers(load(amount(1_00), number=100))

    answers = await lane.answers(
        *[other_content(reverse(1, number=100))] * 5,
        *(on_second(reverse(1, number=n)) for n in range(101, 106)),
        redeem(amount(30_00)),
        reverse(1, number=110),
    )

    assert [a.record.result.name for a in answers] == [
        *["DUPLICATE"] * 5,
        *["INVALID_TERMINAL"] * 5,
        *["APPROVED"] * 2,
    ]
    assert lane.observer.restarts == ["tombstone not earned"]


async def test_a_tombstone_is_claimed_by_whoever_earns_it() -> None:
    """
    Of two reversals of one original the second may be the one that gets to check 15.
    """
    lane = bench(rules=lane_policy(second_terminal=PartyState.SUSPENDED))

    answers = await lane.answers(
        on_second(reverse(1)), reverse(1, number=101), redeem(amount(30_00))
    )

    assert told(answers) == [
        (Result.INVALID_TERMINAL, False),
        (Result.ORIGINAL_NOT_FOUND, False),
        (Result.ALREADY_REVERSED, False),
    ]
    assert lane.books.keys[key(1)] == (answers[1].record.transaction_id, None)


@pytest.mark.parametrize("with_original", [True, False])
async def test_a_tombstone_is_claimed_again_when_it_is_needed_after_all(
    *, with_original: bool
) -> None:
    """
    The till was suspended at the first attempt and is not at the second.

    Its reversal then gets to check 15 and needs the claim that it gave up, also where
    the original, later in the batch, holds it as its own by then.
    """
    lane = bench(rules=lane_policy(second_terminal=PartyState.SUSPENDED))
    lane.books.strike("open", _nothing, lambda: _set_rules(lane.books))
    sale = [redeem(amount(30_00))] if with_original else []

    answers = await lane.answers(on_second(reverse(1)), *sale)

    assert told(answers) == [
        (Result.ORIGINAL_NOT_FOUND, False),
        *[(Result.ALREADY_REVERSED, False)] * with_original,
    ]
    assert lane.observer.restarts == ["tombstone not earned", "tombstone needed"]
    assert lane.books.keys[key(1)] == (answers[0].record.transaction_id, None)
    assert not lane.observer.halvings


async def test_24_what_is_no_later_activity() -> None:
    """
    A decline on the card, and a sale on another card, do not keep an Activate.
    """
    lane = bench()
    await lane.answers(of_second_card(activate(amount(25_00), number=1)))

    answers = await lane.answers(
        of_second_card(redeem(amount(99_00), number=2)),
        redeem(amount(1_00), number=3),
        redeem(amount(1_00), number=4),
        redeem(amount(1_00), number=5),
        reverse(1, number=101, with_card=False),
    )

    assert answers[0].record.result is Result.INSUFFICIENT_FUNDS
    assert answers[-1].record.effective


async def test_24_later_activity_and_its_reversals_in_one_batch() -> None:
    """
    An Activate is undone only when all that followed it is, stored or a moment ago.
    """
    lane = bench()
    (active, *_rest) = await lane.answers(
        of_second_card(activate(amount(25_00), number=1)),
        of_second_card(redeem(amount(5_00), number=2)),
    )

    answers = await lane.answers(
        of_second_card(redeem(amount(5_00), number=3)),
        reverse(2, number=100, with_card=False),
        reverse(1, number=101, with_card=False),
        reverse(3, number=102, with_card=False),
        reverse(1, number=103, with_card=False),
    )

    assert active.record.result is Result.APPROVED
    assert [a.record.result for a in answers] == [
        Result.APPROVED,
        Result.APPROVED,
        Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL,
        Result.APPROVED,
        Result.APPROVED,
    ]
    after = lane.books.cards[SECOND]
    assert (after.state, after.balance_minor) == (CardState.PENDING, 0)


def _nothing() -> None:
    """
    Let a place be passed.
    """


def _set_rules(books: object) -> None:
    books.rules = lane_policy(2)  # type: ignore[attr-defined]
