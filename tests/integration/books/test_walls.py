"""
The second walls: what the tables refuse, whoever asks.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors

from gateway.runtime.embedded import EmbeddedPostgres
from tests.support.ledger import seed
from tests.support.stores import FreshDatabase, fresh_database
from tests.support.wall_rows import DECLINE, LOAD, insert

Connection = psycopg.Connection[Any]

# A card's row, in which single values are then spoiled.
CARD: Final = {
    "program_id": "1",
    "product_id": "1",
    "number_index": "sha256('new')",
    "number_index_key_id": "1",
    "number_ciphertext": "'\\x00'",
    "last_four": "'1234'",
    "state": "3",
    "currency": "'USD'",
}
POSTING: Final = {
    "transaction_id": "'00000000-0000-0000-0000-000000000001'",
    "line": "1",
    "card_id": "1",
    "account": "1",
    "owner_id": "1",
    "currency": "'USD'",
    "amount_minor": "5",
}
KEY: Final = {
    "terminal_id": "1",
    "request_id": "gen_random_uuid()",
    "transaction_id": "gen_random_uuid()",
}
RATES: Final = {
    "rate_transaction": "1",
    "rate_card": "1",
    "applied_rate": "1",
    "rate_table_version": "1",
    "rate_effective_from": "now()",
    "rounding": "0",
}

POSTINGS_SQL: Final = """
INSERT INTO posting (
    transaction_id, line, card_id, account, owner_id, currency, amount_minor
) VALUES
"""

REFUSED: Final = [
    ("card", CARD | {"number_index": "'\\x00'"}, "card_number_index_check"),
    ("card", CARD | {"number_index": "sha256('1')"}, "card_number_index_key"),
    ("card", CARD | {"last_four": "'12x4'"}, "card_last_four_check"),
    ("card", CARD | {"state": "8"}, "card_state_check"),
    ("card", CARD | {"state": "4"}, "card_blocked_check"),
    ("card", CARD | {"block_reason": "1"}, "card_blocked_check"),
    ("card", CARD | {"balance_minor": "-1"}, "card_money_check"),
    ("card", CARD | {"held_minor": "1"}, "card_money_check"),
    ("card", CARD | {"held_minor": "-1"}, "card_money_check"),
    ("card", CARD | {"unconfirmed_minor": "1"}, "card_money_check"),
    ("card", CARD | {"currency": "'EUR'"}, "card_product_fkey"),
    ("card", CARD | {"program_id": "2"}, "card_product_fkey"),
    ("transaction", DECLINE | {"activity": "5"}, "transaction_activity_check"),
    ("transaction", DECLINE | {"activity": "21"}, "transaction_activity_check"),
    ("transaction", DECLINE | {"result": "24"}, "transaction_result_check"),
    ("transaction", DECLINE | {"approved_minor": "1"}, "transaction_decline_check"),
    ("transaction", DECLINE | {"effective": "false"}, "transaction_effective_check"),
    ("transaction", DECLINE | {"rounding": "0"}, "transaction_rates_check"),
    ("transaction", DECLINE | {"batch_no": "0"}, "transaction_batch_no_check"),
    (
        "transaction",
        DECLINE | {"card_number_index": "'\\x00'"},
        "transaction_card_number_index_check",
    ),
    (
        "transaction",
        DECLINE | RATES | {"rounding": "0.51"},
        "transaction_rounding_check",
    ),
    ("transaction", LOAD | {"card_seq": "NULL"}, "transaction_card_check"),
    ("transaction", LOAD | {"held_after_minor": "NULL"}, "transaction_card_check"),
    ("transaction", LOAD | {"effective": "false"}, "transaction_effective_check"),
    (
        "transaction",
        LOAD | {"card_minor": "1000000000000001"},
        "transaction_card_minor_check",
    ),
    (
        "transaction",
        LOAD | {"balance_after_minor": "-1"},
        "transaction_balance_after_minor_check",
    ),
    ("posting", POSTING, "posting_balance_check"),
    ("posting", POSTING | {"amount_minor": "0"}, "posting_amount_minor_check"),
    ("posting", POSTING | {"account": "10"}, "posting_account_check"),
    ("posting", POSTING | {"line": "0"}, "posting_line_check"),
    ("request_key", KEY, "request_key_transaction_fkey"),
    (
        "request_key",
        KEY | {"fingerprint_key_id": "1"},
        "request_key_tombstone_check",
    ),
    (
        "request_key",
        KEY | {"fingerprint_key_id": "1", "fingerprint": "'\\x00'"},
        "request_key_fingerprint_check",
    ),
    ("merchant", {"code": "'UPPER'", "name": "'x'"}, "merchant_code_check"),
    ("merchant", {"code": f"'{'x' * 64}'", "name": "'x'"}, "merchant_code_check"),
    ("merchant", {"code": "'acme'", "name": "'x'"}, "merchant_code_key"),
    ("terminal", {"store_id": "1", "code": "'till-1'"}, "terminal_code_key"),
    (
        "device",
        {"store_id": "1", "code": "'d'", "kind": "1"},
        "device_terminal_check",
    ),
    (
        "device",
        {"store_id": "1", "code": "'d'", "kind": "2", "terminal_id": "1"},
        "device_terminal_check",
    ),
    (
        "device",
        {"store_id": "1", "code": "'d'", "kind": "1", "terminal_id": "77"},
        "device_terminal_fkey",
    ),
    (
        "program",
        {"code": "'p'", "name": "'x'", "time_zone": "'utc+3'"},
        "program_time_zone_check",
    ),
    ("clock_offset", {"only_row": "true"}, "clock_offset_pkey"),
    ("clock_offset", {"only_row": "false"}, "clock_offset_only_row_check"),
    ("policy_version", {"only_row": "true"}, "policy_version_pkey"),
]


@pytest.fixture(scope="module")
def shared(
    postgres_server: EmbeddedPostgres, template_database: str
) -> Iterator[FreshDatabase]:
    """
    Give one seeded database for all tests here: what they do is not kept.
    """
    with fresh_database(postgres_server, template_database) as database:
        seed(database.owner_dsn)
        yield database


@pytest.fixture
def connection(shared: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner, whom no right stops, and roll back at the end.
    """
    with psycopg.connect(shared.owner_dsn) as made:
        made.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield made
        made.rollback()


