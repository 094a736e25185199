"""
What meets in one batch is decided as if it had come one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import pytest

from tests.support.look import CardRow, Look
from tests.support.server import Gateway, wait_for
from tests.support.stream_till import StreamTill, streaming
from tests.support.tills import MakeCard, Tills, new_id
from tests.support.told import Outcome, told

Ask = Callable[[StreamTill], Awaitable[Outcome]]
InOneBatch = Callable[..., Awaitable[list[Outcome]]]

_REACH_S: Final = 0.1


@pytest.fixture
def in_one_batch(two_workers: Gateway, pair: Tills, pair_card: MakeCard) -> InOneBatch:
    """
    Give what sends requests over one stream while the lane is held by another sale.

    The stream keeps their order, and when the lane goes on they are its next batch.
    """

    async def send(*asks: Ask) -> list[Outcome]:
        till = await pair("till-1", worker=1)
        other = await pair_card()
        async with streaming(till) as stream:
            two_workers.order_fault("before_commit", "hold")
            held = asyncio.ensure_future(till.redeem(other, 1_00))
            await asyncio.to_thread(wait_for, two_workers.is_held)
            waiting = [asyncio.ensure_future(ask(stream)) for ask in asks]
            await asyncio.sleep(_REACH_S)
            assert not any(answer.done() for answer in waiting)
            two_workers.let_go()
            await held
            return list(await asyncio.gather(*waiting))

    return send


def results(answers: list[Outcome]) -> list[str]:
    """
    Name the results.
    """
    return [told(answer).result for answer in answers]


async def test_a_whole_life(
    in_one_batch: InOneBatch, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    Activated, loaded, spent, overspent, activated again: each sees those before it.
    """
    plastic = await pair_card(None)
    answers = await in_one_batch(
        lambda till: till.redeem(plastic, 1_00),
        lambda till: till.activate(plastic, 25_00),
        lambda till: till.load(plastic, 10_000, "KWD"),
        lambda till: till.redeem(plastic, 50_00),
        lambda till: till.redeem(plastic, 50_00, partial=True),
        lambda till: till.redeem(plastic, 1),
        lambda till: till.activate(plastic, 25_00),
    )

    assert results(answers) == [
        "CARD_NOT_ACTIVE",
        "APPROVED",
        "APPROVED",
        "APPROVED",
        "APPROVED_PARTIAL",
        "INSUFFICIENT_FUNDS",
        "CARD_ALREADY_ACTIVATED",
    ]
    assert [told(answer).available for answer in answers[1:6]] == [
        "25.00 USD",
        "57.52 USD",
        "7.52 USD",
        "0.00 USD",
        "0.00 USD",
    ]
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=0, loads=2)


