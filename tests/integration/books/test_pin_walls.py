"""
The second walls around PINs: what the tables refuse, whoever asks.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.domain.card_pins import PinTries
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId
from gateway.domain.results import Channel
from gateway.engine.locking import LockRequest
from gateway.engine.ports import ItemFaultError, WriteSet
from tests.support.stores import FreshDatabase

Connection = psycopg.Connection[Any]
CARD: Final = CardId(1)
TAG: Final = b"\x07" * 32


@pytest.fixture
def connection(seeded: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner, whom no right stops; the first card has a PIN.
    """
    with psycopg.connect(seeded.owner_dsn, autocommit=True) as made:
        made.execute("INSERT INTO card_pin VALUES (1, 1, %s)", [TAG])
        yield made


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ("(1, 1, 11, now(), 11)", errors.CheckViolation),
        ("(1, 1, -1, now(), 0)", errors.CheckViolation),
        ("(1, 1, 3, now(), 2)", errors.CheckViolation),
        ("(1, 7, 1, now(), 1)", errors.CheckViolation),
        ("(2, 1, 1, now(), 1)", errors.ForeignKeyViolation),
    ],
)
def test_tries_that_cannot_be(
    connection: Connection, values: str, refusal: type[Exception]
) -> None:
    """
    More than any product allows, more than ever were, or of a card without a PIN.
    """
    statement = f"INSERT INTO card_pin_try VALUES {values}"  # noqa: S608

    with pytest.raises(refusal):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "change",
    [
        "wrong_total = 4, tries = 2",
        "tries = 3",
        "tries = 5, wrong_total = 7",
    ],
)
def test_wrong_ones_never_become_fewer(connection: Connection, change: str) -> None:
    """
    Nor do tries in a row rise by more than were made; forgiving them is allowed.
    """
    connection.execute("INSERT INTO card_pin_try VALUES (1, 1, 2, now(), 5)")

    with pytest.raises(errors.CheckViolation) as caught:
        connection.execute(f"UPDATE card_pin_try SET {change}".encode())  # noqa: S608
    assert caught.value.diag.constraint_name == "card_pin_try_total_check"
    connection.execute("UPDATE card_pin_try SET tries = 0")
    connection.execute("UPDATE card_pin_try SET tries = 1, wrong_total = 6")


@pytest.mark.parametrize(
    "values",
    [
        {"pin_required_for": "{1}"},
        {"pin_required_for": "{NULL}"},
        {"pin_max_tries": "0"},
        {"pin_max_tries": "11"},
        {"pin_lock_s": "59"},
    ],
)
def test_a_policy_that_makes_no_sense(
    connection: Connection, values: dict[str, str]
) -> None:
    """
    A PIN is asked only with what can carry one, and the lock has its bounds.
    """
    ((column, value),) = values.items()

    statement = f"UPDATE card_product SET {column} = '{value}'"  # noqa: S608

    with pytest.raises(errors.CheckViolation):
        connection.execute(statement.encode())


async def test_the_lane_reads_and_counts(
    seeded: FreshDatabase, connection: Connection
) -> None:
    """
    What is counted by channels is read under the lock, and only for who asks for it.
    """
    ((index,),) = connection.execute(
        "SELECT number_index FROM card WHERE card_id = 1"
    ).fetchall()
    books = PostgresBooks(seeded.gateway_dsn, Session())
    ask = LockRequest(card_indexes=[index], card_ids=[], claims=[], pin_indexes=[index])
    batch, locked = await books.open(ask)
    (pin,) = locked.pins
    assert (pin.card_id, pin.key_id, pin.tag, pin.tries) == (CARD, 1, TAG, {})
    now = locked.clock
    counted = [
        PinTries(CARD, Channel.API, 2, now, 2),
        PinTries(CARD, Channel.IVR, 1, now, 4),
    ]
    await batch.commit(_only(counted))
    batch, locked = await books.open(ask)
    assert locked.pins[0].tries == {tries.channel: tries for tries in counted}
    await batch.commit(_only([counted[0]._replace(tries=0)]))
    by_id = LockRequest(
        card_indexes=[], card_ids=[CARD], claims=[], pin_card_ids=[CARD]
    )
    batch, locked = await books.open(by_id)
    assert locked.pins[0].tries[Channel.IVR] == counted[1]
    await batch.rollback()
    bare = LockRequest(card_indexes=[index], card_ids=[], claims=[])
    batch, locked = await books.open(bare)
    assert locked.pins == ()
    await batch.rollback()

    batch, _ = await books.open(ask)
    with pytest.raises(InvariantError):
        await batch.commit(_only([counted[0]._replace(wrong_total=1, tries=1)]))
    batch, _ = await books.open(ask)
    later = now + timedelta(seconds=1)
    with pytest.raises(ItemFaultError):
        await batch.commit(_only([PinTries(CARD, Channel.API, 9, later, 3)]))
    assert connection.execute(
        "SELECT channel, tries, wrong_total FROM card_pin_try ORDER BY channel"
    ).fetchall() == [(1, 0, 2), (3, 1, 4)]
    await books.close()


def _only(tries: list[PinTries]) -> WriteSet:
    return WriteSet(records=[], postings=[], cards=[], card_versions={}, tries=tries)
