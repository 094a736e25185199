"""
PINs: behaviour 36, and what goes with it (domain 1.7).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest

from scrip.v1 import result_pb2
from tests.support.look import Look
from tests.support.server import Card, Gateway
from tests.support.stores import flush
from tests.support.tills import (
    MakeCard,
    Outcome,
    Till,
    Tills,
    card_maker,
    fault,
    new_id,
    open_tills,
)
from tests.support.told import Told
from tests.support.told import told as read

StartGateway = Callable[..., Gateway]
RIGHT, WRONG = "493827", "000000"
INCORRECT, REQUIRED, LOCKED = (
    result_pb2.RESULT_INCORRECT_PIN,
    result_pb2.RESULT_PIN_REQUIRED,
    result_pb2.RESULT_PIN_TRIES_EXCEEDED,
)
GUESSES = 200


@pytest.fixture
def pin_card(card: MakeCard) -> MakeCard:
    """
    Make cards of a product that asks a PIN for everything.
    """

    async def make(balance: int | None = 100_00, **more: object) -> Card:
        return await card(balance, product="pin", **{"pin": RIGHT, **more})

    return make


def tries_of(look: Gateway | Look, card: Card) -> tuple[int, int]:
    """
    Read how often a card's PIN was wrong: in a row by tills, and ever.
    """
    gateway = look if isinstance(look, Gateway) else look.gateway
    rows = gateway.sql(
        "SELECT tries, wrong_total FROM card_pin_try WHERE card_id = %s", card.card_id
    )
    return rows[0] if rows else (0, 0)


def told_of(*outcomes: Outcome) -> list[tuple[int, str]]:
    """
    Read results with their codes.
    """
    return [(told.result, told.response_code) for told in outcomes]


async def test_36_wrong_three_times_then_right(
    till: Till, pin_card: MakeCard, gateway_process: Gateway
) -> None:
    """
    36: 55, 55, 55, then 75 with the right PIN too; nothing is told or moved.
    """
    plastic = await pin_card()

    told = [await till.redeem(plastic, 1_00, pin=WRONG) for _ in range(3)]
    locked = [await till.redeem(plastic, 1_00, pin=pin) for pin in (RIGHT, WRONG)]

    wrong = Told(
        result="INCORRECT_PIN",
        code="55",
        requested="1.00 USD",
        approved="0.00 USD",
        due="1.00 USD",
        state="DECLINED",
    )
    assert [read(one) for one in told] == [wrong] * 3
    shut = Told(result="PIN_TRIES_EXCEEDED", code="75")
    for one in locked:
        assert read(one) == replace(wrong, result=shut.result, code=shut.code)
    assert gateway_process.balance_of(plastic) == 100_00
    assert tries_of(gateway_process, plastic) == (3, 3)


async def test_36_a_right_pin_before_the_limit_resets_it(
    till: Till, pin_card: MakeCard, gateway_process: Gateway
) -> None:
    """
    36: Twice wrong, once right, over and over: never locked.
    """
    plastic = await pin_card()

    for _ in range(3):
        told = [
            await till.redeem(plastic, 1_00, pin=pin) for pin in (WRONG, WRONG, RIGHT)
        ]
        assert [one.response_code for one in told] == ["55", "55", "00"]

    assert tries_of(gateway_process, plastic) == (0, 6)
    assert gateway_process.balance_of(plastic) == 97_00


async def test_no_answer_is_a_balance_without_a_pin(
    till: Till, pin_card: MakeCard
) -> None:
    """
    What changed the card has a receipt; what is refused or undoes nothing tells none.
    """
    plastic = await pin_card()
    sale = await till.redeem(plastic, 10_00, pin=RIGHT)
    too_much = await till.redeem(plastic, 999_00, pin=RIGHT)
    undone = await till.reverse(sale)

    for told, available in ((sale, "90.00"), (too_much, "90.00"), (undone, "100.00")):
        assert read(told).available == f"{available} USD"
    for told in (
        await till.deactivate(plastic),
        await till.reverse(sale),
        await till.void(sale),
        await till.refund(sale, 1_00),
        await till.redeem(plastic, 999_00),
    ):
        assert (read(told).available, read(told).ledger) == ("", "")


async def test_36_the_counter_survives_a_restart(start_gateway: StartGateway) -> None:
    """
    36: SIGKILL of the worker and an emptied Redis between tries: the count goes on.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        plastic = await card_maker(tills)(product="pin", pin=RIGHT)
        for tries in (1, 2, 3):
            till = await tills("till-1")
            told = await till.redeem(plastic, 1_00, pin=WRONG)
            assert told.result == INCORRECT
            gateway.kill()
            flush(gateway.redis_url)
            assert tries_of(gateway, plastic) == (tries, tries)
            gateway.start()
        till = await tills("till-1")
        assert (await till.redeem(plastic, 1_00, pin=RIGHT)).result == LOCKED


