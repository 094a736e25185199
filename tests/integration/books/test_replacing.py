"""
Replacements on a real Postgres: several lanes at once, chains, and holds that move.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Final

import psycopg
import pytest
import pytest_asyncio

from gateway.books.check import check_books
from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.domain.commands import MoneyCommand
from gateway.domain.holds import step_of
from gateway.domain.results import ActivityType, Result
from gateway.engine.answers import Answer
from tests.support.ledger import Move, lock_request, moved, new_claim
from tests.support.lives import open_hold, transfer
from tests.support.real_lanes import RealLane, real_lane
from tests.support.stores import FreshDatabase
from tests.support.traded_lives import add_cards, ask, of, onto, replacing, submit
from tests.support.world import amount, load, redeem, refund, reverse, void

SEEDED: Final = 4
PATIENT: Final = Session(lock_timeout_ms=10_000, statement_timeout_ms=15_000)
LINE: Final = (11, 21, 22, 23)
ROUNDS: Final = 12


@pytest_asyncio.fixture
async def lanes(seeded: FreshDatabase) -> AsyncIterator[tuple[RealLane, RealLane]]:
    """
    Give two lanes on books with cards 11 to 14, and 21 to 29 to take their places.
    """
    await add_cards(seeded.owner_dsn, active=range(11, 15), pending=range(21, 30))
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(
                real_lane(seeded.gateway_dsn, session=PATIENT)
            )
            for _ in range(2)
        ]
        yield first, second
    assert await check_books(seeded.owner_dsn) == []


def results(answers: Sequence[Answer]) -> list[Result]:
    """
    Read answers as results.
    """
    return [answer.record.result for answer in answers]


async def sell(lane: RealLane, card_id: int, number: int) -> None:
    """
    Load 100.00 and sell for 40.00 under request `number`.
    """
    await ask(lane, of(card_id, load(amount(100_00), number=number + 50)))
    await ask(lane, of(card_id, redeem(amount(40_00), number=number)))


BACK: Final[list[tuple[MoneyCommand, int]]] = [
    (reverse(1, number=90, with_card=False), 100_00),
    (void(1, number=91), 100_00),
    (refund(amount(15_00), 1, number=92), 75_00),
]


@pytest.mark.parametrize(("back", "balance"), BACK)
async def test_what_a_card_did_lands_on_the_last_of_three_successors(
    lanes: tuple[RealLane, RealLane],
    owner: psycopg.AsyncConnection[tuple[int, int]],
    back: MoneyCommand,
    balance: int,
) -> None:
    """
    Sold on card 11, replaced three times; undone on card 23, by either lane.
    """
    first, second = lanes
    await sell(first, 11, 1)
    for number, (old, successor) in enumerate(itertools.pairwise(LINE)):
        lane = lanes[number % 2]
        for command in replacing(old, successor, number=100 + 10 * number):
            assert results(await ask(lane, command)) == [Result.APPROVED]
    (answer,) = await ask(second, back)

    assert (answer.record.result, answer.record.card_id) == (Result.APPROVED, 23)
    rows = await owner.execute(
        "SELECT card_id, balance_minor FROM card WHERE card_id = ANY(%s)"
        " ORDER BY card_id",
        [list(LINE)],
    )
    assert await rows.fetchall() == [(11, 0), (21, 0), (22, 0), (23, balance)]


async def test_a_replacement_and_what_undoes_a_sale_arrive_at_once(
    lanes: tuple[RealLane, RealLane],
    owner: psycopg.AsyncConnection[tuple[int, int]],
) -> None:
    """
    In every order both are approved, and all the money is on the last card.
    """
    first, second = lanes
    card, spare, undone = 11, 21, 0
    for turn in range(ROUNDS):
        await sell(first, card, 1_000 + 100 * turn)
        lost, taken = replacing(card, spare, number=1_010 + 100 * turn)
        await ask(first, lost)
        back = reverse(1_000 + 100 * turn, number=1_020 + 100 * turn, with_card=False)
        both = [(second, back), (first, taken)]
        if turn % 2:
            both.reverse()
        asked = []
        for lane, command in both:
            asked.append(submit(lane, command))
            await asyncio.sleep(0.0005 * (turn % 4))
        answers = await asyncio.gather(*asked)
        assert set(results(answers)) == {Result.APPROVED}
        undone += 1
        card, spare = spare, spare + 1
        if spare > 29:
            break

    rows = await owner.execute(
        "SELECT card_id, balance_minor FROM card WHERE balance_minor > 0"
    )
    assert await rows.fetchall() == [(card, undone * 100_00)]


async def test_transfers_cross_between_two_lanes(
    lanes: tuple[RealLane, RealLane],
    owner: psycopg.AsyncConnection[tuple[int]],
) -> None:
    """
    Each way at the same moment, again and again: no deadlock, and nothing is lost.
    """
    first, second = lanes
    await ask(first, of(12, load(amount(70_00), number=1)))
    await ask(first, of(13, load(amount(30_00), number=2)))
    for turn in range(ROUNDS):
        answers = await asyncio.gather(
            submit(first, onto(13, of(12, transfer(number=100 + turn)))),
            submit(second, onto(12, of(13, transfer(number=200 + turn)))),
        )
        assert set(results(answers)) <= {Result.APPROVED, Result.INSUFFICIENT_FUNDS}
        assert Result.APPROVED in results(answers)

    rows = await owner.execute("SELECT sum(balance_minor)::bigint FROM card")
    assert await rows.fetchone() == (100_00,)


async def test_holds_are_the_successors_from_then_on(
    seeded: FreshDatabase, owner: psycopg.AsyncConnection[tuple[int, int, int]]
) -> None:
    """
    Both open holds name the new card in the commit that moves the balance.
    """
    await add_cards(seeded.owner_dsn, active=range(11, 12), pending=range(21, 22))
    books = PostgresBooks(seeded.gateway_dsn, PATIENT)
    await place_holds(books)
    await books.close()
    async with real_lane(seeded.gateway_dsn, session=PATIENT) as lane:
        lost, taken = replacing(11, 21, number=10)
        answers = await ask(lane, lost, taken)

    assert results(answers) == [Result.APPROVED, Result.APPROVED]
    rows = await owner.execute(
        "SELECT card_id, card_minor, state FROM hold ORDER BY card_minor"
    )
    assert await rows.fetchall() == [(21, 10_00, 1), (21, 20_00, 1)]
    cards = await owner.execute(
        "SELECT balance_minor, held_minor, next_hold_expiry IS NOT NULL FROM card"
        " WHERE card_id IN (11, 21) ORDER BY card_id"
    )
    assert await cards.fetchall() == [(0, 0, False), (100_00, 30_00, True)]
    rules = {violation.rule for violation in await check_books(seeded.owner_dsn)}
    assert not rules & {"replaced", "transfers", "card_states", "card_last"}


async def place_holds(books: PostgresBooks) -> None:
    """
    Load card 11 with 100.00 and hold 10.00 and 20.00 of it.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(11,)))
    move = Move(activity=ActivityType.LOAD, amount_minor=100_00)
    await batch.commit(moved(locked.cards[0], claim, move, locked))
    for minor in (10_00, 20_00):
        claim = new_claim()
        batch, locked = await books.open(lock_request(claim, cards=(11,)))
        before = locked.cards[0]
        hold = replace(
            open_hold(1, minor, card_id=11),
            hold_id=claim.transaction_id,
            expires_at=locked.clock + timedelta(days=1),
        )
        writes = moved(
            before, claim, Move(activity=ActivityType.AUTHORIZE, amount_minor=0)
        )
        held = before.held_minor + minor
        record = writes.records[0]._replace(
            held_after_minor=held,
            available_after_minor=before.balance_minor - held,
            host_time=locked.clock,
        )
        after = replace(
            writes.cards[0],
            held_minor=held,
            next_hold_expiry=hold.expires_at,
            last_transaction_at=locked.clock,
        )
        await batch.commit(
            replace(
                writes,
                records=[record],
                cards=[after],
                holds=[hold],
                steps=[step_of(claim.transaction_id, None, hold)],
            )
        )
