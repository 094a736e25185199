"""
PINs in a batch: counted in the commit that comes before the answer.
"""

from dataclasses import replace

import pytest

from gateway.domain.commands import Redeem
from gateway.domain.errors import (
    DependencyError,
    DeviceDeniedError,
    InvariantError,
    OutcomeUnknownError,
    TerminalDeniedError,
    ThrottledError,
)
from gateway.domain.ids import CardId, TerminalId
from gateway.domain.policy import Caller
from gateway.domain.results import Channel, Result
from gateway.domain.staff import StaffOperation
from gateway.engine.answers import Answer
from gateway.engine.items import Asking, Enquiry, terminal_of
from gateway.engine.ports import BooksUnavailableError, CommitUnknownError
from tests.support.desks import AMIRA, desk_policy, reset_pin
from tests.support.engine_world import (
    CONTROLLER,
    FAR,
    Bench,
    bench,
    lane_policy,
    of_second_card,
    on_second,
    outcome,
    raising,
    sales,
    second_card,
)
from tests.support.fake_ports import FakeLive
from tests.support.pins import (
    RIGHT,
    WRONG,
    ask_balance,
    kept_pin,
    pin_policy,
    with_pin,
)
from tests.support.world import amount, card, redeem
from tests.unit.engine.test_lane import lane_of, running, submit
from tests.unit.engine.test_staff import answers, audited

CARD = CardId(1)


def pin_bench(tries: int = 0) -> Bench:
    """
    Build a lane with desks whose first card has a PIN, and a product that asks for it.
    """
    lane = bench(card(), rules=pin_policy(rules=desk_policy()))
    lane.books.pins[CARD] = kept_pin(tries)
    return lane


def sale(digits: str | None, number: int) -> Redeem:
    """
    Ask to spend 1.00 with a PIN.
    """
    return with_pin(redeem(amount(1_00), number=number), digits)


def enquiry(lane: Bench, digits: str, caller: Caller = CONTROLLER) -> Enquiry:
    """
    Ask for a balance with a PIN.
    """
    item = lane.item(redeem(amount(1_00), number=999), caller=caller)
    return Enquiry(
        caller=caller,
        question=ask_balance(digits),
        deadline=item.deadline,
        future=item.future,
    )


def tries_of(lane: Bench) -> int:
    """
    Tell what is committed as tried by the tills.
    """
    counted = lane.books.pins[CARD].tries.get(Channel.API)
    return 0 if counted is None else counted.tries


async def test_guesses_of_one_batch_see_each_other() -> None:
    """
    Of ten in one batch three are compared; one commit, one version for each of those.
    """
    lane = pin_bench()

    answers = await lane.answers(*(sale(WRONG, n) for n in range(1, 11)))

    results = [answer.record.result for answer in answers]
    assert results == [Result.INCORRECT_PIN] * 3 + [Result.PIN_TRIES_EXCEEDED] * 7
    assert lane.books.commits == 1
    assert lane.books.cards[CARD].version == 4
    assert tries_of(lane) == 3


async def test_a_right_pin_between_wrong_ones() -> None:
    """
    Each sees what the one before counted or forgave.
    """
    lane = pin_bench()
    entered = [WRONG, WRONG, RIGHT, WRONG, WRONG, RIGHT]

    answers = await lane.answers(*(sale(pin, n) for n, pin in enumerate(entered, 1)))

    assert [answer.record.result for answer in answers] == [
        *[Result.INCORRECT_PIN] * 2,
        Result.APPROVED,
        *[Result.INCORRECT_PIN] * 2,
        Result.APPROVED,
    ]
    assert tries_of(lane) == 0
    assert lane.books.pins[CARD].tries[Channel.API].wrong_total == 4


async def test_a_replay_of_a_wrong_pin_counts_nothing() -> None:
    """
    The stored answer, whatever PIN comes with the same request id.
    """
    lane = pin_bench()
    await lane.answers(sale(WRONG, 1))

    for digits in (WRONG, RIGHT, None):
        (again,) = await lane.answers(sale(digits, 1))
        assert (again.record.result, again.replayed) == (Result.INCORRECT_PIN, True)
    assert tries_of(lane) == 1


