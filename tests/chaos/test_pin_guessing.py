"""
PINs are guessed while workers die and Redis forgets: never one compare more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from grpc import aio

from scrip.v1 import result_pb2
from tests.support.server import Card, Gateway
from tests.support.stores import flush
from tests.support.tills import Outcome, Till, Tills, card_maker, new_id, open_tills

GUESSES: Final = 200
RIGHT: Final = "493827"
ATTEMPTS: Final = 100
PAUSE_S: Final = 0.1
POINTS: Final = ("before_commit", "after_commit", "after_answer")


async def insist(till: Till, card: Card, pin: str) -> Outcome:
    """
    Send one guess, again with the same id until it has a final answer.
    """
    request_id = new_id()
    for _ in range(ATTEMPTS):
        try:
            return await till.redeem(card, 1_00, pin=pin, request_id=request_id)
        except aio.AioRpcError:
            await asyncio.sleep(PAUSE_S)
    message = f"no answer in {ATTEMPTS} attempts"
    raise AssertionError(message)


async def _hurt(gateway: Gateway) -> None:
    """
    Kill both workers at each place of the commit, and empty Redis in between.
    """
    for number, point in enumerate(POINTS):
        worker = number % 2 + 1
        await asyncio.to_thread(gateway.wait_until_gone, worker, timeout_s=20)
        flush(gateway.redis_url)
        gateway.start(worker)
        if point != POINTS[-1]:
            gateway.order_fault(POINTS[number + 1], worker=3 - worker)


async def _guess(tills: Tills, card: Card, first: int, count: int) -> list[Outcome]:
    """
    Guess in parallel, on connections to both workers.
    """
    ways = [await tills(name) for name in ("till-1", "till-2", "till-3", "till-4")]
    return await asyncio.gather(
        *(
            insist(ways[guess % len(ways)], card, f"{guess:06d}")
            for guess in range(first, first + count)
        )
    )


async def test_200_guesses_while_workers_die_and_redis_forgets(
    gateway: Gateway,
) -> None:
    """
    Exactly three 55 and 197 times 75, each answer final, and three compares in all.

    Workers are killed before the commit, after it and after the answer: a guess whose
    answer was lost is repeated under its id, and is not counted again.
    """
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)(product="pin", pin=RIGHT)
        other = await card_maker(tills)(product="pin", pin=RIGHT)
        gateway.order_fault(POINTS[0], worker=1)
        hurting = asyncio.create_task(_hurt(gateway))
        told: list[Outcome] = []
        while len(told) < GUESSES:
            told += await _guess(tills, card, len(told), 10)
            flush(gateway.redis_url)
        while not hurting.done():
            # The last orders meet whoever still trades: a sale of another card.
            await insist(await tills("till-1"), other, RIGHT)
            await asyncio.sleep(PAUSE_S)
        await hurting
        last = await insist(await tills("till-2"), card, RIGHT)
    ((tries, total, recorded),) = gateway.sql(
        "SELECT tries, wrong_total, (SELECT count(*) FROM transaction AS t"
        " WHERE t.card_id = p.card_id AND t.result = 27)"
        " FROM card_pin_try AS p WHERE card_id = %s",
        card.card_id,
    )

    results = Counter((one.result, one.response_code) for one in told)
    assert results == {
        (result_pb2.RESULT_INCORRECT_PIN, "55"): 3,
        (result_pb2.RESULT_PIN_TRIES_EXCEEDED, "75"): GUESSES - 3,
    }
    assert (tries, total, recorded) == (3, 3, 3)
    assert last.response_code == "75"
    assert gateway.balance_of(card) == 100_00


async def test_36_each_try_survives_the_death_of_who_counted_it(
    gateway: Gateway,
) -> None:
    """
    36: A worker dies at each wrong PIN's commit, Redis is emptied: 55, 55, 55, 75.
    """
    async with open_tills(gateway) as tills:
        card = await card_maker(tills)(product="pin", pin=RIGHT)
        told = []
        for guess, point in enumerate(POINTS):
            till = await tills("till-1", worker=1)
            gateway.order_fault(point, worker=1)
            told.append(await insist_over(tills, till, card, f"{guess:06d}"))
            await asyncio.to_thread(gateway.wait_until_gone, 1)
            flush(gateway.redis_url)
            gateway.start(1)
        told.append(await insist(await tills("till-1"), card, RIGHT))

    assert [one.response_code for one in told] == ["55", "55", "55", "75"]


async def insist_over(tills: Tills, first: Till, card: Card, pin: str) -> Outcome:
    """
    Send a guess where it meets the fault, then wherever there is an answer.
    """
    request_id = new_id()
    try:
        return await first.redeem(card, 1_00, pin=pin, request_id=request_id)
    except aio.AioRpcError:
        other = await tills("till-1", worker=2)
        return await other.redeem(card, 1_00, pin=pin, request_id=request_id)
