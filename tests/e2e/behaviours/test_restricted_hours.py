"""
Check 11 by the clock: a canteen card at lunch, and a night that goes over midnight.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from tests.support.rates import set_books_time
from tests.support.restricting import new_set
from tests.support.server import Gateway
from tests.support.tills import Tills, card_maker, open_tills
from tests.support.told import Outcome, told

StartGateway = Callable[..., Gateway]

_BEIRUT: Final = ZoneInfo("Asia/Beirut")
_LUNCH: Final = (0b0011111, 690, 840)


class Canteen:
    """
    A gateway whose clock can be set, and a card for lunch on working days.
    """

    def __init__(self, gateway: Gateway, tills: Tills) -> None:
        self.gateway = gateway
        self.tills = tills
        # A Monday far enough ahead that no rate or certificate matters.
        today = datetime.now(_BEIRUT).date()
        monday = today + timedelta(days=14 - today.weekday())
        self.monday = datetime(monday.year, monday.month, monday.day, tzinfo=_BEIRUT)

    async def ask(self, days: int, clock: str, *, windows: Any) -> Outcome:
        """
        Sell with a new card of these hours, so many days after that Monday.
        """
        hour, minute, second = map(int, clock.split(":"))
        moment = (self.monday + timedelta(days=days)).replace(
            hour=hour, minute=minute, second=second
        )
        set_books_time(self.gateway, moment.astimezone(UTC) - timedelta(minutes=1))
        plastic = await card_maker(self.tills)()
        new_set(self.gateway, windows=windows).put_on(plastic)
        set_books_time(self.gateway, moment.astimezone(UTC))
        return await (await self.tills("till-1")).redeem(plastic, 10_00)


@pytest.fixture
async def canteen(start_gateway: StartGateway) -> AsyncIterator[Canteen]:
    """
    Give a gateway of the test's own.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        yield Canteen(gateway, tills)


async def test_a_canteen_card_at_lunch(canteen: Canteen) -> None:
    """
    Valid Monday to Friday from 11:30 until before 14:00, by the store's clock.
    """
    text = "Declined: the card is valid only Monday to Friday 11:30 to 14:00."
    told_at = {
        (days, clock): await canteen.ask(days, clock, windows=(_LUNCH,))
        for days, clock in (
            (0, "11:29:50"),
            (0, "11:30:00"),
            (4, "13:59:50"),
            (4, "14:00:00"),
            (5, "12:00:00"),
        )
    }

    assert [told(answer).result for answer in told_at.values()] == [
        "RESTRICTED_CARD",
        "APPROVED",
        "APPROVED",
        "RESTRICTED_CARD",
        "RESTRICTED_CARD",
    ]
    assert {
        answer.receipt_text for answer in told_at.values() if answer.result != 1
    } == {text}


async def test_a_night_that_goes_over_midnight(canteen: Canteen) -> None:
    """
    Friday 22:00 to 02:00 belongs to Friday: it ends on Saturday, not on Friday, at 2.
    """
    night = ((0b0010000, 1_320, 120),)
    answers = [
        await canteen.ask(days, clock, windows=night)
        for days, clock in (
            (4, "01:00:00"),
            (4, "22:00:00"),
            (5, "01:59:50"),
            (5, "02:00:00"),
        )
    ]

    assert [told(answer).result for answer in answers] == [
        "RESTRICTED_CARD",
        "APPROVED",
        "APPROVED",
        "RESTRICTED_CARD",
    ]
    assert answers[0].receipt_text == (
        "Declined: the card is valid only Friday 22:00 to 02:00."
    )
