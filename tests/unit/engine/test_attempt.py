"""
One attempt at a batch: claims, order, restarts, and what stays under each key.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.cards import CardState
from gateway.domain.commands import Fingerprint, MoneyCommand
from gateway.domain.errors import DeviceDeniedError, InvariantError
from gateway.domain.ids import CardId, ProductId, RequestKey
from gateway.domain.results import CurrentState, Result
from gateway.engine.answers import Answer
from tests.support import world
from tests.support.engine_world import (
    T2,
    TILL_2,
    bench,
    lane_policy,
    of_second_card,
    on_second,
    other_content,
    outcome,
    second_card,
    told,
)
from tests.support.fake_ports import FakeCodes
from tests.support.world import activate, amount, load, redeem, reverse

FIRST, SECOND = CardId(1), CardId(2)


async def test_a_batch_is_decided_in_arrival_order() -> None:
    """
    Each request sees the effect of the one before; one commit for all.
    """
    lane = bench()

    answers = await lane.answers(
        *(redeem(amount(40_00), number=n) for n in (1, 2, 3)),
        load(amount(50_00), number=4),
        redeem(amount(40_00), number=5),
    )

    assert [a.record.result for a in answers] == [
        Result.APPROVED,
        Result.APPROVED,
        Result.INSUFFICIENT_FUNDS,
        Result.APPROVED,
        Result.APPROVED,
    ]
    assert lane.books.commits == 1
    assert lane.books.cards[FIRST].balance_minor == 30_00
    assert lane.books.cards[FIRST].version == 5
    assert lane.faults.reached == ["before_commit", "after_commit"]


async def test_15_17_a_repetition_is_replayed() -> None:
    """
    In the same batch and in a later one: the stored answer, one debit.
    """
    lane = bench()

    first, second = await lane.answers(redeem(amount(30_00)), redeem(amount(30_00)))
    (third,) = await lane.answers(redeem(amount(30_00)))

    assert (first.replayed, second.replayed, third.replayed) == (False, True, True)
    assert first.record == second.record == third.record
    assert third.state is CurrentState.POSTED
    assert lane.books.cards[FIRST].balance_minor == 70_00


async def test_a_batch_that_records_nothing_commits_nothing() -> None:
    """
    Replays alone, and what is not kept, are rolled back.
    """
    lane = bench()
    await lane.answers(redeem(amount(30_00)))
    lane.books.passed.clear()

    answers = await lane.answers(
        redeem(amount(30_00)), other_content(redeem(amount(31_00)))
    )

    assert told(answers) == [(Result.APPROVED, True), (Result.DUPLICATE, False)]
    assert "commit" not in lane.books.passed
    assert lane.books.commits == 1


@pytest.mark.parametrize("together", [True, False])
async def test_16_the_same_id_with_other_content(*, together: bool) -> None:
    """
    94 DUPLICATE, in the same batch or later: nothing kept, nothing moved.
    """
    lane = bench()
    requests: list[MoneyCommand] = [
        redeem(amount(30_00)),
        other_content(load(amount(99_00))),
    ]
    if together:
        answers = await lane.answers(*requests)
    else:
        answers = [*await lane.answers(requests[0]), *await lane.answers(requests[1])]

    assert told(answers) == [(Result.APPROVED, False), (Result.DUPLICATE, False)]
    assert answers[1].record.transaction_id is None
    assert answers[1].state is CurrentState.DECLINED
    assert lane.books.cards[FIRST].balance_minor == 70_00
    assert len(lane.books.records) == 1


async def test_a_fingerprint_is_compared_under_the_key_it_was_made_with() -> None:
    """
    After a rotation a retry still repeats, and other content still differs.
    """
    lane = bench()
    codes = FakeCodes()

    def made(content: bytes, key_id: int) -> Fingerprint:
        return Fingerprint(key_id, codes.fingerprint(content, key_id))

    asked = replace(redeem(amount(30_00)), content=b"x", fingerprint=made(b"x", 1))
    await lane.answers(asked)

    answers = await lane.answers(
        replace(asked, fingerprint=made(b"x", 2)),
        replace(asked, content=b"y", fingerprint=made(b"y", 2)),
    )

    assert told(answers) == [(Result.APPROVED, True), (Result.DUPLICATE, False)]


async def test_an_original_that_a_rival_commits_after_the_look_up() -> None:
    """
    Its card proves not to be locked: the batch starts again with it.
    """
    lane = bench()
    lane.books.strike("open", lane.rival(redeem(amount(30_00))))

    (answer,) = await lane.answers(reverse(1, with_card=False))

    assert (answer.record.result, answer.record.effective) == (Result.APPROVED, True)
    assert lane.observer.restarts == ["card not locked"]
    assert lane.books.cards[FIRST].balance_minor == 100_00


async def test_an_original_that_a_rival_commits_while_the_claim_waits() -> None:
    """
    The claim is lost to the rival, whose card is locked at the next attempt.
    """
    lane = bench()
    lane.books.strike("locked", lane.rival(redeem(amount(30_00))))

    answers = await lane.answers(
        reverse(1, with_card=False), of_second_card(activate(amount(5_00), number=2))
    )

    assert [a.record.effective for a in answers] == [True, None]
    assert lane.observer.restarts == ["card not locked"]
    assert lane.books.cards[SECOND].balance_minor == 5_00


async def test_the_same_id_on_a_rival_and_another_card() -> None:
    """
    Two cards have no lock in common: the key decides, and the loser moves nothing.
    """
    lane = bench(world.card(), second_card(state=CardState.ACTIVE, balance_minor=9_00))
    lane.books.strike("locked", lane.rival(redeem(amount(30_00))))

    (answer,) = await lane.answers(other_content(of_second_card(redeem(amount(1_00)))))

    assert answer.record.result is Result.DUPLICATE
    assert lane.books.cards[SECOND].balance_minor == 9_00


async def test_an_activation_and_all_that_follows_in_one_batch() -> None:
    """
    Activate, spend, undo both in the wrong and the right order, activate again.
    """
    lane = bench()

    answers = await lane.answers(
        of_second_card(activate(amount(25_00), number=1)),
        of_second_card(redeem(amount(25_00), number=2)),
        reverse(1, number=100, with_card=False),
        reverse(2, number=101, with_card=False),
        reverse(1, number=102, with_card=False),
        of_second_card(activate(amount(7_00), number=3)),
        reverse(1, number=103, with_card=False),
    )

    assert [a.record.result.name for a in answers] == [
        "APPROVED",
        "APPROVED",
        "FURTHER_ACTIVITY_PREVENTS_REVERSAL",
        "APPROVED",
        "APPROVED",
        "APPROVED",
        "APPROVED",
    ]
    assert answers[-1].record.effective is False
    assert lane.books.cards[SECOND].balance_minor == 7_00


async def test_a_reversal_locks_the_card_of_its_original_alone() -> None:
    """
    Whatever card it names: another's must not wait for it.
    """
    lane = bench()
    await lane.answers(redeem(amount(1_00)))

    await lane.answers(of_second_card(reverse(1)))

    assert (lane.books.opened[-1].card_indexes, lane.books.opened[-1].card_ids) == (
        [],
        [FIRST],
    )


async def test_fresh_answers_tell_what_became_of_them() -> None:
    """
    POSTED what was approved, DECLINED what was not.
    """
    lane = bench()

    answers = await lane.answers(redeem(amount(1_00)), redeem(amount(500_00), number=2))

    assert [a.state for a in answers] == [CurrentState.POSTED, CurrentState.DECLINED]


async def test_the_moment_never_lies_before_the_cards_last_one() -> None:
    """
    A worker whose clock lags decides at the card's last transaction, not before it.
    """
    lane = bench()
    await lane.answers(redeem(amount(1_00), number=1))
    lane.books.clock -= timedelta(minutes=5)

    first, second = await lane.answers(
        redeem(amount(1_00), number=2),
        of_second_card(activate(number=3)),
    )

    assert first.record.host_time == world.NOW
    assert second.record.host_time == world.NOW - timedelta(minutes=5)


async def test_a_newer_policy_is_loaded_before_anything_is_decided() -> None:
    """
    The locked read tells of it: the new rate is in force within the batch.
    """
    lane = bench()
    lane.books.rules = lane_policy(2, rates=[("KWD", "3.3000")])

    (answer,) = await lane.answers(redeem(amount(10_000, "KWD")))

    assert (answer.record.card_minor, answer.record.policy_version) == (33_00, 2)


async def test_who_was_revoked_is_left_out() -> None:
    """
    If only the locked read shows it: PERMISSION_DENIED, no key, and the others go on.
    """
    lane = bench()
    lane.books.rules = lane_policy(2, revoked=True)
    items = [
        lane.item(redeem(amount(30_00), number=1)),
        lane.item(on_second(redeem(amount(30_00), number=2)), caller=TILL_2),
        lane.item(redeem(amount(30_00), number=3)),
    ]

    await lane.runner.run(items)
    got = [outcome(item) for item in items]

    assert [type(one) for one in got] == [Answer, DeviceDeniedError, Answer]
    assert lane.observer.restarts == ["caller refused"]
    assert RequestKey(T2, redeem(amount(1), number=2).request_id) not in lane.books.keys
    assert not lane.observer.alarms


async def test_a_decision_that_fails_fails_alone() -> None:
    """
    Our fault: INTERNAL and an alarm for that item, answers for the others.
    """
    broken = second_card(product_id=ProductId(404))
    lane = bench(world.card(), broken)

    got = await lane.run(
        redeem(amount(30_00), number=1),
        of_second_card(activate(number=2)),
        redeem(amount(30_00), number=3),
    )

    assert [type(one) for one in got] == [Answer, InvariantError, Answer]
    assert isinstance(got[1], InvariantError)
    assert isinstance(got[1].__cause__, KeyError)
    assert lane.observer.alarms == [("a decision failed", got[1].__cause__)]
    assert lane.observer.restarts == ["decision failed"]


async def test_a_lost_key_that_is_not_there_is_an_alarm() -> None:
    """
    A key that was not won must be stored: anything else is a fault of ours.
    """
    lane = bench()
    await lane.answers(redeem(amount(30_00)))
    lane.books.strike("read_stored", lane.books.keys.clear)

    (got,) = await lane.run(redeem(amount(30_00)))

    assert isinstance(got, InvariantError)
    assert len(lane.observer.alarms) == 1
    assert await lane.answers(redeem(amount(1_00), number=9))
