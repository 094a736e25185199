"""
Behaviours 30 and 31 and their mirrors: holds end by time, whatever Redis knows of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import pytest

from tests.support.holding import (
    ToldHold,
    authorize,
    cancel,
    capture,
    increment,
    open_holds,
    told_hold,
)
from tests.support.look import CardRow, Look
from tests.support.rates import books_time, set_books_time
from tests.support.server import Card, Gateway
from tests.support.stores import flush
from tests.support.tills import MakeCard, Till, card_maker, open_tills
from tests.support.told import Outcome, Told, told

StartGateway = Callable[..., Gateway]

_RACES: Final = 12
_RELEASES: Final = """
SELECT count(*)::int FROM transaction
WHERE card_id = %s AND activity = 11 AND request_id IS NULL
"""


@asynccontextmanager
async def one_till(gateway: Gateway) -> AsyncIterator[tuple[Till, MakeCard]]:
    """
    Give a till of a gateway whose clock the test may set.
    """
    async with open_tills(gateway) as tills:
        yield await tills("till-1"), card_maker(tills)


def go_on_from(gateway: Gateway, hold: Outcome, after_ms: float) -> None:
    """
    Let the books' clock go on from so long after the end of a hold.
    """
    end = hold.hold.expires_at.ToDatetime(tzinfo=books_time(gateway).tzinfo)
    set_books_time(gateway, end + timedelta(milliseconds=after_ms))


def releases(gateway: Gateway, card: Card) -> int:
    """
    Count the releases of a card that nobody asked for.
    """
    ((count,),) = gateway.sql(_RELEASES, card.card_id)
    return int(count)


async def test_30_too_late(start_gateway: StartGateway) -> None:
    """
    30: Capture after the hold's time: 12, available 100.00, exactly one RELEASE.

    Whatever comes later gets 12 as well, and writes no second one.
    """
    gateway = start_gateway()
    async with one_till(gateway) as (till, card):
        plastic = await card()
        hold = await authorize(till, plastic, 60_00, live_s=60)
        go_on_from(gateway, hold, 0)
        late = [
            await capture(till, hold, 48_00),
            await capture(till, hold),
            await cancel(till, hold),
            await increment(till, hold, 1_00),
        ]
        rows = Look(gateway).rows(plastic)

    assert {told(one).result for one in late} == {"AUTHORIZATION_EXPIRED"}
    assert told(late[0]) == Told(
        result="AUTHORIZATION_EXPIRED",
        code="12",
        requested="48.00 USD",
        approved="0.00 USD",
        due="48.00 USD",
        previous="100.00 USD",
        available="100.00 USD",
        ledger="100.00 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert {told(one).code for one in late} == {"12"}
    assert {told(one).available for one in late} == {"100.00 USD"}
    assert rows[1:3] == [("AUTHORIZE", "APPROVED"), ("RELEASE", "APPROVED")]
    assert releases(gateway, plastic) == 1


async def test_30_just_in_time(start_gateway: StartGateway) -> None:
    """
    30: A moment before its end the hold is captured whole, and nothing is released.
    """
    gateway = start_gateway()
    async with one_till(gateway) as (till, card):
        plastic = await card()
        hold = await authorize(till, plastic, 60_00, live_s=60)
        go_on_from(gateway, hold, -5_000)
        taken = await capture(till, hold, 48_00)

    assert told(taken).ledger == "52.00 USD"
    assert releases(gateway, plastic) == 0


async def test_30_exact_50_ms_after(start_gateway: StartGateway) -> None:
    """
    30: 50 ms after the end, with nobody who sweeps, all is available again.

    A Redeem of all of it is approved, and GetBalance tells it before the row is
    written.
    """
    gateway = start_gateway()
    async with one_till(gateway) as (till, card):
        plastic, other = await card(), await card()
        hold = await authorize(till, plastic, 60_00, live_s=60)
        await authorize(till, other, 60_00, live_s=60)
        go_on_from(gateway, hold, 50)
        sale = await till.redeem(plastic, 100_00)
        go_on_from(gateway, hold, 1_000)
        balance = told(await till.balance(other))

    assert (told(sale).code, told(sale).previous) == ("00", "100.00 USD")
    assert (balance.available, balance.held) == ("100.00 USD", "0.00 USD")
    assert open_holds(gateway, other) == (1, 60_00)
    assert releases(gateway, other) == 0


async def test_30_each_hold_ends_by_itself(start_gateway: StartGateway) -> None:
    """
    30: Of three holds on a card those end whose time it is; the others stay.
    """
    gateway = start_gateway()
    async with one_till(gateway) as (till, card):
        plastic = await card()
        first = await authorize(till, plastic, 10_00, live_s=60)
        second = await authorize(till, plastic, 20_00, live_s=120)
        last = await authorize(till, plastic, 30_00)
        await capture(till, first, 4_00, keep_open=True)
        go_on_from(gateway, first, 0)
        after_first = told(await till.redeem(plastic, 1_00))
        go_on_from(gateway, second, 0)
        after_second = told(await till.redeem(plastic, 1_00))
        taken = await capture(till, last)

    assert (after_first.held, after_first.available) == ("50.00 USD", "45.00 USD")
    assert (after_second.held, after_second.available) == ("30.00 USD", "64.00 USD")
    assert told(taken).approved == "30.00 USD"
    assert releases(gateway, plastic) == 2


async def test_30_a_capture_races_the_end(start_gateway: StartGateway) -> None:
    """
    30: Captures that arrive around the end win or lose whole, on two workers.

    The clock goes on over the end while captures, a cancel and a sale are under way.
    """
    gateway = start_gateway(workers=2)
    async with open_tills(gateway) as tills:
        one, two = [await tills("till-1", worker=number) for number in (1, 2)]
        make = card_maker(tills)
        ends = set()
        for number in range(_RACES):
            plastic = await make()
            hold = await authorize(one, plastic, 60_00, live_s=60)
            go_on_from(gateway, hold, -4 * number)
            results = await asyncio.gather(
                two.redeem(plastic, 1_00),
                capture(one, hold, 48_00),
                two.redeem(plastic, 1_00),
                capture(two, hold, 60_00, original_terminal_id="t-1"),
            )
            codes = [told(one).code for one in results]
            ends.add(await _whole(gateway, plastic, codes))

    assert ends <= {"captured", "released"}


async def _whole(gateway: Gateway, plastic: Card, codes: list[str]) -> str:
    """
    Hold one race to one end: captured once and not released, or released alone.
    """
    captured = [
        minor
        for code, minor in zip(codes[1::2], (48_00, 60_00), strict=True)
        if code == "00"
    ]
    row = Look(gateway).card(plastic)
    assert codes[::2] == ["00", "00"]
    assert len(captured) <= 1
    assert row.balance == 98_00 - sum(captured)
    assert row.held == 0
    assert releases(gateway, plastic) == (0 if captured else 1)
    return "captured" if captured else "released"


async def test_the_clock_of_a_hold(start_gateway: StartGateway) -> None:
    """
    A request shortens a hold's time and never makes it longer than its product's.
    """
    gateway = start_gateway()
    gateway.sql("UPDATE card_product SET hold_ttl_s = 3600")
    async with one_till(gateway) as (till, card):
        plastic = await card()
        holds = [
            await authorize(till, plastic, 1_00, live_s=live_s)
            for live_s in (None, 60, 7200)
        ]

    lives = [hold.hold.expires_at.seconds - hold.host_time.seconds for hold in holds]
    assert lives == [3600, 60, 3600]


@pytest.mark.parametrize("ends", ["captured", "given up", "released"])
async def test_31_redis_forgets(
    till: Till, card: MakeCard, gateway_process: Gateway, ends: str
) -> None:
    """
    31: Redis emptied between any two steps changes nothing: Postgres knows all holds.
    """

    def forget() -> None:
        flush(gateway_process.redis_url)

    plastic = await card()
    forget()
    hold = await authorize(till, plastic, 60_00, live_s=1 if ends == "released" else 60)
    forget()
    too_much = await till.redeem(plastic, 40_01)
    forget()
    more = await increment(till, hold, 20_00)
    forget()
    part = await capture(till, hold, 30_00, keep_open=True)
    forget()
    last: Outcome
    if ends == "captured":
        last = await capture(till, hold)
    elif ends == "given up":
        last = await cancel(till, hold)
    else:
        await asyncio.sleep(1)
        last = await capture(till, hold)
    forget()
    balance = told(await till.balance(plastic))

    assert told(too_much).code == "51"
    assert (told(more).held, told(part).held) == ("80.00 USD", "50.00 USD")
    assert told(last).code == ("12" if ends == "released" else "00")
    assert balance.ledger == ("20.00 USD" if ends == "captured" else "70.00 USD")
    assert (balance.held, balance.available) == ("0.00 USD", balance.ledger)


async def test_replays_show_the_hold_as_it_was_left(till: Till, card: MakeCard) -> None:
    """
    A repeated request gets its own answer, the hold as it stood then; a question too.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    part = await capture(till, hold, 20_00, keep_open=True)
    await cancel(till, hold)
    again = await authorize(till, plastic, 60_00, request_id=hold.request_id)
    asked = await till.transaction(part)
    other = await authorize(till, plastic, 60_01, request_id=hold.request_id)

    for replay, first in ((again, hold), (asked, part)):
        assert replay.replayed
        first.replayed = True
        assert replay == first
    assert told(other).code == "94"
    assert told_hold(other) == ToldHold()


async def test_an_empty_hold_leaves_the_card_alone(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Fifty holds and their ends leave the card as it was.
    """
    plastic = await card()
    holds = await asyncio.gather(*[authorize(till, plastic, 2_00) for _ in range(50)])
    full = await authorize(till, plastic, 1)
    await asyncio.gather(*[cancel(till, hold) for hold in holds])

    assert told(full).code == "51"
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
