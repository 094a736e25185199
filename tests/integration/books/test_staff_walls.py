"""
The second wall around staff: what the tables refuse, whoever asks.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from tests.support.stores import FreshDatabase
from tests.support.wall_rows import LOAD, insert

Connection = psycopg.Connection[Any]

ASKED, LET, LATER = (f"'00000000-0000-0000-0000-{n:012}'" for n in (1, 2, 3))
ADJUST: Final = LOAD | {
    "activity": "17",
    "transaction_id": ASKED,
    "effective": "false",
    "channel": "3",
    "actor": "'amira'",
    "approved_minor": "0",
    "card_minor": "0",
    "card_seq": "NULL",
}
ROW: Final = """
INSERT INTO audit (
    host_time, terminal_id, staff, role, operation, channel, result, replayed
) VALUES (now(), 1, 'amira', 1, 1, 3, 1, false)
"""


@pytest.fixture
def connection(seeded: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner, whom no right stops.
    """
    with psycopg.connect(seeded.owner_dsn, autocommit=True) as made:
        insert(made, "transaction", ADJUST)
        for number, transaction_id in enumerate((LET, LATER), start=2):
            own = {"transaction_id": transaction_id, "card_seq": str(number)}
            insert(made, "transaction", LOAD | own)
        insert(
            made,
            "adjustment",
            {"transaction_id": ASKED, "requested_by": "'amira'", "reason": "'why'"},
        )
        yield made


def approve(connection: Connection, by: str, approval: str = LET) -> None:
    """
    Approve the one adjustment.
    """
    connection.execute(
        f"UPDATE adjustment SET approved_by = '{by}', approval_id = {approval}"  # noqa: S608
    )


def test_nobody_approves_their_own(connection: Connection) -> None:
    """
    CHECK (approved_by <> requested_by), behind the decision.
    """
    with pytest.raises(errors.CheckViolation, match="adjustment_second_person"):
        approve(connection, "amira")


def test_an_approval_stands(connection: Connection) -> None:
    """
    Once approved the row never changes, and before nothing but the approval does.
    """
    for change in (
        "UPDATE adjustment SET reason = 'other'",
        "UPDATE adjustment SET requested_by = 'omar'",
    ):
        with pytest.raises(errors.CheckViolation, match="approved, or would become"):
            connection.execute(change.encode())
    approve(connection, "omar")

    with pytest.raises(errors.CheckViolation, match="approved, or would become"):
        approve(connection, "zeina", LATER)


def test_an_approval_is_whole(connection: Connection) -> None:
    """
    Who and by what, or neither.
    """
    with pytest.raises(errors.CheckViolation, match="adjustment_approval_check"):
        connection.execute("UPDATE adjustment SET approved_by = 'omar'")


@pytest.mark.parametrize(
    ("kind", "terminal", "roles"),
    [
        (3, True, "{}"),
        (3, True, "{3}"),
        (3, True, "{NULL}"),
        (3, False, "{1}"),
        (1, True, "{1}"),
        (2, False, "{2}"),
        (4, True, "{1}"),
    ],
)
def test_a_device_is_of_one_kind(
    connection: Connection, kind: int, terminal: bool, roles: str
) -> None:
    """
    Staff have a terminal and roles that there are; others have none.
    """
    with pytest.raises(errors.CheckViolation):
        connection.execute(
            "INSERT INTO device (store_id, code, kind, terminal_id, roles) "
            "SELECT store_id, 'x', %s, CASE WHEN %s THEN terminal_id END, "
            "%s::smallint[] FROM terminal LIMIT 1",
            [kind, terminal, roles],
        )


def test_the_chain_is_the_tables_own(connection: Connection) -> None:
    """
    Whatever a row says of its place in the chain, the table says it itself.
    """
    for _ in range(2):
        connection.execute(ROW)
    connection.execute(
        "INSERT INTO audit SELECT 9, host_time, terminal_id, staff, role, operation, "
        "channel, request_id, card_id, transaction_id, result, replayed, hash, hash "
        "FROM audit WHERE audit_id = 1"
    )

    rows = connection.execute(
        "SELECT audit_id, previous_hash, hash FROM audit ORDER BY audit_id"
    ).fetchall()

    assert [row[0] for row in rows] == [1, 2, 3]
    assert [row[1] for row in rows] == [bytes(32), rows[0][2], rows[1][2]]
    assert connection.execute("SELECT * FROM audit_faults_v1(9)").fetchall() == [
        (None, row[0], row[1])
        for row in connection.execute(
            "SELECT transaction_id, 'staff did this without a row' FROM transaction "
            "WHERE actor IS NOT NULL"
        )
    ]


def test_several_rows_of_one_statement_are_chained(connection: Connection) -> None:
    """
    A batch inserts its rows at once: each sees the one before it.
    """
    connection.execute(ROW + ", (now(), 1, 'omar', 2, 1, 2, 1, false)")

    rows = connection.execute(
        "SELECT previous_hash, hash FROM audit ORDER BY audit_id"
    ).fetchall()

    assert rows[1][0] == rows[0][1]


def test_a_rival_waits_for_the_chain(seeded: FreshDatabase) -> None:
    """
    Of two transactions the second waits until the first has ended, and no longer.
    """
    with (
        psycopg.connect(seeded.owner_dsn) as first,
        psycopg.connect(seeded.owner_dsn, autocommit=True) as second,
    ):
        first.execute(ROW)
        second.execute("SET lock_timeout = '50ms'")
        with pytest.raises(errors.LockNotAvailable):
            second.execute(ROW)
        first.rollback()
        second.execute(ROW)

        assert second.execute("SELECT audit_id FROM audit").fetchall() == [(1,)]
