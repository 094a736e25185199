"""
The check finds nothing in books that balance, and each thing that is wrong.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import psycopg
import pytest

from gateway.books.check import RULES, Violation, check_books
from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.domain.errors import DependencyError
from gateway.runtime.embedded import EmbeddedPostgres
from tests.support.ledger import lock_request, seed
from tests.support.spoiled_lives import SPOILED_LIVES
from tests.support.stores import FreshDatabase, fresh_database
from tests.support.traded_books import trade
from tests.support.traded_exceptions import SPOILED_EXCEPTIONS
from tests.support.traded_holds import SPOILED_HOLDS

# Names of transactions in curly brackets stand for their ids.
SPOILED: Final = [
    ("postings_sum", "DELETE FROM posting WHERE transaction_id = {spent} AND line = 2"),
    ("postings_sum", "UPDATE posting SET currency = 'EUR' WHERE line = 2"),
    ("currencies_sum", "UPDATE posting SET amount_minor = 7 WHERE line = 4"),
    ("postings_belong", "UPDATE posting SET card_id = 4 WHERE card_id = 2"),
    ("postings_belong", "UPDATE posting SET owner_id = 9 WHERE account = 2"),
    ("postings_belong", "UPDATE posting SET transaction_id = gen_random_uuid()"),
    ("postings_belong", "UPDATE transaction SET result = 14 WHERE result = 2"),
    ("records_posted", "DELETE FROM posting WHERE transaction_id = {spent}"),
    ("records_posted", "UPDATE posting SET amount_minor = amount_minor * 2"),
    ("records_posted", "UPDATE posting SET account = 3 WHERE account = 2"),
    (
        "records_posted",
        "UPDATE posting SET transaction_id = {declined} WHERE transaction_id = {spent}",
    ),
    ("liability", "UPDATE card SET balance_minor = 1 WHERE card_id = 4"),
    ("liability", "UPDATE posting SET owner_id = 2 WHERE account = 1"),
    ("conservation", "UPDATE card SET balance_minor = 1 WHERE card_id = 4"),
    ("conservation", "DELETE FROM transaction WHERE transaction_id = {loaded}"),
    ("declines", "UPDATE transaction SET card_minor = 1 WHERE result = 14"),
    ("declines", "UPDATE transaction SET approved_minor = 1 WHERE result = 14"),
    (
        "pin_tries",
        "UPDATE transaction SET result = 27 WHERE transaction_id = {declined}",
    ),
    (
        "pin_counted",
        "UPDATE transaction SET result = 29 WHERE transaction_id = {declined}",
    ),
    ("pin_counted", "UPDATE transaction SET result = 27 WHERE result = 14"),
    ("approvals", "UPDATE transaction SET result = 1 WHERE result = 2"),
    ("approvals", "UPDATE transaction SET result = 2 WHERE activity = 2"),
    ("approvals", "UPDATE transaction SET card_seq = NULL WHERE activity = 3"),
    ("approvals", "UPDATE transaction SET effective = NULL WHERE activity = 4"),
    (
        "conversion_recorded",
        "UPDATE transaction SET rate_table_version = NULL, rounding = NULL",
    ),
    (
        "conversion_recorded",
        "UPDATE transaction SET approved_minor = 9 WHERE transaction_id = {spent}",
    ),
    ("card_balances", "UPDATE card SET balance_minor = 1 WHERE card_id = 4"),
    ("card_balances", "DELETE FROM card WHERE card_id = 1"),
    ("audit", "UPDATE transaction SET actor = 'omar' WHERE transaction_id = {spent}"),
    (
        "adjustments",
        "UPDATE transaction SET activity = 17 WHERE transaction_id = {loaded}",
    ),
    ("adjustments", "UPDATE transaction SET activity = 18, effective = true"),
    ("card_money", "UPDATE card SET balance_minor = -1 WHERE card_id = 4"),
    ("card_money", "UPDATE card SET held_minor = 1 WHERE card_id = 4"),
    ("card_money", "UPDATE card SET state = 2 WHERE card_id = 1"),
    ("card_history", "DELETE FROM transaction WHERE transaction_id = {loaded}"),
    ("card_history", "UPDATE transaction SET card_seq = 99 WHERE card_seq = 2"),
    ("card_history", "UPDATE transaction SET balance_before_minor = 1"),
    (
        "card_history",
        "UPDATE transaction SET host_time = 'now' WHERE transaction_id = {unspent}",
    ),
    ("card_last", "UPDATE card SET version = version + 1 WHERE card_id = 4"),
    ("card_last", "UPDATE card SET state = 5 WHERE card_id = 1"),
    ("card_last", "UPDATE card SET last_transaction_at = 'now' WHERE card_id = 1"),
    ("card_steps", "UPDATE transaction SET balance_after_minor = 1"),
    ("card_steps", "UPDATE transaction SET available_after_minor = 999999"),
    ("card_loads", "UPDATE card SET load_count = 9 WHERE card_id = 1"),
    ("card_loads", "UPDATE card SET loaded_minor = 9 WHERE card_id = 1"),
    *[
        ("cash_outs", f"UPDATE transaction SET {change} WHERE activity = 6")  # noqa: S608
        for change in (
            "result = 2",
            "card_minor = card_minor - 1",
            "approved_minor = approved_minor - 1",
            "card_currency = 'EUR'",
            "available_after_minor = 1",
            "held_after_minor = 1",
        )
    ],
    ("cards_known", "UPDATE transaction SET program_id = 9 WHERE card_seq = 1"),
    ("cards_known", "UPDATE transaction SET card_currency = 'EUR'"),
    ("cards_known", "DELETE FROM card WHERE card_id = 3"),
    ("originals", "DELETE FROM transaction WHERE transaction_id = {spent}"),
    (
        "originals",
        "UPDATE transaction SET original_transaction_id = {loaded} WHERE card_seq = 4",
    ),
    ("reversals", "UPDATE transaction SET result = 14 WHERE transaction_id = {spent}"),
    (
        "reversals",
        "UPDATE transaction SET card_id = 4 WHERE transaction_id = {unspent}",
    ),
    ("reversals", "UPDATE transaction SET card_minor = 1 WHERE activity = 4"),
    ("reversals", "UPDATE transaction SET rounding = 0 WHERE activity = 4"),
    (
        "reversed_once",
        "UPDATE transaction SET original_transaction_id = {spent} WHERE effective",
    ),
    (
        "reversed_nets_zero",
        "UPDATE posting SET account = 3 WHERE transaction_id = {unspent} AND line = 2",
    ),
    (
        "reversals",
        (
            "UPDATE transaction SET business_date = business_date + 1 "
            "WHERE transaction_id = {voided}"
        ),
    ),
    (
        "reversals",
        "UPDATE transaction SET batch_no = 2 WHERE transaction_id = {voided}",
    ),
    ("approvals", "UPDATE transaction SET effective = false WHERE activity = 8"),
    ("refunds", "UPDATE transaction SET activity = 2 WHERE transaction_id = {sold}"),
    ("refunds", "UPDATE transaction SET merchant_id = 2 WHERE activity = 7"),
    ("refunds", "UPDATE transaction SET card_seq = 99 WHERE transaction_id = {sold}"),
    ("refunds", "UPDATE transaction SET rate_transaction = 9 WHERE activity = 3"),
    (
        "refunds",
        "UPDATE transaction SET original_transaction_id = NULL WHERE activity = 7",
    ),
    (
        "refunded",
        (
            "UPDATE transaction SET original_transaction_id = {sold} "
            "WHERE transaction_id = {unspent}"
        ),
    ),
    (
        "refunded",
        "UPDATE transaction SET card_minor = 9999 WHERE transaction_id = {refunded}",
    ),
    (
        "refunded",
        "UPDATE transaction SET approved_minor = 900 WHERE transaction_id = {refunded}",
    ),
    (
        "conversions",
        "UPDATE transaction SET rounding = 0.001 WHERE activity = 7 AND rounding <> 0",
    ),
    (
        "conversions",
        (
            "UPDATE transaction SET card_minor = card_minor + 1 "
            "WHERE activity = 7 AND rounding <> 0"
        ),
    ),
    *SPOILED_LIVES,
    ("keys_lead", "UPDATE request_key SET transaction_id = {loaded}"),
    ("keys_lead", "DELETE FROM transaction WHERE transaction_id = {declined}"),
    (
        "keys_lead",
        "UPDATE request_key SET transaction_id = {declined} WHERE fingerprint IS NULL",
    ),
    (
        "keys_lead",
        "UPDATE request_key SET fingerprint = NULL, fingerprint_key_id = NULL",
    ),
    ("transactions_keyed", "DELETE FROM request_key"),
    (
        "transactions_keyed",
        "UPDATE request_key SET terminal_id = 2 WHERE terminal_id = 1",
    ),
    *SPOILED_HOLDS,
    ("refusals", "UPDATE transaction SET refusal = 1 WHERE result = 14"),
    ("refusals", "UPDATE transaction SET refusal_hours = '1' WHERE result = 14"),
    (
        "refusals",
        (
            "UPDATE transaction SET result = 21, refusal = 1, "
            "restriction_version_id = 9 WHERE result = 14"
        ),
    ),
    ("restrictions", "INSERT INTO restriction_set (program_id, code) VALUES (1, 'a')"),
    (
        "restrictions",
        (
            "WITH g AS (INSERT INTO store_group (merchant_id, code) VALUES (2, 'g')"
            " RETURNING store_group_id) INSERT INTO store_group_member"
            " SELECT 1, store_group_id FROM g"
        ),
    ),
    *SPOILED_EXCEPTIONS,
    ("card_uses", "UPDATE card SET day_spends = day_spends + 1"),
    (
        "card_uses",
        (
            "UPDATE card SET counted_on = (t.host_time AT TIME ZONE 'Asia/Beirut')"
            "::date"
            " FROM transaction AS t WHERE t.card_id = card.card_id AND t.activity = 3"
        ),
    ),
    (
        "terminal_uses",
        "INSERT INTO terminal_use (terminal_id, currency, loads) VALUES (1, 'USD', 1)",
    ),
    (
        "limits",
        "UPDATE transaction SET limit_kind = 3, limit_value = 1 WHERE result = 14",
    ),
    (
        "limits",
        "INSERT INTO limit_set (program_id, code, currency) VALUES (1, 'a', 'USD')",
    ),
    ("conversions", "UPDATE transaction SET card_minor = card_minor + 1"),
    ("conversions", "UPDATE transaction SET rounding = 0.001"),
    ("conversions", "UPDATE transaction SET rate_transaction = 3.3"),
    ("conversions", "UPDATE transaction SET applied_rate = 3.3"),
    ("conversions", "UPDATE transaction SET requested_exponent = 2"),
    ("conversions", "UPDATE transaction SET rate_effective_from = 'epoch'"),
    ("conversions", "UPDATE rate SET usd_per_unit = 3.3"),
    (
        "conversions",
        "INSERT INTO rate SELECT 2, 'KWD', 3, effective_from, as_of, 'late' FROM rate",
    ),
    ("conversions", "DELETE FROM rate"),
]

# Nothing but what a mistake of ours, or a hand on the tables, would have to get past.
NO_WALLS: Final = """
SET session_replication_role = replica;
DROP INDEX transaction_effective_reversal_key, transaction_card_seq_key;
DO $$
DECLARE
    wall record;
