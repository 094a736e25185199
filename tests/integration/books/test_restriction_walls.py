"""
The second walls of restrictions: what the tables refuse, whoever asks.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from tests.support.stores import FreshDatabase

Connection = psycopg.Connection[Any]

RESTRICTED: Final = """
WITH s AS (
    INSERT INTO restriction_set (program_id, code) VALUES (1, 'lunch')
    RETURNING restriction_set_id
)
INSERT INTO restriction_version (restriction_set_id, version)
SELECT restriction_set_id, 1 FROM s RETURNING restriction_version_id
"""
LISTED: Final = [
    (
        "INSERT INTO restriction_entry (restriction_version_id, rule, store_id) "
        "VALUES (%s, 1, 1)"
    ),
    "INSERT INTO restriction_window VALUES (%s, 31, 690, 840)",
]
WRONGLY_LISTED: Final = [
    (
        "restriction_entry (restriction_version_id, rule) VALUES (%s, 1)",
        "restriction_entry_subject_check",
    ),
    (
        (
            "restriction_entry (restriction_version_id, rule, store_id, country) "
            "VALUES (%s, 1, 1, 'LB')"
        ),
        "restriction_entry_subject_check",
    ),
    (
        (
            "restriction_entry (restriction_version_id, rule, country) "
            "VALUES (%s, 3, 'LB')"
        ),
        "restriction_entry_rule_check",
    ),
    (
        (
            "restriction_entry (restriction_version_id, rule, merchant_category) "
            "VALUES (%s, 1, '58x2')"
        ),
        "restriction_entry_merchant_category_check",
    ),
    ("restriction_window VALUES (%s, 0, 0, 60)", "restriction_window_weekdays_check"),
    ("restriction_window VALUES (%s, 1, 60, 60)", "restriction_window_length_check"),
    (
        "restriction_window VALUES (%s, 1, 1440, 60)",
        "restriction_window_begins_minute_check",
    ),
    (
        "restriction_window VALUES (%s, 1, 60, 0)",
        "restriction_window_ends_minute_check",
    ),
]


NEW_BATCH: Final = (
    "INSERT INTO issue_batch (product_id, program_id, restriction_set_id) "
    "VALUES (1, 1, %s)"
)


# A refusal as it is recorded, in which single values are then spoiled.
BARRED: Final = {
    "transaction_id": "gen_random_uuid()",
    "terminal_id": "1",
    "request_id": "gen_random_uuid()",
    "activity": "3",
    "result": "21",
    "merchant_id": "1",
    "store_id": "1",
    "approved_minor": "0",
    "card_minor": "0",
    "markup_bps": "0",
    "balances_shown": "false",
    "host_time": "now()",
    "business_date": "now()",
    "batch_no": "1",
    "policy_version": "1",
    "refusal": "1",
    "restriction_version_id": "1",
}
NO_REFUSALS: Final = [
    {"result": "20"},
    {"refusal": "5"},
    {"refusal": "4"},
    {"refusal": "NULL"},
    {"refusal_hours": "'1'"},
    {"restriction_version_id": "NULL"},
    {"balances_shown": "true"},
    {"refusal": "4", "refusal_hours": "repeat('1', 401)"},
]
NO_SET: Final = [
    (
        (
            "INSERT INTO issue_batch (product_id, program_id, restriction_set_id) "
            "VALUES (1, 1, 77)"
        ),
        "issue_batch_restriction_fkey",
    ),
    ("UPDATE card SET restriction_set_id = 77", "card_restriction_fkey"),
    ("UPDATE card SET issue_batch_id = 77", "card_issue_batch_fkey"),
    (
        "UPDATE card_product SET restriction_set_id = 77",
        "card_product_restriction_fkey",
    ),
    ("INSERT INTO store_group (code) VALUES ('g')", "store_group_owner_check"),
    (
        "INSERT INTO store_group (code, program_id, merchant_id) VALUES ('g', 1, 1)",
        "store_group_owner_check",
    ),
    (
        "UPDATE store SET merchant_category = '58'",
        "store_merchant_category_check",
    ),
]


@pytest.fixture
def connection(seeded: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner, whom no right stops, and roll back at the end.
    """
    with psycopg.connect(seeded.owner_dsn) as made:
        yield made
        made.rollback()


def version(connection: Connection) -> int:
    """
    Read the policy's version.
    """
    row = connection.execute("SELECT version FROM policy_version").fetchone()
    assert row is not None
    return int(row[0])