async def test_the_same_id_twice_in_a_batch_counts_once() -> None:
    """
    A concurrent duplicate is a replay too.
    """
    lane = pin_bench()

    first, second = await lane.answers(sale(WRONG, 1), sale(WRONG, 1))

    assert (first.replayed, second.replayed) == (False, True)
    assert tries_of(lane) == 1


async def test_pins_are_read_only_for_who_sends_one() -> None:
    """
    A sale without a PIN costs no statement; neither does the reset of another card's.
    """
    lane = pin_bench()

    await lane.answers(sale(None, 1))
    await lane.answers(sale(RIGHT, 2))
    await answers(lane, (AMIRA, reset_pin()))

    asked = [list(request.pin_indexes) for request in lane.books.opened]
    assert asked == [[], [card().number_index], [card().number_index]]


async def test_staff_reset_it() -> None:
    """
    Locked, reset, and tried again: in one batch, and the reset is audited.
    """
    lane = pin_bench(3)

    got = await answers(
        lane,
        (CONTROLLER, sale(RIGHT, 1)),
        (AMIRA, reset_pin()),
        (CONTROLLER, sale(RIGHT, 2)),
    )

    assert [answer.record.result for answer in got] == [
        Result.PIN_TRIES_EXCEEDED,
        Result.APPROVED,
        Result.APPROVED,
    ]
    assert lane.books.commits == 1
    assert audited(lane) == [
        ("amira", StaffOperation.RESET_PIN, Result.APPROVED, False)
    ]


async def test_a_repeated_reset_forgives_once() -> None:
    """
    What was tried wrong since the first stays counted.
    """
    lane = pin_bench(3)
    await answers(lane, (AMIRA, reset_pin()))
    await lane.answers(sale(WRONG, 1), sale(WRONG, 2))

    (again,) = await answers(lane, (AMIRA, reset_pin()))

    assert (again.record.result, again.replayed) == (Result.APPROVED, True)
    assert tries_of(lane) == 2


async def test_a_balance_with_a_pin_is_committed_before_its_answer() -> None:
    """
    The try is counted, and nothing else is written; the card's version stays.
    """
    lane = pin_bench()
    wrong, right = enquiry(lane, WRONG), enquiry(lane, RIGHT)
    lane.books.strike("commit", lambda: _none_answered(wrong))

    await lane.runner.run([wrong])
    assert _told(wrong).record.result is Result.INCORRECT_PIN
    assert (lane.books.commits, tries_of(lane)) == (1, 1)
    assert lane.books.records == {}
    assert lane.books.cards[CARD].version == 1

    await lane.runner.run([right])
    assert _told(right).record.balance_after_minor == 100_00
    assert tries_of(lane) == 0


async def test_a_balance_with_a_right_pin_writes_nothing() -> None:
    """
    Where nothing is to be forgiven nothing is committed.
    """
    lane = pin_bench()
    asked = enquiry(lane, RIGHT)

    await lane.runner.run([asked])

    assert _told(asked).record.result is Result.APPROVED
    assert lane.books.commits == 0
    assert terminal_of(asked) == asked.question.terminal_id


async def test_balances_and_sales_of_a_batch_share_the_count() -> None:
    """
    Whichever way it is guessed, three compares are all.
    """
    lane = pin_bench()
    sales = [lane.item(sale(WRONG, n)) for n in (1, 2)]
    asked = [enquiry(lane, WRONG) for _ in range(3)]

    await lane.runner.run([*asked, *sales])

    told: list[Asking] = [*sales, *asked]
    results = [_told(one).record.result for one in told]
    assert results == [Result.INCORRECT_PIN] * 3 + [Result.PIN_TRIES_EXCEEDED] * 2
    assert tries_of(lane) == 3


async def test_no_answer_where_nothing_was_committed() -> None:
    """
    Neither a sale nor a balance says that a PIN was wrong before it is counted.
    """
    lane = pin_bench()
    lane.books.strike("commit", raising(BooksUnavailableError("gone")))
    asked, item = enquiry(lane, WRONG), lane.item(sale(WRONG, 1))

    await lane.runner.run([asked, item])

    assert isinstance(outcome(item), DependencyError)
    assert isinstance(asked.future.exception(), DependencyError)
    assert tries_of(lane) == 0


