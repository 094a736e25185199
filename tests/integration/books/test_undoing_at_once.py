"""
Two workers undo one transaction at once, and no card's lock keeps them apart.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.books.check import check_books
from gateway.domain.commands import CardRef, MoneyCommand
from gateway.domain.results import Result
from tests.support.late_requests import advice
from tests.support.real_lanes import RealLane, real_lane
from tests.support.stores import FreshDatabase
from tests.support.world import amount, reverse, void

WAIT_S = 10
UNKNOWN_CARD = CardRef(b"\x77" * 32, "7777")


class Meeting:
    """
    A fault point at which two wait for each other, the first time they come by.
    """

    def __init__(self) -> None:
        self.open = False
        self._barrier = asyncio.Barrier(2)

    async def reach(self, name: str) -> None:
        """
        Wait before the commit, until the other one has decided too.
        """
        if self.open and name == "before_commit":
            async with asyncio.timeout(WAIT_S):
                await self._barrier.wait()
            self.open = False


@pytest.fixture
def meeting() -> Meeting:
    """
    Give a place to meet, not open yet.
    """
    return Meeting()


@pytest_asyncio.fixture
async def lanes(
    seeded: FreshDatabase, meeting: Meeting
) -> AsyncIterator[tuple[RealLane, RealLane]]:
    """
    Give two lanes that meet before they commit.
    """
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(
                real_lane(seeded.gateway_dsn, faults=meeting)
            )
            for _ in range(2)
        ]
        yield first, second
    assert await check_books(seeded.owner_dsn) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (
            reverse(1, number=91, with_card=False),
            ([Result.APPROVED, Result.APPROVED],),
        ),
        (
            void(1, number=92),
            (
                [Result.APPROVED, Result.ALREADY_REVERSED],
                [Result.ALREADY_REVERSED, Result.APPROVED],
            ),
        ),
    ],
    ids=["reverse", "void"],
)
async def test_a_sale_of_an_unknown_card_is_undone_once(
    lanes: tuple[RealLane, RealLane],
    meeting: Meeting,
    other: MoneyCommand,
    expected: tuple[list[Result], ...],
) -> None:
    """
    Whose commit came second decides again, knowing the first: neither is INTERNAL.
    """
    first, second = lanes
    told = replace(advice(amount(20_00)), card=UNKNOWN_CARD)
    await first.ask(told)
    meeting.open = True

    answers = await asyncio.gather(
        first.submit(reverse(1, number=90, with_card=False)), second.submit(other)
    )

    assert [answer.record.result for answer in answers] in expected
    effective = [answer for answer in answers if answer.record.effective]
    assert len(effective) == 1
    assert not [*first.observer.alarms, *second.observer.alarms]
