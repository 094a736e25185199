"""
A rival stands where a batch wants to go, and commits while the batch waits (design 3).

Each test proves that the batch then sees what the rival committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest

from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from scrip.v1 import result_pb2, transaction_pb2
from tests.support.chaos import release, until_struck
from tests.support.chaos_rival import Rival, until_waiting
from tests.support.server import Gateway, prepared_gateway
from tests.support.stores import fresh_database, short_data_folder
from tests.support.tills import (
    MakeCard,
    Reply,
    Till,
    Tills,
    card_maker,
    fault,
    money,
    new_id,
    open_tills,
    request_of,
)

# Longer than any rival of these tests stays, however slow the machine.
PATIENT: Final = {
    "POSTGRES__LOCK_TIMEOUT_MS": "9000",
    "POSTGRES__STATEMENT_TIMEOUT_MS": "10000",
    "POSTGRES__IDLE_IN_TRANSACTION_TIMEOUT_MS": "20000",
}


@pytest.fixture(scope="module")
def patient_gateway(
    postgres_server: EmbeddedPostgres,
    valkey_server: EmbeddedValkey,
    template_database: str,
) -> Iterator[Gateway]:
    """
    Run two workers whose batches wait long for a lock.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(short_data_folder())
        database = stack.enter_context(
            fresh_database(postgres_server, template_database)
        )
        gateway = stack.enter_context(
            prepared_gateway(folder, database, valkey_server.url, **PATIENT)
        )
        gateway.start(1)
        gateway.start(2)
        yield gateway
        assert (gateway.stop(1), gateway.stop(2)) == (0, 0)


@pytest.fixture
async def rival_tills(patient_gateway: Gateway) -> AsyncIterator[Tills]:
    """
    Open tills on them, and check the books afterwards.
    """
    async with open_tills(patient_gateway) as tills:
        yield tills
    patient_gateway.books_check()


@pytest.fixture
async def one(rival_tills: Tills) -> Till:
    """
    Give the till's connection to the first worker.
    """
    return await rival_tills("till-1", worker=1)


@pytest.fixture
async def two(rival_tills: Tills) -> Till:
    """
    Give the same till's connection to the second worker.
    """
    return await rival_tills("till-1", worker=2)


@pytest.fixture
def card(rival_tills: Tills) -> MakeCard:
    """
    Make cards, ACTIVE with ledger 100.00 unless told otherwise.
    """
    return card_maker(rival_tills)


def send(till: Till, method: str, request: Any) -> asyncio.Future[Reply]:
    """
    Send a request in a task of its own.
    """
    return asyncio.ensure_future(till.send(method, request))


async def test_the_same_request_id_on_two_workers(
    patient_gateway: Gateway, one: Till, two: Till, card: MakeCard
) -> None:
    """
    The rival commits a request that both workers are sent: both replay the rival's.

    Another request, which waited for nothing but the card, sees what is left on it.
    """
    plastic = await card(100_00)
    pattern = await one.redeem(plastic, 30_00)
    same = request_of("Redeem", card_number=plastic.number, amount=money(30_00))
    other = request_of("Redeem", card_number=plastic.number, amount=money(41_00))

    with Rival(patient_gateway) as rival:
        made = rival.repeat(pattern.request_id, same.request_id)
        waiting = [send(one, "Redeem", same), send(two, "Redeem", other)]
        await until_waiting(patient_gateway, 2)
        waiting.append(send(two, "Redeem", same))
        assert not any(call.done() for call in waiting)
        rival.commit()
        first, neighbour, second = await asyncio.gather(*waiting)

    assert {first.worker, second.worker} == {1, 2}
    assert first.outcome == second.outcome
    assert first.outcome.replayed
    assert first.outcome.transaction_id == str(made)
    assert first.outcome.available_balance.minor_units == 40_00
    assert neighbour.outcome.result == result_pb2.RESULT_INSUFFICIENT_FUNDS
    assert neighbour.outcome.available_balance.minor_units == 40_00
    assert patient_gateway.balance_of(plastic) == 40_00


async def test_the_same_request_id_on_two_cards(
    patient_gateway: Gateway, one: Till, two: Till, card: MakeCard
) -> None:
    """
    The rival commits the id on another card: 94, and only the key told them apart.

    No lock on a card is shared, so whoever looked before it waited would have spent.
    """
    mine, his = await card(100_00), await card(100_00)
    pattern = await one.redeem(his, 30_00)
    same = request_of("Redeem", card_number=mine.number, amount=money(30_00))
    other = request_of("Redeem", card_number=mine.number, amount=money(10_00))

    with Rival(patient_gateway) as rival:
        rival.repeat(pattern.request_id, same.request_id)
        waiting = [send(two, "Redeem", same), send(two, "Redeem", other)]
        await until_waiting(patient_gateway)
        assert not waiting[0].done()
        rival.commit()
        told, neighbour = await asyncio.gather(*waiting)

    assert told.outcome.result == result_pb2.RESULT_DUPLICATE
    assert not told.outcome.transaction_id
    assert neighbour.outcome.result == result_pb2.RESULT_APPROVED
    assert patient_gateway.balance_of(mine) == 90_00
    assert patient_gateway.balance_of(his) == 40_00