async def test_a_sale_and_its_reversals(
    in_one_batch: InOneBatch, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    A sale, its repetition, its reversal by two ids, and again: one debit, one credit.
    """
    plastic, sale, reversal = await pair_card(), new_id(), new_id()
    answers = await in_one_batch(
        lambda till: till.redeem(plastic, 30_00, request_id=sale),
        lambda till: till.redeem(plastic, 30_00, request_id=sale),
        lambda till: till.redeem(plastic, 31_00, request_id=sale),
        lambda till: till.reverse(sale, request_id=reversal),
        lambda till: till.reverse(sale),
        lambda till: till.reverse(sale, request_id=reversal),
        lambda till: till.redeem(plastic, 30_00, request_id=sale),
    )

    first, again, other, undone, nothing, undone_again, late = map(told, answers)
    assert again == replace(first, replayed=True)
    assert other.result == "DUPLICATE"
    assert (undone.approved, undone.available) == ("30.00 USD", "100.00 USD")
    assert (nothing.result, nothing.approved) == ("APPROVED", "0.00 USD")
    assert undone_again == replace(undone, replayed=True)
    assert late == replace(first, state="REVERSED", replayed=True)
    assert pair_look.debits(plastic) == (1, 30_00)
    assert pair_look.rows(plastic)[1:] == [
        ("REDEEM", "APPROVED"),
        ("REVERSAL", "APPROVED"),
        ("REVERSAL", "APPROVED"),
    ]
    assert pair_look.card(plastic).balance == 100_00


async def test_reversals_before_their_originals(
    in_one_batch: InOneBatch, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    A reversal, another of the same id, and the original: 25, 25, and 21 for ever.
    """
    plastic, sale = await pair_card(), new_id()
    answers = await in_one_batch(
        lambda till: till.reverse(sale),
        lambda till: till.reverse(sale),
        lambda till: till.redeem(plastic, 30_00, request_id=sale),
        lambda till: till.load(plastic, 30_00, request_id=sale),
    )

    assert results(answers) == [
        "ORIGINAL_NOT_FOUND",
        "ORIGINAL_NOT_FOUND",
        "ALREADY_REVERSED",
        "ALREADY_REVERSED",
    ]
    assert pair_look.key(sale) == "tombstone"
    assert pair_look.debits(plastic) == (0, 0)


async def test_a_reversal_that_may_leave_no_tombstone(
    in_one_batch: InOneBatch, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    A reversal that proves a DUPLICATE names an id that comes later: that one is free.
    """
    plastic, used, sale = await pair_card(), new_id(), new_id()
    answers = await in_one_batch(
        lambda till: till.redeem(plastic, 1_00, request_id=used),
        lambda till: till.reverse(sale, request_id=used),
        lambda till: till.redeem(plastic, 30_00, request_id=sale),
        lambda till: till.reverse(used),
        lambda till: till.reverse(sale),
    )

    assert results(answers) == [
        "APPROVED",
        "DUPLICATE",
        "APPROVED",
        "APPROVED",
        "APPROVED",
    ]
    assert (pair_look.key(used), pair_look.key(sale)) == ("request", "request")
    assert pair_look.card(plastic).balance == 100_00


async def test_reversals_of_reversals(
    in_one_batch: InOneBatch, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    A reversal of a reversal of the same batch: 21; of one that never was: 25.

    That one is shut out when it comes, and leaves its own original alone.
    """
    plastic = await pair_card()
    sale, undone, never, kept = (new_id() for _ in range(4))
    answers = await in_one_batch(
        lambda till: till.redeem(plastic, 30_00, request_id=sale),
        lambda till: till.reverse(sale, request_id=undone),
        lambda till: till.reverse(undone),
        lambda till: till.reverse(never),
        lambda till: till.reverse(kept, request_id=never),
        lambda till: till.redeem(plastic, 10_00, request_id=kept),
    )

    assert results(answers) == [
        "APPROVED",
        "APPROVED",
        "CANNOT_BE_REVERSED",
        "ORIGINAL_NOT_FOUND",
        "ALREADY_REVERSED",
        "APPROVED",
    ]
    assert pair_look.key(never) == "tombstone"
    assert pair_look.card(plastic).balance == 90_00


async def test_an_activation_undone_in_its_batch(
    in_one_batch: InOneBatch, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    Activated, spent, not to be undone; the sale undone, then the activation; anew.
    """
    plastic, activation, sale = await pair_card(None), new_id(), new_id()
    answers = await in_one_batch(
        lambda till: till.activate(plastic, 25_00, request_id=activation),
        lambda till: till.redeem(plastic, 5_00, request_id=sale),
        lambda till: till.reverse(activation),
        lambda till: till.reverse(sale),
        lambda till: till.reverse(activation),
        lambda till: till.activate(plastic, 10_00),
    )

    assert results(answers) == [
        "APPROVED",
        "APPROVED",
        "FURTHER_ACTIVITY_PREVENTS_REVERSAL",
        "APPROVED",
        "APPROVED",
        "APPROVED",
    ]
    assert told(answers[4]).card == "PENDING"
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=10_00, loads=1)
