"""
The console's role makes cards and rates, and no money and no past.
"""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from tests.support.ledger import seed
from tests.support.stores import FreshDatabase

Connection = psycopg.Connection[Any]

NEW_CARD: Final = """
INSERT INTO card (
    program_id, product_id, number_index, number_index_key_id, number_ciphertext,
    last_four, state, currency, {}
) VALUES (1, 1, sha256('new'), 1, '\\x00', '1234', 2, 'USD', {})
"""


@pytest.fixture
def admin(database: FreshDatabase) -> Iterator[Connection]:
    """
    Connect with the console's rights.
    """
    seed(database.owner_dsn)
    with psycopg.connect(database.superuser_dsn) as connection:
        connection.execute("SET SESSION AUTHORIZATION scrip_admin")
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("balance_minor", "100000000"),
        ("unconfirmed_minor", "0"),
        ("held_minor", "0"),
        ("load_count", "7"),
        ("version", "7"),
        ("last_transaction_at", "now()"),
    ],
)
def test_no_card_is_made_with_money(admin: Connection, column: str, value: str) -> None:
    """
    Money comes by a transaction alone: it moves none, not even onto a new card.
    """
    with pytest.raises(errors.InsufficientPrivilege):
        admin.execute(NEW_CARD.format(column, value).encode())


@pytest.mark.parametrize(
    ("column", "value"),
    [("version", "7000"), ("loaded_at", "'epoch'"), ("loaded_in", "'9'::xid8")],
)
def test_an_import_does_not_choose_what_it_is(
    admin: Connection, column: str, value: str
) -> None:
    """
    Its number, its time and its transaction are the books' to say.
    """
    statement = (
        f"INSERT INTO rate_table (source, loaded_by, {column}) "  # noqa: S608
        f"VALUES ('a', 'b', {value})"
    )
    with pytest.raises(errors.InsufficientPrivilege):
        admin.execute(statement.encode())
