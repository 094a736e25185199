"""
Behaviours 15 to 17: the same request id again, wherever and whenever.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import transaction_pb2
from tests.support.look import CardRow, Look
from tests.support.retrying import until_answered
from tests.support.server import Card, Gateway, wait_for
from tests.support.stores import flush
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Till, Tills, money, new_id, request_of
from tests.support.told import Outcome, Told, told

_PAID: Final = Told(
    result="APPROVED",
    code="00",
    requested="30.00 USD",
    approved="30.00 USD",
    due="0.00 USD",
    previous="100.00 USD",
    available="70.00 USD",
    ledger="70.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)
_DUPLICATE: Final = Told(result="DUPLICATE", code="94", state="DECLINED")


def sale_of(card: Card) -> Any:
    """
    Make the request of behaviour 8.
    """
    return request_of("Redeem", card_number=card.number, amount=money(30_00))


def same(first: Outcome, again: Outcome) -> bool:
    """
    Tell whether an answer is the first one in every field, but marked as replayed.
    """
    assert again.replayed
    unmarked = transaction_pb2.Outcome()
    unmarked.CopyFrom(again)
    unmarked.replayed = False
    return first == unmarked


async def test_15_sent_twice(till: Till, card: MakeCard, look: Look) -> None:
    """
    15: The same Redeem twice: one debit, the second answer identical, replayed.
    """
    plastic = await card()
    request = sale_of(plastic)
    first = (await till.send("Redeem", request)).outcome
    again = (await till.send("Redeem", request)).outcome

    assert told(first) == _PAID
    assert same(first, again)
    assert look.debits(plastic) == (1, 30_00)
    assert look.rows(plastic)[1:] == [("REDEEM", "APPROVED")]


async def test_15_over_the_other_transport(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    15: Sent unary and again over Transact, and the other way round: replayed.
    """
    plastic, single = await card(), await tills("till-1")
    one, other = sale_of(plastic), sale_of(plastic)
    async with streaming(single) as over_stream:
        first = (await single.send("Redeem", one)).outcome
        first_again = (await over_stream.send("Redeem", one)).outcome
        second = (await over_stream.send("Redeem", other)).outcome
        second_again = (await single.send("Redeem", other)).outcome

    assert same(first, first_again)
    assert same(second, second_again)
    assert look.debits(plastic) == (2, 60_00)


async def test_15_in_parallel(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    15: In parallel, 24 times, over two workers, unary and streams: one debit.
    """
    plastic = await pair_card()
    request = sale_of(plastic)
    singles = [await pair("till-1", worker=worker) for worker in (1, 2, 1, 2)]
    async with streaming(singles[0]) as one, streaming(singles[1]) as other:
        replies = await asyncio.gather(
            *(
                till.send("Redeem", request)
                for _ in range(6)
                for till in (one, other, *singles[2:])
            )
        )

    answers = [reply.outcome for reply in replies]
    (first,) = [answer for answer in answers if not answer.replayed]
    assert told(first) == _PAID
    assert all(same(first, answer) for answer in answers if answer.replayed)
    assert {reply.worker for reply in replies} >= {1, 2}
    assert pair_look.debits(plastic) == (1, 30_00)
    assert pair_look.card(plastic) == CardRow("ACTIVE", balance=70_00, loads=1)


async def test_15_after_restart_and_flush(
    two_workers: Gateway, pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    15: After FLUSHALL, after a restart of both workers, and after both: replayed.
    """
    plastic = await pair_card()
    request = sale_of(plastic)
    till = await pair("till-1")
    first = (await till.send("Redeem", request)).outcome
    flush(two_workers.redis_url)
    after_flush = (await till.send("Redeem", request)).outcome
    for worker in (1, 2):
        assert await asyncio.to_thread(two_workers.stop, worker) == 0
        two_workers.start(worker)
    restarted = await until_answered(
        lambda: till.send("Redeem", request, wait_for_ready=True)
    )
    flush(two_workers.redis_url)
    after_both = (await till.send("Redeem", request)).outcome

    assert told(first) == _PAID
    assert same(first, after_flush)
    assert same(first, restarted.outcome)
    assert same(first, after_both)
    assert pair_look.debits(plastic) == (1, 30_00)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": money(31_00)},
        {"amount": money(30_00, "EUR")},
        {"allow_partial": True},
        {"amount": money(0)},
    ],
    ids=["amount", "currency", "partial", "zero"],
)
async def test_16_other_content(
    till: Till, card: MakeCard, look: Look, change: dict[str, Any]
) -> None:
    """
    16: Same request id, other content: 94 DUPLICATE, no money moved, no row.
    """
    plastic = await card()
    request = sale_of(plastic)
    await till.send("Redeem", request)
    before = look.footprint()
    changed = request_of("Redeem", request_id=request.request_id)
    changed.MergeFrom(request)
    for name in change:
        changed.ClearField(name)
    changed.MergeFrom(pb.RedeemRequest(**change))
    answer = (await till.send("Redeem", changed)).outcome
    again = (await till.send("Redeem", request)).outcome

    assert told(answer) == _DUPLICATE
    assert look.footprint() == before
    assert told(again) == replace(_PAID, replayed=True)