async def test_36_the_lock_decays(start_gateway: StartGateway) -> None:
    """
    After an hour without a try the count starts anew; a minute before it does not.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        plastic = await card_maker(tills)(product="pin", pin=RIGHT)
        till = await tills("till-1")
        for _ in range(3):
            assert (await till.redeem(plastic, 1_00, pin=WRONG)).result == INCORRECT
        gateway.shift_clock(timedelta(minutes=59))
        assert (await till.redeem(plastic, 1_00, pin=RIGHT)).result == LOCKED
        gateway.shift_clock(timedelta(minutes=61))
        told = [
            await till.redeem(plastic, 1_00, pin=WRONG),
            await till.redeem(plastic, 1_00, pin=RIGHT),
        ]

    assert [one.response_code for one in told] == ["55", "00"]


async def test_each_operation_asks_for_it(till: Till, pin_card: MakeCard) -> None:
    """
    Without a PIN 55 PIN_REQUIRED and nothing moves; with it, approved.
    """
    plastic = await pin_card(8_00)
    required = Told(result="PIN_REQUIRED", code="55")

    missing = [
        await till.load(plastic, 1_00),
        await till.redeem(plastic, 1_00),
        await till.balance(plastic),
        await till.cash_out(plastic),
    ]
    sent = [
        await till.load(plastic, 1_00, pin=RIGHT),
        await till.redeem(plastic, 1_00, pin=RIGHT),
        await till.balance(plastic, pin=RIGHT),
        await till.cash_out(plastic, pin=RIGHT),
    ]

    for one in missing:
        assert (read(one).result, read(one).code) == (required.result, required.code)
        assert not one.HasField("ledger_balance")
    assert [one.response_code for one in sent] == ["00"] * 4
    assert sent[2].ledger_balance.minor_units == 8_00


async def test_a_card_that_was_issued_without_a_pin(till: Till, card: MakeCard) -> None:
    """
    Where one is needed it cannot be used; where none is, what is sent is ignored.
    """
    needed, free = await card(product="pin"), await card()

    assert (await till.redeem(needed, 1_00, pin=RIGHT)).result == REQUIRED
    assert (await till.redeem(free, 1_00, pin=RIGHT)).response_code == "00"
    assert (await till.balance(free, pin=RIGHT)).response_code == "00"


async def test_a_balance_counts_like_a_sale(
    till: Till, pin_card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Asking for the balance is no way to guess for nothing, and leaves no row.
    """
    plastic = await pin_card()
    ((before,),) = gateway_process.sql("SELECT count(*) FROM transaction")

    told = [
        await till.balance(plastic, pin=WRONG, request_id=new_id()),
        await till.balance(plastic, pin=WRONG),
        await till.balance(plastic, pin=WRONG),
        await till.balance(plastic, pin=RIGHT),
    ]

    assert [one.response_code for one in told] == ["55", "55", "55", "75"]
    assert gateway_process.sql("SELECT count(*) FROM transaction") == [(before,)]
    assert tries_of(gateway_process, plastic) == (3, 3)
    assert (await till.redeem(plastic, 1_00, pin=RIGHT)).result == LOCKED


async def test_a_balance_of_an_unknown_card_tells_no_more(till: Till) -> None:
    """
    14 with a PIN as without.
    """
    told = await till.balance("6036280000000000007", pin=RIGHT)

    assert told.response_code == "14"
    assert not told.HasField("ledger_balance")


async def test_a_repeated_request_counts_once(
    till: Till, pin_card: MakeCard, gateway_process: Gateway
) -> None:
    """
    The same id gives the same 55, whatever PIN comes with it: it is not compared.
    """
    plastic, request_id = await pin_card(), new_id()

    first, *again = [
        await till.redeem(plastic, 1_00, pin=pin, request_id=request_id)
        for pin in (WRONG, WRONG, RIGHT, None, "12345678")
    ]

    for one in again:
        assert one.replayed
        assert one.transaction_id == first.transaction_id
        assert (one.result, one.receipt_text) == (INCORRECT, first.receipt_text)
    assert tries_of(gateway_process, plastic) == (1, 1)