async def test_a_lost_reply_never_counts_less() -> None:
    """
    The sale is found by its key; the balance, which has none, may count twice.
    """
    lane = pin_bench()
    lane.books.strike("committed", raising(CommitUnknownError("lost")))
    asked, item = enquiry(lane, WRONG), lane.item(sale(WRONG, 1))

    await lane.runner.run([asked, item])

    told = outcome(item)
    assert isinstance(told, Answer)
    assert (told.record.result, told.replayed) == (Result.INCORRECT_PIN, True)
    assert _told(asked).record.result is Result.INCORRECT_PIN
    assert tries_of(lane) == 3


async def test_a_revoked_till_learns_nothing_of_a_pin() -> None:
    """
    Check 1 again, with the policy in force; its neighbours are answered.
    """
    lane = pin_bench()
    stranger = CONTROLLER._replace(certificate_sha256=b"\x06" * 32)
    asked, good = enquiry(lane, WRONG, caller=stranger), enquiry(lane, RIGHT)

    await lane.runner.run([asked, good])

    assert isinstance(asked.future.exception(), DeviceDeniedError)
    assert _told(good).record.result is Result.APPROVED
    assert tries_of(lane) == 0


@pytest.mark.parametrize("unknown", [False, True])
async def test_a_balance_that_cannot_be_decided_fails_alone(*, unknown: bool) -> None:
    """
    INTERNAL for it; after a commit of unknown outcome, unknown.
    """
    lane = pin_bench()
    lane.books.pins[CARD] = replace(kept_pin(), key_id=9)
    asked, item = enquiry(lane, WRONG), lane.item(sale(None, 1))
    if unknown:
        lane.books.pins[CARD] = kept_pin()

        def lose() -> None:
            lane.books.pins[CARD] = replace(kept_pin(), key_id=9)
            raise CommitUnknownError("lost")

        lane.books.strike("commit", lose)

    await lane.runner.run([asked, item])

    error = OutcomeUnknownError if unknown else InvariantError
    assert isinstance(asked.future.exception(), error)
    told = outcome(item)
    assert isinstance(told, Answer)
    assert told.record.result is Result.PIN_REQUIRED


async def test_a_balance_with_a_pin_waits_with_the_sales() -> None:
    """
    It is counted against the budgets each time, whatever id it carries.
    """
    around = bench()
    live = FakeLive()
    lane = lane_of(around, live)
    question = replace(ask_balance(), request_id=sales(1)[0].request_id)
    asked = [lane.ask(CONTROLLER, question, FAR) for _ in range(2)]
    gone = lane.ask(CONTROLLER, replace(question, terminal_id=TerminalId(99)), FAR)

    async with running(lane):
        told = [(await future).record.result for future in asked]
        with pytest.raises(TerminalDeniedError):
            await gone

    assert told == [Result.APPROVED] * 2
    assert around.observer.batches == [2]
    assert [one.request_id for one in live.admitted] == [None, None]


async def test_a_full_queue_takes_no_balance_with_a_pin() -> None:
    """
    As it takes no sale.
    """
    lane = lane_of(bench(), FakeLive(), queue_limit=1)
    submit(lane, *sales(1))

    with pytest.raises(ThrottledError):
        await lane.ask(CONTROLLER, ask_balance(), FAR)


async def test_a_balance_waits_aside_for_a_card_that_a_stranger_keeps() -> None:
    """
    It names its card like a sale, so its neighbours do not wait with it.
    """
    lane = bench(card(), second_card(), rules=pin_policy(rules=lane_policy()))
    lane.books.pins[CARD] = kept_pin()
    lane.books.held.add(CARD)
    asked = enquiry(lane, RIGHT)

    item = lane.item(on_second(of_second_card(redeem(amount(1_00), number=1))))
    await lane.runner.run([asked, item])

    assert isinstance(outcome(item), Answer)
    assert not asked.future.done()


def _told(asked: Asking) -> Answer:
    return asked.future.result()


def _none_answered(asked: Enquiry) -> None:
    assert not asked.future.done()