async def test_16_another_card_or_operation(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    16: Same request id for another card or another operation: 94 DUPLICATE.
    """
    plastic, other, pending = await card(), await card(), await card(None)
    request_id = new_id()
    await till.redeem(plastic, 30_00, request_id=request_id)
    before = look.footprint()
    answers = [
        await till.redeem(other, 30_00, request_id=request_id),
        await till.load(plastic, 30_00, request_id=request_id),
        await till.activate(pending, 30_00, request_id=request_id),
        await till.reverse(new_id(), request_id=request_id),
        await till.reverse(request_id, request_id=request_id),
    ]

    assert [told(answer) for answer in answers] == [_DUPLICATE] * 5
    assert look.footprint() == before


async def test_16_another_reason_or_original(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    16: A Load or Reverse under its old id with another reason or original: 94.

    No tombstone stays for the original that the duplicate named.
    """
    plastic, unseen = await card(), new_id()
    load = await till.load(plastic, 5_00, load_type=pb.LOAD_TYPE_PROMO)
    undone = await till.reverse(load)
    before = look.footprint()
    answers = [
        await till.load(plastic, 5_00, request_id=load.request_id),
        await till.reverse(unseen, request_id=undone.request_id),
        await till.reverse(
            load,
            pb.REVERSAL_REASON_INVALID_RESPONSE,
            request_id=undone.request_id,
        ),
        await till.reverse(
            load, card_number=plastic.number, request_id=undone.request_id
        ),
    ]

    assert [told(answer) for answer in answers] == [_DUPLICATE] * 4
    assert look.key(unseen) == "nothing"
    assert look.footprint() == before


async def test_what_is_no_content(till: Till, card: MakeCard, look: Look) -> None:
    """
    References, cashier, times, entry mode and exponent may differ in a repetition.

    The stored answer comes back, with what the first request said of these.
    """
    plastic = await card()
    request = sale_of(plastic)
    request.till.MergeFrom(transaction_pb2.TillContext(cashier_id="7"))
    first = (await till.send("Redeem", request)).outcome
    request.till.CopyFrom(
        transaction_pb2.TillContext(
            merchant_reference="other",
            cashier_id="8",
            entry_mode=transaction_pb2.ENTRY_MODE_KEYED,
            local_time="2025-01-01T00:00:00+02:00",
            system_trace_no="2",
            terminal_batch_no="9",
        )
    )
    request.terminal_id = "t-1"
    request.amount.exponent = 3
    request.request_id = request.request_id.upper()
    again = (await till.send("Redeem", request)).outcome

    assert again.till.cashier_id == "7"
    assert same(first, again)
    assert look.debits(plastic) == (1, 30_00)


async def test_an_unspoken_load_type_is_a_sale(till: Till, card: MakeCard) -> None:
    """
    A Load without a type and one that says SALE are the same request.
    """
    plastic, request_id = await card(), new_id()
    first = await till.load(plastic, 5_00, request_id=request_id)
    again = await till.load(
        plastic, 5_00, request_id=request_id, load_type=pb.LOAD_TYPE_SALE
    )

    assert same(first, again)


@pytest.mark.parametrize("worker", [1, 2])
async def test_17_while_the_first_runs(
    two_workers: Gateway,
    pair: Tills,
    pair_card: MakeCard,
    pair_look: Look,
    worker: int,
) -> None:
    """
    17: Sent again while the first runs, on its worker or another: waits, is replayed.
    """
    one = await pair("till-1", worker=1)
    other = await pair("till-1", worker=worker)
    plastic = await pair_card()
    request = sale_of(plastic)
    two_workers.order_fault("before_commit", "hold")
    first = asyncio.ensure_future(one.send("Redeem", request))
    await asyncio.to_thread(wait_for, two_workers.is_held)
    second = asyncio.ensure_future(other.send("Redeem", request))
    await asyncio.sleep(0.1)
    waited = not second.done()
    two_workers.let_go()
    replies = await asyncio.gather(first, second)

    assert waited
    assert [reply.worker for reply in replies] == [1, worker]
    assert told(replies[0].outcome) == _PAID
    assert same(replies[0].outcome, replies[1].outcome)
    assert pair_look.debits(plastic) == (1, 30_00)
