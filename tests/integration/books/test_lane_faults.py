"""
What the lane is told when Postgres refuses or waits, and what is committed then.
"""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from currency import UnknownCurrencyError
from gateway.books.columns import posting_parameters
from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.books.wire import step
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId, RequestId
from gateway.domain.results import ActivityType
from gateway.engine.ports import ItemFaultError, LockTimeoutError, WriteSet
from tests.support.lanes import committed, load_card
from tests.support.ledger import (
    Move,
    declined,
    load,
    lock_request,
    moved,
    new_claim,
)

Connection = psycopg.AsyncConnection[Any]
MakeBooks = Callable[..., PostgresBooks]

NOTHING = WriteSet(records=[], postings=[], cards=[], card_versions={})
PATIENT = Session(lock_timeout_ms=5_000, statement_timeout_ms=6_000)


async def refuse(
    books: PostgresBooks, change: Callable[[WriteSet], WriteSet], constraint: str
) -> None:
    """
    Write one load that was spoiled, and see it refused by a constraint.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = change(moved(locked.cards[0], claim, load(100), locked))
    with pytest.raises(ItemFaultError) as caught:
        await batch.commit(writes)

    assert constraint == caught.value.constraint


async def test_an_items_fault_names_its_constraint(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    Each second wall refuses the whole batch by name, and the lane goes on.
    """

    def spoil(**changes: Any) -> Callable[[WriteSet], WriteSet]:
        return lambda writes: WriteSet(
            records=[writes.records[0]._replace(**changes)],
            postings=writes.postings,
            cards=writes.cards,
            card_versions=writes.card_versions,
        )

    def unbalanced(writes: WriteSet) -> WriteSet:
        return WriteSet(
            records=writes.records,
            postings=writes.postings[:1],
            cards=writes.cards,
            card_versions=writes.card_versions,
        )

    await refuse(books, spoil(approved_minor=-1), "transaction_approved_minor_check")
    await refuse(books, spoil(result=0), "transaction_result_check")
    await refuse(books, spoil(card_seq=None), "transaction_card_check")
    await refuse(books, unbalanced, "posting_balance_check")
    assert 0 == await committed(owner)

    await load_card(books, 500)
    await refuse(books, spoil(card_seq=1), "transaction_card_seq_key")
    assert 1 == await committed(owner)


async def test_a_second_effective_reversal_is_refused(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    One effective reversal of an original, whoever sends the second.
    """
    original = (await load_card(books, 500)).records[0]
    undo = Move(activity=ActivityType.REVERSAL, amount_minor=-200, original=original)
    first, second = new_claim(), new_claim()
    batch, locked = await books.open(lock_request(first, cards=(1,)))
    await batch.commit(moved(locked.cards[0], first, undo, locked))
    batch, locked = await books.open(lock_request(second, cards=(1,)))
    with pytest.raises(ItemFaultError) as caught:
        await batch.commit(moved(locked.cards[0], second, undo, locked))

    assert "transaction_effective_reversal_key" == caught.value.constraint
    assert 2 == await committed(owner)


async def test_a_claim_never_commits_without_its_outcome(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    COMMIT itself refuses a key whose transaction was not written.
    """
    claim = new_claim()
    batch, _ = await books.open(lock_request(claim))
    with pytest.raises(ItemFaultError) as caught:
        await batch.commit(NOTHING)

    assert "request_key_transaction_fkey" == caught.value.constraint
    batch, locked = await books.open(lock_request(claim))
    await batch.commit(declined(claim))
    assert frozenset({claim.key}) == locked.won
    assert 1 == await committed(owner)


async def test_a_card_must_be_as_it_was_locked(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    A card whose version is another is a fault of ours: nothing is committed.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    writes = moved(locked.cards[0], claim, load(100), locked)
    writes.card_versions[CardId(1)] = 7
    with pytest.raises(InvariantError, match="0 rows were changed, not 1"):
        await batch.commit(writes)

    assert 0 == await committed(owner)


@pytest.mark.parametrize(
    "changes",
    [
        {"requested_minor": 2**70},
        {"merchant_reference": "a\x00b"},
        {"merchant_reference": "\ud800"},
        {"merchant_reference": "x" * 65},
        {"transaction_currency": "DOLLAR"},
        {"request_id": b"short"},
    ],
)
async def test_a_value_that_does_not_fit_is_its_items_fault(
    books: PostgresBooks, owner: Connection, changes: dict[str, Any]
) -> None:
    """
    What the column cannot hold is refused, here or there, and everything is given back.
    """
    claim = new_claim()
    batch, _ = await books.open(lock_request(claim, cards=(1,)))
    with pytest.raises(ItemFaultError):
        await batch.commit(declined(claim, **changes))

    assert 0 == await committed(owner)
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    await batch.rollback()
    assert frozenset({claim.key}) == locked.won


async def test_a_claim_that_does_not_fit_opens_nothing(
    books: PostgresBooks,
) -> None:
    """
    A key that is no UUID is refused before anything is sent.
    """
    claim = new_claim()
    wrong = claim._replace(key=claim.key._replace(request_id=RequestId(b"short")))
    with pytest.raises(ItemFaultError, match="16 bytes"):
        await books.open(lock_request(wrong, cards=(1,)))
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    await batch.rollback()

    assert frozenset({claim.key}) == locked.won


async def test_rows_that_make_no_sense_hold_no_lock(
    make_books: MakeBooks, superuser: Connection
) -> None:
    """
    A card in a currency that does not exist stops its batch, not the card.
    """
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("UPDATE card SET currency = 'QQQ' WHERE card_id = 1")
    with pytest.raises(UnknownCurrencyError):
        await make_books().open(lock_request(cards=(1,)))
    await superuser.execute("SET lock_timeout = '2s'")
    await superuser.execute("UPDATE card SET currency = 'USD' WHERE card_id = 1")
    batch, locked = await make_books().open(lock_request(cards=(1,)))
    await batch.rollback()

    assert 1 == len(locked.cards)


async def test_a_statement_that_takes_too_long_is_a_lock_timeout(
    make_books: MakeBooks,
) -> None:
    """
    statement_timeout (57014) ends a wait as lock_timeout does.
    """
    rival = make_books(PATIENT)
    ours = make_books(Session(lock_timeout_ms=5_000, statement_timeout_ms=150))
    batch, _ = await rival.open(lock_request(cards=(1,)))
    with pytest.raises(LockTimeoutError, match="57014"):
        await ours.open(lock_request(cards=(1,)))
    await batch.rollback()
    second, locked = await ours.open(lock_request(cards=(1,)))
    await second.rollback()

    assert 1 == len(locked.cards)


async def test_a_commit_that_answers_rollback_is_no_commit(
    books: PostgresBooks, owner: Connection
) -> None:
    """
    COMMIT of a failed transaction gives no error, only another tag: that is noticed.
    """
    claim = new_claim()
    batch, locked = await books.open(lock_request(claim, cards=(1,)))
    spoiled = moved(locked.cards[0], claim, load(100), locked).postings[:1]
    await batch._wire.trip([step("insert_postings", posting_parameters(spoiled))])
    with pytest.raises(InvariantError, match="ROLLBACK"):
        await batch.commit(NOTHING)

    assert 0 == await committed(owner)
