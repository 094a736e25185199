"""
What each role cannot do.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from gateway.runtime.embedded import EmbeddedPostgres
from tests.support.stores import FreshDatabase, fresh_database

JOURNAL: Final = (
    "transaction",
    "posting",
    "request_key",
    "adjustment",
    "exception_item",
)
POLICY: Final = (
    "program",
    "merchant",
    "program_merchant",
    "store",
    "terminal",
    "device",
    "device_certificate",
    "card_product",
    "rate_table",
    "rate",
    "currency_rule",
    "cash_out_rule",
    "store_group",
    "store_group_member",
    "restriction_set",
    "restriction_version",
    "restriction_entry",
    "restriction_window",
    "issue_batch",
)
# Who is in what may be taken back; all else of the policy only changes or ends.
MEMBERS: Final = {"program_merchant", "store_group_member"}
# What workers add to and do not read.
WRITTEN: Final = ("audit",)
KEPT: Final = (
    *JOURNAL,
    *WRITTEN,
    *POLICY,
    "card",
    "policy_version",
    "clock_offset",
)


def each(statement: str, tables: Sequence[str]) -> list[str]:
    """
    Write a statement for several tables.
    """
    return [statement.format(table) for table in tables]


FORBIDDEN: Final = {
    "scrip_gateway": [
        *each("DELETE FROM {}", KEPT),
        *each("TRUNCATE {}", KEPT),
        *each("INSERT INTO {} DEFAULT VALUES", (*POLICY, "card")),
        "UPDATE transaction SET result = 1",
        "UPDATE posting SET amount_minor = 1",
        "UPDATE exception_item SET amount_minor = 1",
        "UPDATE request_key SET fingerprint = NULL",
        "UPDATE card SET number_index = ''",
        "UPDATE card SET currency = 'EUR'",
        "UPDATE card SET restriction_set_id = NULL",
        "UPDATE card SET issue_batch_id = NULL",
        "UPDATE card SET card_id = 9",
        "SELECT number_ciphertext FROM card",
        "SELECT * FROM card",
        *each("DELETE FROM {}", ("card_pin", "card_pin_try")),
        "INSERT INTO card_pin DEFAULT VALUES",
        "UPDATE card_pin SET tag = ''",
        "UPDATE card_pin_try SET card_id = 9",
        "UPDATE policy_version SET version = 1",
        "UPDATE clock_offset SET shift = interval '1 day'",
        "INSERT INTO schema_migration (name, sha256) VALUES ('x', '')",
        "CREATE TABLE mine (n int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE posting DISABLE TRIGGER ALL",
        "SELECT * FROM audit",
        "UPDATE audit SET staff = 'x'",
        "INSERT INTO audit (audit_id) VALUES (1)",
        "INSERT INTO audit (previous_hash) VALUES ('')",
        "INSERT INTO audit (hash) VALUES ('')",
        "SELECT audit_hash_v1(NULL)",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "UPDATE adjustment SET reason = 'x'",
        "UPDATE adjustment SET requested_by = 'x'",
        "INSERT INTO adjustment (approved_by) VALUES ('x')",
        "UPDATE device SET roles = '{2}'",
        "DROP TABLE posting",
        "SET ROLE scrip_owner",
        "SELECT nextval('card_card_id_seq')",
    ],
    "scrip_admin": [
        *each("DELETE FROM {}", [name for name in KEPT if name not in MEMBERS]),
        *each("INSERT INTO {} DEFAULT VALUES", (*JOURNAL, *WRITTEN)),
        "SELECT * FROM transaction",
        "SELECT tag FROM card_pin",
        "UPDATE card_pin SET tag = ''",
        "UPDATE card_pin_try SET tries = 0",
        *each("DELETE FROM {}", ("card_pin", "card_pin_try")),
        "UPDATE card SET balance_minor = 1",
        "UPDATE card SET state = 3",
        "SELECT number_ciphertext FROM card",
        "UPDATE card SET issue_batch_id = NULL",
        "UPDATE issue_batch SET product_id = 1",
        "UPDATE restriction_version SET version = 1",
        "UPDATE restriction_entry SET rule = 1",
        "UPDATE restriction_window SET weekdays = 1",
        "UPDATE rate SET usd_per_unit = 1",
        "UPDATE rate_table SET approved_by = 'me'",
        "UPDATE policy_version SET version = 1",
        "UPDATE clock_offset SET shift = interval '1 day'",
    ],
    "scrip_reader": [
        *each("DELETE FROM {}", KEPT),
        *each("INSERT INTO {} DEFAULT VALUES", KEPT),
        "UPDATE card SET balance_minor = 1",
        "SELECT number_ciphertext FROM card",
        "UPDATE terminal SET state = 1",
    ],
}


@pytest.fixture(scope="module")
def shared(
    postgres_server: EmbeddedPostgres, template_database: str
) -> Iterator[FreshDatabase]:
    """
    Give one database for all of these tests: nothing in it can be changed by them.
    """
    with fresh_database(postgres_server, template_database) as database:
        yield database


@pytest.mark.parametrize(
    ("role", "statement"),
    [(role, one) for role, statements in FORBIDDEN.items() for one in statements],
)
def test_a_role_is_refused(shared: FreshDatabase, role: str, statement: str) -> None:
    """
    No role but the owner's changes what was recorded, or does what is another's work.
    """
    with psycopg.connect(shared.superuser_dsn) as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_every_table_is_the_owners(shared: FreshDatabase) -> None:
    """
    Nothing belongs to anyone else, and nobody at large may do anything.
    """
    with psycopg.connect(shared.superuser_dsn) as connection:
        owners = connection.execute(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
        public = connection.execute(
            "SELECT relname FROM pg_class, aclexplode(relacl) AS a "
            "WHERE relnamespace = 'public'::regnamespace AND a.grantee = 0"
        ).fetchall()

    assert [("scrip_owner",)] == owners
    assert [] == public


def test_the_gateway_does_its_work(seeded: FreshDatabase) -> None:
    """
    What is not refused is allowed: it reads the policy, and locks and changes cards.
    """
    tables = (*POLICY, *JOURNAL, "policy_version", "clock_offset")
    with (
        psycopg.connect(seeded.gateway_dsn) as connection,
        psycopg.connect(seeded.owner_dsn) as owner,
    ):
        seen, there = (
            [rows_in(one, table) for table in tables] for one in (connection, owner)
        )
        locked = connection.execute("SELECT card_id FROM card FOR UPDATE").fetchall()
        changed = connection.execute(
            "UPDATE card SET balance_minor = 1, version = 2, state = 3"
        ).rowcount
        balances = connection.execute(
            "SELECT DISTINCT balance_minor, version, state FROM card"
        ).fetchall()

    assert seen == there
    assert any(there)
    assert [(1,), (2,), (3,), (4,)] == sorted(locked)
    assert 4 == changed
    assert [(1, 2, 3)] == balances


def rows_in(connection: psycopg.Connection[Any], table: str) -> int:
    """
    Count the rows that somebody sees when he reads all columns.
    """
    return len(connection.execute(f"SELECT * FROM {table}".encode()).fetchall())  # noqa: S608 -- our own names
