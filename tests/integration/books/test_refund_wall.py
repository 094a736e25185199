"""
The second wall around refunds and undoings: what the table refuses, whoever asks.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from tests.support.stores import FreshDatabase
from tests.support.wall_rows import DECLINE, LOAD, insert

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(seeded: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner, whom no right stops.
    """
    with psycopg.connect(seeded.owner_dsn, autocommit=True) as made:
        yield made


def insert_children(connection: Connection, *children: dict[str, str]) -> None:
    """
    Insert, by one statement each, what names an original, each as the card's next step.
    """
    for number, child in enumerate(children, start=2):
        own = {"transaction_id": uuid_of(number), "card_seq": str(number)}
        insert(connection, "transaction", LOAD | own | child)


def uuid_of(number: int) -> str:
    """
    Give the id of a transaction of these tests.
    """
    return f"'00000000-0000-0000-0000-{number:012}'"


def rows_of(connection: Connection) -> list[tuple[Any, ...]]:
    """
    Read what stands there: step of the card, activity, amount, and whether it counts.
    """
    return connection.execute(
        "SELECT card_seq, activity, approved_minor, effective FROM transaction "
        "ORDER BY card_seq"
    ).fetchall()


SALE: Final = LOAD | {"activity": "3", "transaction_id": uuid_of(1)}
REFUND: Final = {"activity": "7", "original_transaction_id": uuid_of(1)}
UNDO_FIRST: Final = {
    "activity": "8",
    "original_transaction_id": uuid_of(2),
    "effective": "true",
}


@pytest.mark.parametrize(
    "children",
    [
        [REFUND | {"approved_minor": "6"}],
        [REFUND | {"approved_minor": "3"}, REFUND | {"approved_minor": "3"}],
        [REFUND, UNDO_FIRST, REFUND, REFUND],
        [REFUND | {"original_transaction_id": "gen_random_uuid()"}],
        [REFUND | {"original_transaction_id": "NULL"}],
        [REFUND, UNDO_FIRST | {"original_transaction_id": uuid_of(1)}],
        [UNDO_FIRST | {"original_transaction_id": uuid_of(1)}, REFUND],
    ],
)
def test_refunds_beyond_their_sale_are_refused(
    connection: Connection, children: list[dict[str, str]]
) -> None:
    """
    Above the approved amount, of no sale, of an undone one, or undoing a refunded one.
    """
    insert(connection, "transaction", SALE)
    with pytest.raises(errors.CheckViolation) as caught:
        insert_children(connection, *children)

    assert "transaction_refund_check" == caught.value.diag.constraint_name


def test_refunds_up_to_their_sale_are_let_in(connection: Connection) -> None:
    """
    In parts, and again what was undone; a declined refund counts nothing.
    """
    insert(connection, "transaction", SALE)
    insert(connection, "transaction", DECLINE | REFUND)
    insert_children(
        connection,
        REFUND | {"approved_minor": "3"},
        REFUND | {"approved_minor": "2"},
        UNDO_FIRST,
        REFUND | {"approved_minor": "3"},
    )

    assert [
        (1, 3, 5, None),
        (2, 7, 3, None),
        (3, 7, 2, None),
        (4, 8, 5, True),
        (5, 7, 3, None),
        (None, 7, 0, None),
    ] == rows_of(connection)


def test_what_is_undone_is_undone_once(connection: Connection) -> None:
    """
    By a reversal or by a void, whichever came first.
    """
    insert(connection, "transaction", SALE)
    first = UNDO_FIRST | {"original_transaction_id": uuid_of(1)}
    with pytest.raises(errors.UniqueViolation) as caught:
        insert_children(connection, first, first | {"activity": "4"})

    assert "transaction_effective_reversal_key" == caught.value.diag.constraint_name
    assert [(1, 3, 5, None), (2, 8, 5, True)] == rows_of(connection)
