"""
A rival holds what the batch wants, then commits: the batch sees what the rival did.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.domain.ids import CardId
from gateway.domain.results import ActivityType
from gateway.engine.ports import LockTimeoutError
from tests.support.ledger import (
    Move,
    declined,
    load,
    lock_request,
    moved,
    new_claim,
    number_index,
    redeem,
    together,
)

Owner = psycopg.AsyncConnection[Any]

PATIENT = Session(lock_timeout_ms=5_000, statement_timeout_ms=6_000)


async def wait_for_waiter(superuser: Owner) -> None:
    """
    Return when some backend waits for a lock.
    """
    for _ in range(500):
        cursor = await superuser.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        if await cursor.fetchone() != (0,):
            return
        await asyncio.sleep(0.005)
    pytest.fail("nobody waits for a lock")


async def test_the_same_card_is_seen_as_the_rival_left_it(
    make_books: Callable[..., PostgresBooks], superuser: Owner
) -> None:
    """
    A batch that waited for a card finds the rival's balance, version, key and record.
    """
    rival, ours = make_books(PATIENT), make_books(PATIENT)
    key = new_claim()
    batch, locked = await rival.open(lock_request(key, cards=(1,)))
    waiting = asyncio.ensure_future(
        ours.open(lock_request(new_claim(key.key), cards=(1,)))
    )
    await wait_for_waiter(superuser)
    spent = moved(locked.cards[0], key, load(900), locked)
    await batch.commit(spent)
    second, seen = await waiting
    stored = (await second.read_stored([key.key])).requests
    await second.rollback()

    assert (900, 1) == (seen.cards[0].balance_minor, seen.cards[0].version)
    assert frozenset() == seen.won
    assert spent.records[0] == stored[key.key].record
    assert seen.clock > locked.clock


async def test_the_same_key_on_another_card_is_lost_to_the_rival(
    make_books: Callable[..., PostgresBooks], superuser: Owner
) -> None:
    """
    Two requests of one id on two cards share no card lock: the key alone parts them.
    """
    rival, ours = make_books(PATIENT), make_books(PATIENT)
    key = new_claim()
    batch, locked = await rival.open(lock_request(key, cards=(1,)))
    waiting = asyncio.ensure_future(
        ours.open(lock_request(new_claim(key.key), cards=(2,)))
    )
    await wait_for_waiter(superuser)
    await batch.commit(moved(locked.cards[0], key, load(900), locked))
    second, seen = await waiting
    stored = (await second.read_stored([key.key])).requests
    await second.rollback()

    assert frozenset() == seen.won
    assert 1 == stored[key.key].record.card_id
    assert [2] == [card.card_id for card in seen.cards]


async def test_a_key_that_the_rival_gives_back_is_won(
    make_books: Callable[..., PostgresBooks], superuser: Owner
) -> None:
    """
    If the rival rolls back, whoever waited for its key wins it.
    """
    rival, ours = make_books(PATIENT), make_books(PATIENT)
    key = new_claim()
    batch, _ = await rival.open(lock_request(key))
    waiting = asyncio.ensure_future(ours.open(lock_request(key)))
    await wait_for_waiter(superuser)
    await batch.rollback()
    second, seen = await waiting
    await second.commit(declined(key))

    assert frozenset({key.key}) == seen.won


async def test_the_clock_is_read_after_the_wait(
    make_books: Callable[..., PostgresBooks], superuser: Owner
) -> None:
    """
    A policy that was changed while the batch waited is told to it, and its time.
    """
    rival, ours = make_books(PATIENT), make_books(PATIENT)
    batch, before = await rival.open(lock_request(cards=(1,)))
    waiting = asyncio.ensure_future(ours.open(lock_request(cards=(1,))))
    await wait_for_waiter(superuser)
    await superuser.execute("UPDATE terminal SET state = 3")
    await batch.rollback()
    second, after = await waiting
    await second.rollback()

    assert before.policy_version + 1 == after.policy_version
    assert after.clock > before.clock


async def test_batches_that_cross_do_not_deadlock(
    make_books: Callable[..., PostgresBooks],
) -> None:
    """
    Whatever order cards and keys are named in, both batches lock them in one order.
    """
    lanes = [make_books(PATIENT), make_books(PATIENT)]
    claims = [new_claim() for _ in range(8)]

    async def trade(lane: PostgresBooks, *, backwards: bool) -> None:
        for _ in range(25):
            step = -1 if backwards else 1
            request = lock_request(
                *claims[::step], cards=(1, 2)[::step], card_ids=(3, 4)[::step]
            )
            batch, locked = await lane.open(request)
            await batch.rollback()

            assert 4 == len(locked.cards)
            assert 8 == len(locked.won)

    await asyncio.gather(
        trade(lanes[0], backwards=False), trade(lanes[1], backwards=True)
    )


async def test_a_rival_that_does_not_end_is_a_lock_timeout(
    make_books: Callable[..., PostgresBooks],
) -> None:
    """
    After lock_timeout the batch is rolled back and the lane can go on.
    """
    rival, ours = make_books(PATIENT), make_books()
    claim = new_claim()
    batch, _ = await rival.open(lock_request(claim, cards=(1,)))
    for request in (lock_request(cards=(1,)), lock_request(claim)):
        with pytest.raises(LockTimeoutError, match="55P03"):
            await ours.open(request)
    await batch.rollback()
    second, locked = await ours.open(lock_request(claim, cards=(1,)))
    await second.commit(moved(locked.cards[0], claim, load(10), locked))

    assert frozenset({claim.key}) == locked.won


async def test_a_batch_that_has_neighbours_waits_as_long_as_it_says(
    make_books: Callable[..., PostgresBooks],
) -> None:
    """
    Its patience ends the wait, and is its own: the next batch has the connection's.
    """
    rival, ours = make_books(), make_books(PATIENT)
    request = lock_request(new_claim(), cards=(1,))
    batch, _ = await rival.open(request)
    hurried = replace(lock_request(new_claim(), cards=(1,)), patience_ms=20)
    began_s = time.monotonic()
    with pytest.raises(LockTimeoutError, match="55P03"):
        await ours.open(hurried)
    took_s = time.monotonic() - began_s
    waiting = asyncio.ensure_future(ours.open(request))
    await asyncio.sleep(0.1)
    waits = not waiting.done()
    await batch.rollback()
    second, locked = await waiting
    await second.rollback()

    assert took_s < PATIENT.lock_timeout_ms / 1_000
    assert waits
    assert frozenset(claim.key for claim in request.claims) == locked.won


async def test_held_cards_are_told_without_waiting(
    make_books: Callable[..., PostgresBooks],
) -> None:
    """
    By number or by the key of a transaction on it; free and unknown cards are not.

    Nothing is kept: the rival locks what was free at once.
    """
    rival, ours = make_books(), make_books(PATIENT)
    sale, other = new_claim(), new_claim()
    batch, locked = await rival.open(lock_request(sale, other, cards=(1, 2)))
    await batch.commit(
        together(
            moved(locked.cards[0], sale, load(900), locked),
            moved(locked.cards[1], other, load(900), locked),
        )
    )
    batch, _ = await rival.open(lock_request(cards=(1, 3)))
    names = [number_index(card) for card in (1, 2, 3, 99)]
    keys = [sale.key, other.key, new_claim().key]

    held = await ours.held_cards(names, [CardId(3)], keys, patience_ms=20)
    by_number = await ours.held_cards(names, [], [], patience_ms=20)
    by_key = await ours.held_cards([], [], keys, patience_ms=20)
    await batch.rollback()
    nobody = await ours.held_cards(names, [CardId(3)], keys, patience_ms=20)
    batch, _ = await rival.open(lock_request(cards=(2,)))
    await batch.rollback()

    assert by_number.keys() == {number_index(1), number_index(3)}
    assert by_key == {sale.key: by_number[number_index(1)]}
    assert held == by_number | by_key | {CardId(3): by_number[number_index(3)]}
    assert nobody == {}


@pytest.mark.parametrize("trades", [True, False])
async def test_who_holds_a_card_is_told(
    make_books: Callable[..., PostgresBooks], *, trades: bool
) -> None:
    """
    The same number while one transaction keeps it, another when another one has it.

    Also if the one before changed nothing: a decline holds its card all the same.
    """
    rival, ours = make_books(), make_books(PATIENT)
    names = [number_index(1)]
    claim = new_claim()
    batch, locked = await rival.open(lock_request(claim, cards=(1,)))
    first = await ours.held_cards(names, [], [], patience_ms=20)
    again = await ours.held_cards(names, [], [], patience_ms=20)
    if trades:
        await batch.commit(together(moved(locked.cards[0], claim, load(900), locked)))
    else:
        await batch.rollback()
    batch, _ = await rival.open(lock_request(new_claim(), cards=(1,)))
    second = await ours.held_cards(names, [], [], patience_ms=20)
    await batch.rollback()

    assert first == again
    assert first.keys() == second.keys() == {number_index(1)}
    assert first != second


async def test_a_table_that_is_held_is_not_waited_for_long(
    make_books: Callable[..., PostgresBooks], superuser: Owner
) -> None:
    """
    A migration keeps all cards: the look ends after its patience, and can be had again.
    """
    ours = make_books(PATIENT)
    names = [number_index(1)]
    await ours.connect()
    async with superuser.transaction():
        await superuser.execute("LOCK TABLE card IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockTimeoutError, match="55P03"):
            await ours.held_cards(names, [], [], patience_ms=20)

    assert await ours.held_cards(names, [], [], patience_ms=20) == {}


async def test_later_activity_of_an_activate_is_found(books: PostgresBooks) -> None:
    """
    What was approved after an Activate is told, unless it was undone.
    """
    activate, spent, gone = new_claim(), new_claim(), new_claim()
    undo = new_claim()
    request = lock_request(activate, spent, gone, undo, cards=(1,))
    batch, locked = await books.open(request)
    card = locked.cards[0]
    opened = moved(
        card, activate, Move(activity=ActivityType.ACTIVATE, amount_minor=500), locked
    )
    first = moved(opened.cards[0], spent, redeem(100), locked)
    second = moved(first.cards[0], gone, redeem(50), locked)
    reversal = moved(
        second.cards[0],
        undo,
        Move(
            activity=ActivityType.REVERSAL,
            amount_minor=50,
            original=second.records[0],
        ),
        locked,
    )
    await batch.commit(together(opened, first, second, reversal))

    batch, _ = await books.open(lock_request())
    stored = (await batch.read_stored([activate.key, gone.key, spent.key])).requests
    await batch.rollback()

    assert {spent.transaction_id} == stored[activate.key].later_activity
    assert not stored[activate.key].reversed
    assert stored[gone.key].reversed
    assert frozenset() == stored[spent.key].later_activity
