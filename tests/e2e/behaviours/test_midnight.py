"""
Behaviour 50: a rate that begins at midnight, by host time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import psycopg
import pytest

from scrip.v1 import transaction_pb2
from tests.support.rates import load_rates, set_books_time
from tests.support.server import Card, Gateway
from tests.support.tills import MakeCard, Till, card_maker, open_tills
from tests.support.told import Outcome, told

StartGateway = Callable[..., Gateway]

# The store's and the programme's zone.
_BEIRUT: Final = ZoneInfo("Asia/Beirut")
_TRIES: Final = 40
_OLD: Final = ("3.252", "32.52 USD")
_NEW: Final = ("3.3", "33.00 USD")


class Midnight:
    """
    A gateway whose clock can be set to just before the next midnight.
    """

    def __init__(self, gateway: Gateway, till: Till, make_card: MakeCard) -> None:
        self.gateway = gateway
        self.till = till
        self.make_card = make_card
        today = datetime.now(_BEIRUT).replace(hour=0, minute=0, second=0, microsecond=0)
        self.moment = today + timedelta(days=2)
        load_rates(gateway, {"KWD": "3.3"}, self.moment)

    def set_clock(self, before_ms: int) -> None:
        """
        Let the books' clock go on from so many milliseconds before midnight.
        """
        set_books_time(self.gateway, self.moment - timedelta(milliseconds=before_ms))

    async def sell(self, card: Card) -> Outcome:
        """
        Sell for KWD 10.000; the till's own clock is a day behind.
        """
        yesterday = self.moment - timedelta(days=1)
        context = transaction_pb2.TillContext(local_time=yesterday.isoformat())
        return await self.till.redeem(card, 10_000, "KWD", till=context)

    async def sell_just_before(self) -> tuple[Card, Outcome]:
        """
        Sell in the last tenth of a second of the day.

        On a slow machine midnight may pass on the way: that sale is let be.
        """
        for _ in range(_TRIES):
            self.set_clock(before_ms=60_000)
            card = await self.make_card(999_00)
            self.set_clock(before_ms=80)
            sale = await self.sell(card)
            if _time(sale) < self.moment:
                return card, sale
        message = f"no sale before midnight in {_TRIES} tries"
        raise AssertionError(message)


@pytest.fixture
async def midnight(start_gateway: StartGateway) -> AsyncIterator[Midnight]:
    """
    Load KWD 3.3000 from next midnight on; until then it is 3.2520.
    """
    gateway = start_gateway(POSTGRES__LOCK_TIMEOUT_MS="2000")
    async with open_tills(gateway) as tills:
        yield Midnight(gateway, await tills("till-1"), card_maker(tills))


def _rate(answer: Outcome) -> tuple[str, str]:
    return answer.conversion.transaction_rate_to_usd, told(answer).debit


def _time(answer: Outcome) -> datetime:
    return answer.host_time.ToDatetime(tzinfo=_BEIRUT)


async def test_50_a_rate_from_midnight_on(midnight: Midnight) -> None:
    """
    50: Sales at 23:59:59.9 and at 00:00:00: the old version, the new version.

    A repetition and a reversal after midnight keep the rate of before.
    """
    card, before = await midnight.sell_just_before()
    midnight.set_clock(before_ms=0)
    after = await midnight.sell(card)
    again = await midnight.till.redeem(
        card, 10_000, "KWD", request_id=before.request_id
    )
    undone = await midnight.till.reverse(before)

    tenth = timedelta(milliseconds=100)
    assert midnight.moment - tenth < _time(before) < midnight.moment <= _time(after)
    assert (_rate(before), _rate(after)) == (_OLD, _NEW)
    assert (_rate(again), _rate(undone)) == (_OLD, _OLD)
    assert again.replayed
    assert [
        answer.conversion.rate_table_version
        for answer in (before, after, again, undone)
    ] == [1, 2, 1, 1]
    since = midnight.moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert after.conversion.rate_effective_from == since
    day = midnight.moment.date()
    assert before.business_date == (day - timedelta(days=1)).isoformat()
    assert after.business_date == undone.business_date == day.isoformat()


async def test_50_by_the_time_of_the_decision(midnight: Midnight) -> None:
    """
    50: A sale that came before midnight and got its card's lock after it: the new one.
    """
    card = await midnight.make_card(999_00)
    dsn = midnight.gateway.database.owner_dsn
    async with await psycopg.AsyncConnection.connect(dsn) as rival:
        await rival.execute(
            "SELECT FROM card WHERE card_id = %s FOR UPDATE", [card.card_id]
        )
        midnight.set_clock(before_ms=150)
        waiting = asyncio.ensure_future(midnight.sell(card))
        await asyncio.sleep(0.3)
        waited = not waiting.done()
    answer = await waiting

    assert waited
    assert _time(answer) >= midnight.moment
    assert _rate(answer) == _NEW