def set_ids(connection: Connection) -> list[int]:
    """
    List the sets, in the order in which they were made.
    """
    rows = connection.execute(
        "SELECT restriction_set_id FROM restriction_set ORDER BY restriction_set_id"
    )
    return [int(row[0]) for row in rows]


def new_restriction(connection: Connection) -> int:
    """
    Make a set and its first version; give the version's id.
    """
    row = connection.execute(RESTRICTED.encode()).fetchone()
    assert row is not None
    return int(row[0])


def record(connection: Connection, values: dict[str, str]) -> None:
    """
    Insert one transaction of SQL expressions.
    """
    names, expressions = ", ".join(values), ", ".join(values.values())
    statement = f"INSERT INTO transaction ({names}) VALUES ({expressions})"  # noqa: S608 -- all literals
    connection.execute(statement.encode())


def test_a_refusal_is_let_in(connection: Connection) -> None:
    """
    The rows that are spoiled below are good as they stand.
    """
    record(connection, BARRED)
    record(connection, BARRED | {"refusal": "4", "refusal_hours": "repeat('1', 400)"})
    kept = connection.execute(
        "SELECT result, refusal, refusal_hours, restriction_version_id "
        "FROM transaction ORDER BY refusal"
    ).fetchall()

    assert [(21, 1, None, 1), (21, 4, "1" * 400, 1)] == kept


@pytest.mark.parametrize("spoiled", NO_REFUSALS)
def test_a_refusal_is_recorded_whole(
    connection: Connection, spoiled: dict[str, str]
) -> None:
    """
    Or the sentence that a till was told could not be told again.
    """
    with pytest.raises(errors.CheckViolation) as caught:
        record(connection, BARRED | spoiled)

    assert caught.value.diag.constraint_name == "transaction_refusal_check"


@pytest.mark.parametrize(("change", "constraint"), NO_SET)
def test_what_has_no_owner_or_no_set_is_refused(
    connection: Connection, change: str, constraint: str
) -> None:
    """
    What nothing stands for cannot be named.
    """
    with pytest.raises(psycopg.IntegrityError) as caught:
        connection.execute(change.encode())

    assert caught.value.diag.constraint_name == constraint


@pytest.mark.parametrize(("wrong", "constraint"), WRONGLY_LISTED)
def test_a_list_holds_what_decisions_can_read(
    connection: Connection, wrong: str, constraint: str
) -> None:
    """
    One thing an entry, and windows that are some minutes of a week.
    """
    version_id = new_restriction(connection)
    with pytest.raises(errors.CheckViolation) as caught:
        connection.execute(f"INSERT INTO {wrong}".encode(), (version_id,))

    assert constraint == caught.value.diag.constraint_name


@pytest.mark.parametrize("listing", LISTED)
def test_a_version_of_a_restriction_is_closed_when_it_commits(
    seeded: FreshDatabase, listing: str
) -> None:
    """
    What workers may have read already lists nothing more.
    """
    with psycopg.connect(seeded.owner_dsn) as first:
        version_id = new_restriction(first)
        first.execute(listing.encode(), (version_id,))
    with (
        psycopg.connect(seeded.owner_dsn) as second,
        pytest.raises(errors.CheckViolation, match="make a new version"),
    ):
        second.execute(listing.encode(), (version_id,))


def test_an_issue_batch_without_a_restriction_changes_no_policy(
    connection: Connection,
) -> None:
    """
    Nobody reads the policy anew for cards that may be used everywhere.
    """
    before = version(connection)
    connection.execute(NEW_BATCH, (None,))
    without = version(connection)
    new_restriction(connection)
    connection.execute(NEW_BATCH, set_ids(connection)[-1:])

    assert before == without
    assert before + 3 == version(connection)


def test_a_set_of_another_programme_fits_nowhere(connection: Connection) -> None:
    """
    Neither a product nor a batch nor a card takes it.
    """
    connection.execute(
        "INSERT INTO program (code, name, time_zone) VALUES ('other', 'x', 'UTC')"
    )
    row = connection.execute(
        "INSERT INTO restriction_set (program_id, code) SELECT max(program_id), 's' "
        "FROM program RETURNING restriction_set_id"
    ).fetchone()
    for table, constraint in (
        ("card_product", "card_product_restriction_fkey"),
        ("card", "card_restriction_fkey"),
    ):
        with (
            pytest.raises(errors.ForeignKeyViolation) as caught,
            connection.transaction(),
        ):
            connection.execute(
                f"UPDATE {table} SET restriction_set_id = %s".encode(),  # noqa: S608
                row,
            )

        assert constraint == caught.value.diag.constraint_name