@pytest.fixture
def importer(shared: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner; what is done in a transaction is committed.
    """
    with psycopg.connect(shared.owner_dsn, autocommit=True) as made:
        yield made


def insert_postings(connection: Connection, *rows: tuple[int, int, str, int]) -> None:
    """
    Insert postings together: number of the transaction, line, currency, amount.
    """
    values = ", ".join(
        f"('00000000-0000-0000-0000-00000000000{number}', {line}, 1, 1, 1, "
        f"'{currency}', {amount_minor})"
        for number, line, currency, amount_minor in rows
    )
    connection.execute(f"{POSTINGS_SQL} {values}".encode())


@pytest.mark.parametrize(("table", "values", "constraint"), REFUSED)
def test_a_wall_refuses(
    connection: Connection, table: str, values: dict[str, str], constraint: str
) -> None:
    """
    What no decision gives is refused by a constraint of its own name.
    """
    with pytest.raises(psycopg.IntegrityError) as caught:
        insert(connection, table, values)

    assert constraint == caught.value.diag.constraint_name


def test_what_is_right_is_let_in(connection: Connection) -> None:
    """
    The rows that were spoiled above are good as they stand.
    """
    insert(connection, "card", CARD)
    insert(connection, "transaction", DECLINE | {"requested_minor": "-5"})
    insert(connection, "transaction", LOAD | RATES | {"rounding": "-0.5"})
    insert_postings(connection, (1, 1, "USD", -5), (1, 2, "USD", 5))
    cards = connection.execute(
        "SELECT last_four, state, currency FROM card WHERE number_index = sha256('new')"
    ).fetchall()
    transactions = connection.execute(
        "SELECT activity, requested_minor, card_minor, rounding FROM transaction "
        "ORDER BY activity"
    ).fetchall()
    postings = connection.execute(
        "SELECT line, amount_minor FROM posting ORDER BY line"
    ).fetchall()

    assert [("1234", 3, "USD")] == cards
    assert [(2, None, 5, Decimal("-0.5")), (3, -5, 0, None)] == transactions
    assert [(1, -5), (2, 5)] == postings


def test_a_card_changes_once_a_version(connection: Connection) -> None:
    """
    Two transactions cannot both be a card's first change.
    """
    insert(connection, "transaction", LOAD)
    with pytest.raises(errors.UniqueViolation) as caught:
        insert(connection, "transaction", LOAD)

    assert "transaction_card_seq_key" == caught.value.diag.constraint_name


def test_postings_balance_in_each_currency(connection: Connection) -> None:
    """
    A transaction balances by itself and by currency, not with its neighbours.
    """
    for wrong in ((2, 1, "USD", 5), (1, 2, "EUR", 5)):
        with (
            pytest.raises(errors.CheckViolation, match=r"sum to -?5 in"),
            connection.transaction(),
        ):
            insert_postings(connection, (1, 1, "USD", -5), wrong)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE program SET name = 'x'",
        "UPDATE merchant SET state = 2",
        "DELETE FROM program_merchant",
        "UPDATE store SET state = 2",
        "UPDATE terminal SET state = 2",
        "UPDATE device SET revoked = true",
        "UPDATE device_certificate SET revoked = true",
        "UPDATE card_product SET max_load_minor = 1",
        "UPDATE store SET merchant_category = '5812'",
        "DELETE FROM currency_rule",
        "INSERT INTO store_group (program_id, code) VALUES (1, 'g')",
        "DELETE FROM store_group_member",
        "INSERT INTO restriction_set (program_id, code) VALUES (1, 's')",
        "UPDATE issue_batch SET restriction_set_id = NULL",
        "INSERT INTO rate_table (source, loaded_by) VALUES ('a', 'b')",
    ],
)
def test_each_change_of_policy_raises_its_version(
    connection: Connection, change: str
) -> None:
    """
    One statement raises the version by one, however many rows it changes.
    """
    before = version(connection)
    connection.execute(change.encode())

    assert before + 1 == version(connection)


def version(connection: Connection) -> int:
    """
    Read the policy's version.
    """
    row = connection.execute("SELECT version FROM policy_version").fetchone()
    assert row is not None
    return int(row[0])


def load_rate(connection: Connection, ahead: str, delay: float = 0) -> None:
    """
    Import one rate that comes into force so long after it was written.
    """
    with connection.transaction():
        connection.execute(
            "WITH v AS (INSERT INTO rate_table (source, loaded_by) VALUES ('a', 'b') "
            "RETURNING version) INSERT INTO rate SELECT version, 'KWD', 3.25, "
            "scrip_clock() + %s::interval, scrip_clock(), 'a' FROM v",
            (ahead,),
        )
        connection.execute("SELECT pg_sleep(%s)", (delay,))


def test_rates_come_into_force_after_they_were_loaded(importer: Connection) -> None:
    """
    A rate of the past is refused, and one that the import let slip into it.
    """
    load_rate(importer, "2 s")
    for ahead, delay in (("-1 day", 0), ("0.9 s", 0), ("1.2 s", 0.4)):
        with pytest.raises(errors.CheckViolation, match="would change the past"):
            load_rate(importer, ahead, delay)


def test_a_version_of_rates_is_closed_when_it_commits(importer: Connection) -> None:
    """
    What workers may have read already gets no more rows.
    """
    load_rate(importer, "2 s")
    with pytest.raises(errors.CheckViolation, match="load a new version"):
        importer.execute(
            "INSERT INTO rate SELECT version, 'LBP', 1, scrip_clock() + '1 day', "
            "scrip_clock(), 'a' FROM rate_table"
        )


def test_versions_of_rates_commit_in_order(shared: FreshDatabase) -> None:
    """
    A second import waits with its number until the first has committed.
    """
    insertion = (
        "INSERT INTO rate_table (source, loaded_by) VALUES ('a', 'b') RETURNING version"
    )
    with (
        psycopg.connect(shared.owner_dsn) as first,
        psycopg.connect(shared.owner_dsn) as second,
    ):
        first.execute(insertion)
        second.execute("SET lock_timeout = '50ms'")
        with pytest.raises(errors.LockNotAvailable):
            second.execute(insertion)


def test_updates_of_cards_stay_on_their_pages(database: FreshDatabase) -> None:
    """
    No index stands on what changes: every update of a card is a HOT update.
    """
    seed(database.owner_dsn, cards=500)
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute(
            "UPDATE card SET balance_minor = 5, version = version + 1, state = 3, "
            "last_transaction_at = now(), load_count = 1, next_hold_expiry = now(), "
            "expires_on = now() WHERE card_id % 4 = 0"
        )
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "
            "WHERE relname = 'card'"
        ).fetchone()

    assert (125, 125) == row