BEGIN
    FOR wall IN
        SELECT conrelid::regclass AS place, conname
        FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conrelid <> 0
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', wall.place, wall.conname);
    END LOOP;
END
$$;
"""


@pytest.fixture(scope="module")
def traded(
    postgres_server: EmbeddedPostgres, template_database: str
) -> Iterator[tuple[FreshDatabase, dict[str, str]]]:
    """
    Give books in which everything was traded once, and the ids of the transactions.
    """
    with fresh_database(postgres_server, template_database) as database:
        seed(database.owner_dsn, cards=5)
        with ThreadPoolExecutor(max_workers=1) as thread:
            records = thread.submit(lambda: asyncio.run(trade(database))).result()
        ids = {
            name: f"'{record.transaction_id.hex()}'"
            for name, record in records.items()
            if record.transaction_id is not None
        }
        yield database, ids


@pytest.fixture
def copy(
    postgres_server: EmbeddedPostgres, traded: tuple[FreshDatabase, dict[str, str]]
) -> Iterator[FreshDatabase]:
    """
    Give a copy of those books, to be spoiled.
    """
    with fresh_database(postgres_server, traded[0].name) as database:
        yield database


def spoil(database: FreshDatabase, change: str) -> None:
    """
    Change the tables behind the back of every constraint.
    """
    with psycopg.connect(database.superuser_dsn) as connection:
        connection.execute(NO_WALLS)
        cursor = connection.execute(change.encode())

        assert cursor.rowcount > 0


def found(violations: list[Violation]) -> set[str]:
    """
    Name the rules that do not hold.
    """
    return {violation.rule for violation in violations}


async def test_books_that_balance_break_no_rule(copy: FreshDatabase) -> None:
    """
    Trading leaves nothing to be found, and the progress is told rule by rule.
    """
    told: list[tuple[int, int, str]] = []
    violations = await check_books(
        copy.gateway_dsn, lambda done, of, rule: told.append((done, of, rule))
    )

    assert [] == violations
    assert list(RULES) == [rule for _, _, rule in told]
    assert (len(RULES), len(RULES)) == told[-1][:2]


@pytest.mark.parametrize(("rule", "change"), SPOILED)
async def test_each_thing_that_is_wrong_is_found(
    copy: FreshDatabase,
    traded: tuple[FreshDatabase, dict[str, str]],
    rule: str,
    change: str,
) -> None:
    """
    What was spoiled breaks its rule, and the rows are shown.
    """
    ids = traded[1]
    spoil(copy, change.format_map(ids))
    violations = await check_books(copy.owner_dsn)

    assert rule in found(violations)
    (violation,) = [each for each in violations if each.rule == rule]
    assert violation.rows
    assert violation.about.endswith(".")


def test_every_rule_was_broken() -> None:
    """
    No rule stands without a test that breaks it.
    """
    broken = {f"check_{rule}" for rule, _ in SPOILED}

    assert set(RULES) == broken


async def test_only_so_many_rows_are_shown(seeded: FreshDatabase) -> None:
    """
    Of a rule broken a hundred times, twenty rows and a word that there are more.
    """
    with psycopg.connect(seeded.owner_dsn) as connection:
        connection.execute(
            "INSERT INTO card (program_id, product_id, number_index, "
            "number_index_key_id, number_ciphertext, last_four, state, currency, "
            "load_count) SELECT 1, 1, sha256(n::text::bytea), 1, '', '0000', 3, 'USD', "
            "1 "
            "FROM generate_series(100, 200) AS n"
        )
    (violation,) = await check_books(seeded.owner_dsn)

    assert ("card_loads", 20, True) == (
        violation.rule,
        len(violation.rows),
        violation.more,
    )


async def test_the_check_waits_for_nobody(copy: FreshDatabase) -> None:
    """
    It runs beside a batch that holds cards and keys.
    """
    books = PostgresBooks(copy.gateway_dsn, Session())
    batch, _ = await books.open(lock_request(cards=(1, 2, 3)))
    violations = await check_books(copy.owner_dsn)
    await batch.rollback()
    await books.close()

    assert [] == violations


async def test_books_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """
    Where nobody answers, that is said, and nothing is called clean.
    """
    with pytest.raises(DependencyError, match="cannot be read"):
        await check_books(f"host={tmp_path} dbname=none")
