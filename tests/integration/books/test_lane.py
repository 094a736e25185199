"""
One lane's round trips on a real Postgres.
"""

from typing import Any

import psycopg

from gateway.books.lane import PostgresBooks
from gateway.domain.cards import CardState
from gateway.domain.ids import RequestKey
from gateway.domain.originals import Refunds
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType
from gateway.engine.ports import WriteSet
from gateway.engine.stored import StoredRequest
from tests.support.ledger import (
    Move,
    declined,
    load,
    lock_request,
    moved,
    new_claim,
    new_key,
    number_index,
    redeem,
    refund,
    together,
    undo,
)

Owner = psycopg.AsyncConnection[Any]

NOTHING = WriteSet(records=[], postings=[], cards=[], card_versions={})


async def test_cards_come_locked_in_order_and_once(books: PostgresBooks) -> None:
    """
    Cards named by number, by id or by both come once each, in the order of their ids.
    """
    for request in (
        lock_request(cards=(3, 1)),
        lock_request(card_ids=(3, 1)),
        lock_request(cards=(3, 1), card_ids=(1,)),
    ):
        batch, locked = await books.open(request)
        await batch.rollback()

        assert [1, 3] == [card.card_id for card in locked.cards]
        assert number_index(1) == locked.cards[0].number_index
        assert CardState.ACTIVE is locked.cards[0].state


async def test_a_batch_without_cards_and_claims_reads_the_clock(
    books: PostgresBooks,
) -> None:
    """
    Nothing to lock is no fault: the clock and the policy's version come all the same.
    """
    batch, locked = await books.open(lock_request())
    await batch.commit(NOTHING)

    assert () == tuple(locked.cards)
    assert frozenset() == locked.won
    assert locked.clock.tzinfo is not None
    assert locked.policy_version > 1


async def test_what_was_committed_is_read_back_field_by_field(
    books: PostgresBooks,
) -> None:
    """
    A record read back equals the one that was written, and so does its fingerprint.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = moved(locked.cards[0], claim, load(5_000), locked)
    await batch.commit(writes)

    batch, again = await books.open(lock_request(new_claim(claim.key), cards=(1,)))
    stored = (await batch.read_stored([claim.key])).requests
    await batch.rollback()

    assert frozenset() == again.won
    assert writes.records[0] == stored[claim.key].record
    assert claim.fingerprint == stored[claim.key].fingerprint
    assert not stored[claim.key].reversed
    assert (5_000, 1) == (again.cards[0].balance_minor, again.cards[0].version)


async def committed(books: PostgresBooks, move: Move) -> TransactionRecord:
    """
    Change the first card, and give the record.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = moved(locked.cards[0], claim, move, locked)
    await batch.commit(writes)
    return writes.records[0]


async def read(books: PostgresBooks, record: TransactionRecord) -> StoredRequest:
    """
    Read what is kept of a record, in a batch that does not claim its key.
    """
    assert record.request_id is not None
    key = RequestKey(record.terminal_id, record.request_id)
    batch, _ = await books.open(lock_request(cards=(1,)))
    stored = (await batch.read_stored([key])).requests
    await batch.rollback()
    return stored[key]


async def test_what_became_of_a_sale_is_read_with_it(books: PostgresBooks) -> None:
    """
    The refunds that stand, and by what each of them and the sale was undone.
    """
    await committed(books, load(5_000))
    sale = await committed(books, redeem(900))
    untouched = await read(books, sale)
    back = [await committed(books, refund(sale, part)) for part in (400, 300, 200)]
    whole = await read(books, sale)
    await committed(books, undo(back[0], ActivityType.VOID))
    await committed(books, undo(back[1]))
    part = await read(books, sale)
    undone = [await read(books, one) for one in back]
    await committed(books, undo(back[2]))
    await committed(books, undo(sale, ActivityType.VOID))
    voided = await read(books, sale)

    assert Refunds(0, 0) == untouched.refunds == voided.refunds
    assert Refunds(900, 900) == whole.refunds
    assert Refunds(200, 200) == part.refunds
    assert [(False, True), (True, False), (False, False)] == [
        (one.reversed, one.voided) for one in undone
    ]
    assert (False, True) == (voided.reversed, voided.voided)


async def test_a_rolled_back_claim_is_free_again(books: PostgresBooks) -> None:
    """
    A key that was claimed and given back can be won by the next batch.
    """
    claim = new_claim()
    batch, first = await books.open(lock_request(claim))
    await batch.rollback()
    batch, second = await books.open(lock_request(claim))
    await batch.commit(declined(claim))

    assert frozenset({claim.key}) == first.won == second.won


async def test_only_new_keys_are_won(books: PostgresBooks) -> None:
    """
    Of several keys those are won that nobody has; the others are read.
    """
    old, new = new_claim(), new_claim()
    batch, _ = await books.open(lock_request(old))
    await batch.commit(declined(old))
    batch, locked = await books.open(lock_request(new, new_claim(old.key)))
    stored = (await batch.read_stored([old.key, new_key()])).requests
    await batch.rollback()

    assert frozenset({new.key}) == locked.won
    assert [old.key] == list(stored)


async def test_many_items_on_one_card_are_one_row_change(
    books: PostgresBooks, owner: Owner
) -> None:
    """
    A batch may move one card several times: its row takes the last state.
    """
    first, second = new_claim(), new_claim()
    batch, locked = await books.open(lock_request(first, second, cards=(1,)))
    loaded = moved(locked.cards[0], first, load(5_000), locked)
    spent = moved(loaded.cards[0], second, redeem(1_200), locked)
    await batch.commit(together(loaded, spent))

    cursor = await owner.execute(
        "SELECT balance_minor, version FROM card WHERE card_id=1"
    )
    assert (3_800, 2) == await cursor.fetchone()
    cursor = await owner.execute(
        "SELECT card_seq, balance_after_minor FROM transaction ORDER BY card_seq"
    )
    assert [(1, 5_000), (2, 3_800)] == await cursor.fetchall()


async def test_a_batch_greater_than_the_socket_takes_at_once(
    books: PostgresBooks, owner: Owner
) -> None:
    """
    What does not fit into the socket's buffer is sent as the server reads.
    """
    claims = [new_claim() for _ in range(3_000)]
    batch, locked = await books.open(lock_request(*claims))
    writes = together(
        *(declined(claim, merchant_reference="x" * 64) for claim in claims)
    )
    await batch.commit(writes)

    cursor = await owner.execute("SELECT count(*) FROM transaction")
    assert (3_000,) == await cursor.fetchone()
    assert 3_000 == len(locked.won)
