"""
The clerk releases what nobody touches, once, whatever becomes of it or of Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.support.placing import (
    EXPIRIES,
    MARK,
    are_released,
    authorize,
    held,
    redis_of,
    until,
)
from tests.support.server import CLERK, Gateway
from tests.support.tills import MakeCard, Till, Tills, card_maker, open_tills

StartGateway = Callable[..., Gateway]
POINTS = ("due_taken", "before_commit", "after_commit", "after_answer")
EXPIRED = 4
PROMPT_S = 2.0


@pytest.fixture
def served(start_gateway: StartGateway) -> Iterator[Gateway]:
    """
    Give a gateway with one worker, and no clerk so far.
    """
    gateway = start_gateway()
    with redis_of(gateway) as client:
        client.flushall()
    yield gateway
    if CLERK in gateway.processes:
        assert gateway.stop(CLERK) == 0, gateway.log(CLERK)[-2000:]


async def placed(
    tills: Tills, cards: int, *, life_s: int, each: int = 1
) -> tuple[Till, list[str]]:
    """
    Place holds of 1.00 on new cards; give the till, and the holds' request ids.
    """
    till = await tills("till-1")
    make: MakeCard = card_maker(tills)
    made = [await make() for _ in range(cards)]
    outcomes = await asyncio.gather(
        *(
            authorize(till, card, 1_00, life_s=life_s)
            for card in made
            for _ in range(each)
        )
    )
    return till, [outcome.request_id for outcome in outcomes]


def check_released(gateway: Gateway, count: int) -> None:
    """
    Every hold has ended by its time, once, and no card holds anything.
    """
    holds = held(gateway)

    assert len(holds) == count
    assert {EXPIRED} == {hold.state for hold in holds}
    assert {1} == {hold.releases for hold in holds}
    assert all(hold.lag_s >= 0 for hold in holds)
    assert [(0,)] == gateway.sql("SELECT sum(held_minor)::bigint FROM card")


async def test_holds_that_nobody_touches_are_released(served: Gateway) -> None:
    """
    Woken by their expiry in Redis, it releases them on time: no look at the books.
    """
    served.start_clerk()
    async with open_tills(served) as tills:
        await placed(tills, 10, life_s=2, each=3)
        with redis_of(served) as client:
            await until(lambda: client.zcard(EXPIRIES) == 30)
        await until(lambda: are_released(served))
        check_released(served, 30)
        with redis_of(served) as client:
            await until(lambda: client.zcard(EXPIRIES) == 0)

    assert max(hold.lag_s for hold in held(served)) < PROMPT_S


async def test_what_was_due_without_a_clerk_is_released_at_its_start(
    served: Gateway,
) -> None:
    """
    It loads all open holds from the books, and releases at once what is overdue.
    """
    async with open_tills(served) as tills:
        await placed(tills, 5, life_s=1)
        await placed(tills, 5, life_s=600)
        with redis_of(served) as client:
            client.flushall()
        await asyncio.sleep(1)
        served.start_clerk()
        await until(lambda: sum(hold.releases for hold in held(served)) == 5)
        with redis_of(served) as client:
            await until(
                lambda: client.exists(MARK) == 1 and client.zcard(EXPIRIES) == 5
            )

    assert [1] * 5 + [0] * 5 == [hold.releases for hold in held(served)]


async def test_31_redis_emptied_loses_no_release(served: Gateway) -> None:
    """
    31: what Redis forgot it is told of again, and released in time.
    """
    served.start_clerk()
    async with open_tills(served) as tills:
        await placed(tills, 10, life_s=3)
        with redis_of(served) as client:
            client.flushall()
            await until(lambda: client.zcard(EXPIRIES) == 10)
        await until(lambda: are_released(served))
        check_released(served, 10)

    assert max(hold.lag_s for hold in held(served)) < PROMPT_S


@pytest.mark.parametrize("point", POINTS)
async def test_a_clerk_that_is_killed_releases_once(
    served: Gateway, point: str
) -> None:
    """
    Killed at any place and started again: exactly one RELEASE each.
    """
    served.start_clerk()
    async with open_tills(served) as tills:
        await placed(tills, 6, life_s=1, each=2)
        served.order_fault(point, worker=CLERK)
        assert await asyncio.to_thread(served.wait_until_gone, CLERK) == -9
        served.start_clerk()
        await until(lambda: are_released(served), within_s=15)

        check_released(served, 12)


async def test_30_captures_race_the_clerk(served: Gateway) -> None:
    """
    30: a capture at its hold's last moment wins or loses whole, and a hold ends once.
    """
    served.start_clerk()
    async with open_tills(served) as tills:
        till, requests = await placed(tills, 30, life_s=2, each=4)
        first = held(served)[0].expires_at
        ((left_s,),) = served.sql(
            "SELECT extract(epoch FROM %s - scrip_clock())", first
        )
        await asyncio.sleep(max(0.0, float(left_s) - 0.02))
        outcomes = []
        for request in requests:
            call = till.ask("Capture", original_request_id=request)
            outcomes.append(asyncio.create_task(call))
            await asyncio.sleep(0.002)
        told = [outcome.response_code for outcome in await asyncio.gather(*outcomes)]
        await until(lambda: are_released(served))

    holds = held(served)
    assert {"00", "12"} >= set(told)
    assert told.count("12") == sum(hold.releases for hold in holds)
    assert {0, 1} >= {hold.releases for hold in holds}
    assert [told.count("00")] == [sum(hold.state == 2 for hold in holds)]
    assert [(0,)] == served.sql("SELECT sum(held_minor)::bigint FROM card")


async def test_available_is_exact_without_a_clerk(served: Gateway) -> None:
    """
    A sale of all there is, 50 ms after the expiry, finds the money: no clerk runs.
    """
    async with open_tills(served) as tills:
        till = await tills("till-1")
        card = await card_maker(tills)()
        await authorize(till, card, 60_00, life_s=1)
        (hold,) = held(served)
        before = await till.redeem(card, 100_00)
        ((left_s,),) = served.sql(
            "SELECT extract(epoch FROM %s - scrip_clock())", hold.expires_at
        )
        await asyncio.sleep(float(left_s) + 0.05)
        balance = await till.balance(card)
        sold = await till.redeem(card, 100_00)

    assert before.response_code == "51"
    assert balance.available_balance.minor_units == 100_00
    assert sold.response_code == "00"
    check_released(served, 1)
