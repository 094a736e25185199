"""
Budgets throttle who asks, whatever he asks, and nobody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from scrip.v1 import card_service_pb2 as pb
from tests.support.server import Gateway
from tests.support.stores import flush
from tests.support.tills import (
    UNKNOWN_NUMBER,
    Till,
    card_maker,
    fault,
    money,
    new_id,
    open_tills,
    request_of,
)

StartGateway = Callable[..., Gateway]

REQUESTS = 40
FAILED = 6
BATCH = 16
GUESSES = 200

Ask = Callable[[Till], Awaitable[Any]]

LOOK_UPS: dict[str, Ask] = {
    "Activate": lambda till: till.activate(UNKNOWN_NUMBER),
    "Load": lambda till: till.load(UNKNOWN_NUMBER, 1_00),
    "Redeem": lambda till: till.redeem(UNKNOWN_NUMBER, 1_00),
    "GetBalance": lambda till: till.balance(UNKNOWN_NUMBER),
    "GetBalance with an id": lambda till: till.balance(
        UNKNOWN_NUMBER, request_id=new_id()
    ),
}


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    """
    Start a gateway with small budgets.
    """
    return start_gateway(
        LIMITS__TERMINAL_REQUESTS_PER_MINUTE=str(REQUESTS),
        LIMITS__FAILED_LOOKUPS_PER_TERMINAL=str(FAILED),
        LIMITS__FAILED_LOOKUPS_PER_STORE=str(3 * FAILED),
        LANE__BATCH_LIMIT=str(BATCH),
        REDIS__TIMEOUT_MS="1000",
    )


async def is_throttled(call: Awaitable[Any]) -> bool:
    """
    Tell whether a call is told to wait, and nothing else.
    """
    refused = await fault(call)
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.reason == "NOT_APPLIED"
    assert refused.retry_after_ms is not None
    return 0 < refused.retry_after_ms <= 61_000


async def until_throttled(till: Till, ask: Ask, limit: int) -> int:
    """
    Ask until it is too much; count the answers.
    """
    for answered in range(limit):
        try:
            await ask(till)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017
            return answered
    message = f"{limit} were answered"
    raise AssertionError(message)


@pytest.mark.parametrize("kind", LOOK_UPS)
async def test_failed_look_ups_of_each_kind(gateway: Gateway, kind: str) -> None:
    """
    Each counts; who guessed too often does nothing new, with good cards neither.
    """
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        till = await tills("till-2")
        answered = await until_throttled(till, LOOK_UPS[kind], 3 * FAILED)
        throttled = await is_throttled(till.redeem(card, 1_00))
        other = await (await tills("till-3")).redeem(card, 1_00)

    assert answered == FAILED
    assert throttled
    assert other.response_code == "00"


async def test_guesses_that_come_at_once(gateway: Gateway) -> None:
    """
    Over a stream no more than one batch gets through before the budget is felt.
    """
    async with open_tills(gateway) as tills:
        stream = (await tills("till-2")).stream()
        for sequence in range(GUESSES):
            guess = request_of("Redeem", card_number=UNKNOWN_NUMBER, amount=money(1))
            await stream.write(pb.TransactRequest(sequence=sequence, redeem=guess))
        told = [await stream.read() for _ in range(GUESSES)]
        stream.cancel()
    declined = [each for each in told if each.HasField("redeem")]
    refused = [each.fault for each in told if each.HasField("fault")]

    assert {each.redeem.outcome.response_code for each in declined} == {"14"}
    # The first batches may be small; each admission sees what was before it.
    assert FAILED <= len(declined) <= FAILED + BATCH
    assert {each.code for each in refused} == {8}


async def test_a_retry_is_never_throttled(gateway: Gateway) -> None:
    """
    What was counted once passes, though everything is used up: by requests, by guesses.
    """
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        till = await tills("till-2")
        sale = request_of("Redeem", card_number=card.number, amount=money(1_00))
        guess = request_of("Redeem", card_number=UNKNOWN_NUMBER, amount=money(1_00))
        first = [(await till.send("Redeem", each)).outcome for each in (sale, guess)]
        await until_throttled(till, LOOK_UPS["Redeem"], 3 * FAILED)
        again = [(await till.send("Redeem", each)).outcome for each in (sale, guess)]

    assert [each.replayed for each in again] == [True, True]
    assert [each.transaction_id for each in again] == [
        each.transaction_id for each in first
    ]


async def test_guesses_at_all_tills_of_a_store(gateway: Gateway) -> None:
    """
    A store has a budget of its own; a store beside it does not notice.
    """
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        for name in ("till-2", "till-3", "till-4"):
            await until_throttled(await tills(name), LOOK_UPS["Redeem"], 3 * FAILED)
        throttled = await is_throttled((await tills("till-1")).redeem(card, 1_00))
        beside = await (await tills("other-store")).redeem(card, 1_00)

    assert throttled
    assert beside.response_code == "00"


async def test_questions_about_another_till(gateway: Gateway) -> None:
    """
    They count for the till that asks: nobody can ask a neighbour out of its sales.
    """
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        nosy, neighbour = await tills("till-2"), await tills("till-1")

        codes = [
            (await fault(nosy.transaction(new_id(), terminal_id="t-1"))).code
            for _ in range(REQUESTS + 1)
        ]
        throttled = await is_throttled(nosy.redeem(card, 1_00))
        sold = await neighbour.redeem(card, 1_00)

    assert codes.count(grpc.StatusCode.NOT_FOUND) == REQUESTS
    assert throttled
    assert sold.response_code == "00"


async def test_questions_of_a_controller(gateway: Gateway) -> None:
    """
    A controller has no terminal of its own: its questions count for the one it names.
    """
    async with open_tills(gateway) as tills:
        await tills("till-2")
        controller = await tills("controller")
        codes = [
            (await fault(controller.transaction(new_id(), terminal_id="t-2"))).code
            for _ in range(REQUESTS + 1)
        ]
        other = await fault(controller.transaction(new_id(), terminal_id="t-2"))

    assert codes.count(grpc.StatusCode.NOT_FOUND) == REQUESTS
    assert other.code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_budgets_of_a_worker_alone(
    start_gateway: StartGateway, valkey_url: str
) -> None:
    """
    Without Redis a worker counts for itself, guesses and requests alike.
    """
    flush(valkey_url)
    gateway = start_gateway(
        REDIS__URL="unix:///nowhere/valkey.sock",
        LIMITS__TERMINAL_REQUESTS_PER_MINUTE=str(REQUESTS),
        LIMITS__FAILED_LOOKUPS_PER_TERMINAL=str(FAILED),
    )
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)()
        sale = request_of("Redeem", card_number=card.number, amount=money(1_00))
        guesser, eager = await tills("till-2"), await tills("till-3")
        first = (await guesser.send("Redeem", sale)).outcome
        answered = await until_throttled(guesser, LOOK_UPS["Redeem"], 3 * FAILED)
        again = (await guesser.send("Redeem", sale)).outcome
        sold = await until_throttled(
            eager, lambda till: till.redeem(card, 1), REQUESTS + 5
        )

    assert answered == FAILED
    assert (again.transaction_id, again.replayed) == (first.transaction_id, True)
    assert sold == REQUESTS