async def test_a_rival_that_gives_up_leaves_nothing(
    patient_gateway: Gateway, one: Till, two: Till, card: MakeCard
) -> None:
    """
    The rival rolls back: one worker decides the request, the other one replays it.
    """
    plastic = await card(100_00)
    pattern = await one.redeem(plastic, 30_00)
    same = request_of("Redeem", card_number=plastic.number, amount=money(30_00))

    with Rival(patient_gateway) as rival:
        made = rival.repeat(pattern.request_id, same.request_id)
        waiting = [send(till, "Redeem", same) for till in (one, two)]
        await until_waiting(patient_gateway, 2)
        rival.rollback()
        told = [reply.outcome for reply in await asyncio.gather(*waiting)]

    assert sorted(outcome.replayed for outcome in told) == [False, True]
    assert len({outcome.transaction_id for outcome in told} - {str(made)}) == 1
    assert patient_gateway.balance_of(plastic) == 40_00


async def test_a_reversal_finds_what_the_rival_did(
    patient_gateway: Gateway, one: Till, two: Till, card: MakeCard
) -> None:
    """
    A reversal waits for the key of its original, and undoes what was committed.

    When the batch began there was no original, so its card was not among those locked.
    """
    plastic = await card(100_00)
    pattern = await one.redeem(plastic, 30_00)
    original = new_id()
    undo = request_of("Reverse", original_request_id=original, reason=4)

    with Rival(patient_gateway) as rival:
        made = rival.repeat(pattern.request_id, original)
        waiting = [send(till, "Reverse", undo) for till in (one, two)]
        await until_waiting(patient_gateway, 2)
        assert not any(call.done() for call in waiting)
        rival.commit()
        told = [reply.outcome for reply in await asyncio.gather(*waiting)]

    assert sorted(outcome.replayed for outcome in told) == [False, True]
    assert {outcome.response_code for outcome in told} == {"00"}
    assert {outcome.original_transaction_id for outcome in told} == {str(made)}
    assert patient_gateway.balance_of(plastic) == 70_00
    asked = await one.transaction(original)
    assert asked.current_state == transaction_pb2.CURRENT_STATE_REVERSED


async def test_the_original_and_its_reversal_on_two_workers(
    patient_gateway: Gateway, one: Till, two: Till, card: MakeCard
) -> None:
    """
    Both stop before their commits; whichever comes first, no money is gone.

    Worker 1 has claimed the original's key and waits at its commit; the reversal on
    worker 2 must wait for it and undo it, and may not leave a tombstone beside it.
    """
    plastic = await card(100_00)
    sale = request_of("Redeem", card_number=plastic.number, amount=money(30_00))
    undo = request_of("Reverse", original_request_id=sale.request_id, reason=4)

    patient_gateway.order_fault("before_commit", "hold", worker=1)
    selling = send(one, "Redeem", sale)
    await until_struck(patient_gateway, 1)
    undoing = send(two, "Reverse", undo)
    await until_waiting(patient_gateway)
    error = await fault(two.transaction(sale.request_id))
    release(patient_gateway, 1)
    sold, undone = await selling, await undoing

    assert error.metadata == {"final": "false"}
    assert (sold.worker, undone.worker) == (1, 2)
    assert sold.outcome.response_code == "00"
    assert undone.outcome.response_code == "00"
    assert undone.outcome.available_balance.minor_units == 100_00
    assert patient_gateway.balance_of(plastic) == 100_00


async def test_a_request_that_runs_on_the_other_worker(
    patient_gateway: Gateway, one: Till, two: Till, card: MakeCard
) -> None:
    """
    17: the same id while the first runs waits, and gets the first's answer, replayed.
    """
    plastic = await card(100_00)
    sale = request_of("Redeem", card_number=plastic.number, amount=money(80_00))

    patient_gateway.order_fault("before_commit", "hold", worker=1)
    first = send(one, "Redeem", sale)
    await until_struck(patient_gateway, 1)
    second = send(two, "Redeem", sale)
    await until_waiting(patient_gateway)
    assert not second.done()
    release(patient_gateway, 1)
    told, again = (await first).outcome, (await second).outcome

    assert not told.replayed
    assert again.replayed
    again.replayed = False
    assert again == told
    assert patient_gateway.balance_of(plastic) == 20_00
