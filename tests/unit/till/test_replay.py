"""
Simulated tills bring the plan about: the approved sales equal the source.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random

import pytest

from tests.unit.till.fake_host import FakeHost
from till import Answer, CardNumber, Request, Result
from till.simulation.places import all_stores
from till.simulation.plan import Visit, plan_visits
from till.simulation.purchases import FIRST_DAY, read_purchases
from till.simulation.rate_table import demo_rates, rate_book
from till.simulation.replay import Replay, TillName
from till.simulation.simulated_till import SimulatedTill
from till.simulation.tally import Tally
from till.simulation.trouble import Trouble

LAST_DAY = date(2025, 1, 3)
RATES = rate_book(demo_rates(FIRST_DAY, LAST_DAY))


@pytest.fixture(scope="module")
def visits() -> Sequence[Visit]:
    """
    Plan three days.
    """
    return plan_visits(read_purchases(), all_stores(), RATES, last_day=LAST_DAY)


@pytest.fixture
def host() -> FakeHost:
    """
    Give a host that counts.
    """
    return FakeHost(rates=RATES)


async def no_pause(seconds: float) -> None:
    """
    Do not wait.
    """


async def replay(
    visits: Sequence[Visit], host: FakeHost, tally: Tally, seen: list[int]
) -> None:
    """
    Replay visits at a host.
    """
    names = {TillName.of(visit) for visit in visits}
    tills = {
        name: SimulatedTill(
            host, name.terminal, tally, chance=Random(str(name)), pause=no_pause
        )
        for name in names
    }
    cards = {visit.customer: CardNumber(f"{visit.customer:016d}") for visit in visits}
    await Replay(visits, tills=tills, cards=cards, clock=host, in_flight=16).run(
        lambda visit: seen.append(visit.number)
    )


async def test_approved_sales_equal_the_source(
    visits: Sequence[Visit], host: FakeHost
) -> None:
    """
    With all the trouble on the way, every purchase is paid once, to the cent.
    """
    tally, seen = Tally(), list[int]()

    await replay(visits, host, tally, seen)

    assert [] == tally.differences
    paid = {visit.number: visit.cents for visit in visits if visit.cents}
    assert paid == {number: sale.card_cents for number, sale in tally.sales.items()}
    assert len(visits) - len(paid) == tally.refused_empty > 0
    assert sorted(seen) == sorted(visit.number for visit in visits)


async def test_the_books_hold_what_was_loaded_and_not_spent(
    visits: Sequence[Visit], host: FakeHost
) -> None:
    """
    What is left on the cards is the plan's loads minus its sales: nothing twice.
    """
    await replay(visits, host, Tally(), [])

    planned = sum(
        sum(top_up.cents for top_up in visit.top_ups) - visit.cents for visit in visits
    )
    assert planned == sum(host.balances.values())
    assert 0 < host.greatest_load < 500_00
    assert host.greatest_balance <= 2_000_00


async def test_each_kind_of_trouble_happened(
    visits: Sequence[Visit], host: FakeHost
) -> None:
    """
    Replays, lost answers, reversals and late originals are all in the tally.
    """
    tally = Tally()

    await replay(visits, host, tally, [])

    assert {trouble.value for trouble in Trouble} == set(tally.troubles)
    assert tally.replays > 0
    assert tally.answers["Reverse", Result.APPROVED.name] > 0
    assert tally.answers["Reverse", Result.ORIGINAL_NOT_FOUND.name] > 0
    assert tally.answers["Redeem", Result.ALREADY_REVERSED.name] > 0
    assert tally.operations == sum(tally.answers.values())


async def test_the_clock_moves_on_and_never_back(
    visits: Sequence[Visit], host: FakeHost
) -> None:
    """
    It is set to each hour in which somebody comes, in order.
    """
    await replay(visits, host, Tally(), [])

    assert host.moves == sorted(set(host.moves))
    assert {3} == {len({moment.date() for moment in host.moves})}
    assert datetime(2025, 1, 1, tzinfo=UTC) < host.moves[0]


async def test_a_host_that_debits_twice_is_found_out(visits: Sequence[Visit]) -> None:
    """
    A host without replay answers a copy with another transaction: a difference.
    """

    class Forgetful(FakeHost):
        """
        Forget every answer.
        """

        async def send(
            self, request: Request, *, timeout_s: float | None = None
        ) -> Answer:
            """
            Decide anew each time.
            """
            answer = await super().send(request, timeout_s=timeout_s)
            if request.request_id is not None:
                self.answers.pop(request.request_id, None)
            return answer

    tally = Tally()

    await replay(visits[:200], Forgetful(rates=RATES), tally, [])

    assert any("two answers to one request id" in text for text in tally.differences)
    assert tally.difference_count >= len(tally.differences) > 0


async def test_a_host_that_loses_money_is_found_out(visits: Sequence[Visit]) -> None:
    """
    A decline where the plan has a sale is a difference that names the purchase.
    """

    class Empty(FakeHost):
        """
        Lose the money of every card at once.
        """

        async def send(
            self, request: Request, *, timeout_s: float | None = None
        ) -> Answer:
            """
            Decide, and empty the card.
            """
            answer = await super().send(request, timeout_s=timeout_s)
            self.balances.update(dict.fromkeys(self.balances, 0))
            return answer

    tally = Tally()

    await replay(visits[:50], Empty(rates=RATES), tally, [])

    assert any("INSUFFICIENT_FUNDS" in text for text in tally.differences)
