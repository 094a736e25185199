"""
Each method of the contract works end to end, and ends in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import pytest

from scrip.v1 import card_pb2, result_pb2, transaction_pb2
from scrip.v1 import card_service_pb2 as pb
from tests.support.retrying import until_answered
from tests.support.server import Gateway
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    card_maker,
    fault,
    money,
    new_id,
    open_tills,
    request_of,
)

StartGateway = Callable[..., Gateway]


async def test_a_card_lives(till: Till, card: MakeCard) -> None:
    """
    Activate, load, spend, read, reverse, ask: every unary method in one card's life.
    """
    plastic = await card(None)

    activated = await till.activate(plastic, 25_00)
    loaded = await till.load(plastic, 40_00)
    spent = await till.redeem(plastic, 30_00)
    read = await till.balance(plastic)
    undone = await till.reverse(spent)
    asked = await till.transaction(spent)

    assert activated.card.state == card_pb2.Card.STATE_ACTIVE
    assert loaded.available_balance.minor_units == 65_00
    assert spent.available_balance.minor_units == 35_00
    assert read.available_balance.minor_units == 35_00
    assert undone.available_balance.minor_units == 65_00
    assert asked.transaction_id == spent.transaction_id
    assert asked.current_state == transaction_pb2.CURRENT_STATE_REVERSED


async def test_a_replay_is_the_stored_answer(till: Till, card: MakeCard) -> None:
    """
    The same request again gives the same fields, marked as replayed.
    """
    request = request_of(
        "Redeem",
        card_number=(await card()).number,
        amount=money(10_000, "KWD"),
        till=transaction_pb2.TillContext(cashier_id="7", system_trace_no="000123"),
    )

    first = (await till.send("Redeem", request)).outcome
    again = (await till.send("Redeem", request)).outcome

    assert first.conversion.card_amount.minor_units == 32_52
    assert again.replayed
    again.replayed = False
    assert again == first


async def test_an_unknown_card_tells_nothing(till: Till) -> None:
    """
    GetBalance on an unknown number: 14, without a balance.
    """
    told = await till.balance(UNKNOWN_NUMBER)

    assert told.result == result_pb2.RESULT_INVALID_CARD
    assert not told.HasField("available_balance")


async def test_a_stream_serves_all_kinds(till: Till, card: MakeCard) -> None:
    """
    The same operations over Transact, each answered by its number.
    """
    number = (await card()).number
    sale = request_of("Redeem", card_number=number, amount=money(30_00))
    balance = request_of("GetBalance", card_number=number)
    load = request_of("Load", card_number=number, amount=money(5_00))
    stream = till.stream()

    await stream.write(pb.TransactRequest(sequence=1, redeem=sale))
    first = await stream.read()
    await stream.write(pb.TransactRequest(sequence=2, get_balance=balance))
    second = await stream.read()
    await stream.write(pb.TransactRequest(sequence=3, load=load))
    third = await stream.read()
    await stream.done_writing()

    assert first.redeem.outcome.available_balance.minor_units == 70_00
    assert second.get_balance.outcome.available_balance.minor_units == 70_00
    assert third.load.outcome.available_balance.minor_units == 75_00
    assert await stream.code() is grpc.StatusCode.OK


async def test_not_recorded_so_far(till: Till) -> None:
    """
    GetTransaction on an id nobody sent: NOT_FOUND, and not final.
    """
    error = await fault(till.transaction(new_id()))

    assert error.code is grpc.StatusCode.NOT_FOUND
    assert error.metadata == {"final": "false"}
    assert error.worker == 1


async def test_a_controller_speaks_for_its_store(tills: Tills, card: MakeCard) -> None:
    """
    A CONTROLLER names the terminal; the record counts for that one.
    """
    await tills("till-2")
    controller = await tills("controller")
    told = await controller.redeem(await card(), 1_00, terminal_id="t-2")
    error = await fault(controller.redeem(await card(), 1_00))

    assert told.terminal_id == "t-2"
    assert error.code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_revoked_device_is_refused_on_the_open_connection(
    start_gateway: StartGateway,
) -> None:
    """
    Revoked in the books, refused at the next call, which the engine's read shows.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till = await tills("till-1")
        card = await card_maker(tills)()
        gateway.sql("UPDATE device SET revoked = true WHERE code = 'till-1'")
        error = await fault(till.redeem(card, 1_00))

    assert error.code is grpc.StatusCode.PERMISSION_DENIED
    assert error.reason == "DEVICE_DENIED"
    assert gateway.balance_of(card) == 100_00


async def test_two_workers_share_one_port(start_gateway: StartGateway) -> None:
    """
    A retry on the other worker gets the first one's answer; both end with 0.
    """
    gateway = start_gateway(workers=2)
    async with open_tills(gateway) as tills:
        one = await tills("till-1", worker=1)
        two = await tills("till-1", worker=2)
        number = (await card_maker(tills)()).number
        request = request_of("Redeem", card_number=number, amount=money(30_00))
        first = await one.send("Redeem", request)
        second = await two.send("Redeem", request)

    assert (first.worker, second.worker) == (1, 2)
    assert second.outcome.replayed
    assert second.outcome.transaction_id == first.outcome.transaction_id
    assert (gateway.stop(1), gateway.stop(2)) == (0, 0)


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "after_answer"])
async def test_a_worker_killed_on_the_way(
    start_gateway: StartGateway, point: str
) -> None:
    """
    A worker that dies at a named point; the retry has one outcome, and one debit.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till = await tills("till-1")
        card = await card_maker(tills)()
        request = request_of("Redeem", card_number=card.number, amount=money(30_00))
        gateway.order_fault(point, pause_ms=50)
        tried = asyncio.ensure_future(till.send("Redeem", request))
        await asyncio.wait([tried])
        code = await asyncio.to_thread(gateway.wait_until_gone)
        gateway.start()
        second = await until_answered(
            lambda: till.send("Redeem", request, wait_for_ready=True)
        )

    answered = tried.exception() is None
    assert code == -9
    assert answered is (point == "after_answer")
    assert second.outcome.replayed is (point != "before_commit")
    assert second.outcome.response_code == "00"
    assert gateway.balance_of(card) == 70_00


async def test_no_card_number_in_the_log(
    gateway_process: Gateway, till: Till, card: MakeCard
) -> None:
    """
    A number that was used, refused or put into the wrong field is in no line.
    """
    number = (await card()).number
    await till.redeem(number, 1_00, till=_context(number))
    await fault(till.redeem(number, 1_00, request_id=number))
    await asyncio.sleep(0.5)

    assert "Redeem" in gateway_process.log()
    assert number not in gateway_process.log()


def _context(number: str) -> transaction_pb2.TillContext:
    return transaction_pb2.TillContext(merchant_reference=number)