async def test_the_pin_is_no_part_of_what_a_request_asks(
    till: Till, pin_card: MakeCard
) -> None:
    """
    An approved sale repeated without its PIN, or with another, is a replay and not 94.
    """
    plastic, request_id = await pin_card(), new_id()

    first, *again = [
        await till.redeem(plastic, 1_00, pin=pin, request_id=request_id)
        for pin in (RIGHT, None, WRONG)
    ]

    assert first.response_code == "00"
    assert [(one.response_code, one.replayed) for one in again] == [("00", True)] * 2
    assert {one.approval_code for one in again} == {first.approval_code}


async def test_a_wrong_pin_is_reversed_like_any_decline(
    till: Till, pin_card: MakeCard, gateway_process: Gateway
) -> None:
    """
    00, nothing undone: the try stays counted. Before the original: 25, then 21.
    """
    plastic, late = await pin_card(), new_id()
    declined = await till.redeem(plastic, 1_00, pin=WRONG)

    undone = await till.reverse(declined)
    lost = await till.reverse(late)
    never = await till.redeem(plastic, 1_00, pin=WRONG, request_id=late)

    assert [one.response_code for one in (undone, lost, never)] == ["00", "25", "21"]
    assert tries_of(gateway_process, plastic) == (1, 1)


async def test_what_gives_back_asks_for_no_pin(till: Till, pin_card: MakeCard) -> None:
    """
    A locked card takes its refund, its void and its reversal (domain 1.2).
    """
    plastic = await pin_card()
    sales = [await till.redeem(plastic, 5_00, pin=RIGHT) for _ in range(3)]
    for _ in range(3):
        await till.redeem(plastic, 1_00, pin=WRONG)

    told = [
        await till.refund(sales[0], 5_00),
        await till.void(sales[1]),
        await till.reverse(sales[2]),
    ]

    assert [one.response_code for one in told] == ["00"] * 3


@pytest.mark.parametrize("pin", ["123", "1234567890123", "12a4", "12 45"])
async def test_what_is_no_pin_cannot_be_read(
    till: Till, pin_card: MakeCard, pin: str, gateway_process: Gateway
) -> None:
    """
    INVALID_ARGUMENT names the field and does not repeat it; nothing is counted.
    """
    plastic = await pin_card()

    for call in (till.redeem(plastic, 1_00, pin=pin), till.balance(plastic, pin=pin)):
        refused = await fault(call)
        assert refused.fields == ("pin",)
        assert pin not in refused.details
    assert tries_of(gateway_process, plastic) == (0, 0)


async def test_a_change_of_policy_is_in_force_with_the_next_request(
    start_gateway: StartGateway,
) -> None:
    """
    A product that asks no more, and one that allows fewer tries.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till = await tills("till-1")
        plastic = await card_maker(tills)(product="pin", pin=RIGHT)
        assert (await till.redeem(plastic, 1_00, pin=WRONG)).result == INCORRECT
        gateway.sql("UPDATE card_product SET pin_max_tries = 1 WHERE code = 'pin'")
        assert (await till.redeem(plastic, 1_00, pin=RIGHT)).result == LOCKED
        gateway.sql("UPDATE card_product SET pin_required_for = '{}'")
        assert (await till.redeem(plastic, 1_00)).response_code == "00"


async def test_36_200_parallel_guesses_over_two_workers(
    pair: Tills, pair_card: MakeCard, two_workers: Gateway
) -> None:
    """
    Exactly three 55 and 197 times 75, by sales and balances alike, on two workers.
    """
    plastic = await pair_card(product="pin", pin=RIGHT)
    tills = [await pair("till-1", worker=1), await pair("till-2", worker=2)]

    told = await asyncio.gather(
        *(
            till.redeem(plastic, 1_00, pin=f"{number:06d}")
            if number % 5
            else till.balance(plastic, pin=f"{number:06d}")
            for number, till in zip(range(GUESSES), cycle(tills), strict=False)
        )
    )

    assert Counter(told_of(*told)) == {(INCORRECT, "55"): 3, (LOCKED, "75"): 197}
    assert tries_of(two_workers, plastic) == (3, 3)
    assert two_workers.balance_of(plastic) == 100_00
