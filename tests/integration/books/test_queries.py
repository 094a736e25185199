"""
Every query fits the schema, is allowed to its role, and uses the indexes it says.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from psycopg.pq import ExecStatus

from gateway.books import rows
from gateway.books.columns import POSTING_COLUMNS, TRANSACTION_COLUMNS
from gateway.books.connect import Session
from gateway.books.queries import QUERIES, Query
from gateway.domain.record import Posting, TransactionRecord
from gateway.runtime.embedded import EmbeddedPostgres
from tests.support.stores import FreshDatabase, fresh_database

Connection = psycopg.Connection[Any]

# Those of the lane and of the readings, which a worker sends.
WORKERS: Final = (
    "begin",
    "commit",
    "rollback",
    "set_patience",
    "lock_free_cards",
    "named_cards",
    "lock_cards_by_index",
    "lock_cards_by_id",
    "lock_free_cards_by_id",
    "lock_cards",
    "claim_keys",
    "card_pins",
    "batch_moment",
    "cards_of",
    "stored_requests",
    "insert_transactions",
    "insert_postings",
    "update_cards",
    "insert_exceptions",
    "write_pin_tries",
    "insert_adjustments",
    "approve_adjustments",
    "insert_audit",
    "balances",
    "policy_version",
    "clock_shift",
    "unsafe_settings",
    "last_approval",
    "books_clock",
    "holds_standing",
    "holds_until",
    "holds_open",
    "holds_named",
    "write_holds",
    "insert_hold_steps",
    *(name for name in QUERIES if name.startswith("policy_")),
)
INDEX: Final = re.compile(r"\b\w+_(?:pkey|key|idx)\b")
TABLES_THAT_GROW: Final = (
    "card",
    "card_pin",
    "card_pin_try",
    "transaction",
    "posting",
    "request_key",
    "hold",
    "adjustment",
    "audit",
)


@pytest.fixture(scope="module")
def shared(
    postgres_server: EmbeddedPostgres, template_database: str
) -> Iterator[FreshDatabase]:
    """
    Give one empty database, never analyzed, in which nothing is changed.
    """
    with fresh_database(postgres_server, template_database) as database:
        yield database


@pytest.fixture(scope="module")
def worker(shared: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as a lane does.
    """
    with psycopg.connect(
        shared.gateway_dsn, autocommit=True, options=Session().options()
    ) as connection:
        yield connection


@pytest.fixture(scope="module")
def owner(shared: FreshDatabase) -> Iterator[Connection]:
    """
    Connect as the owner of the tables.
    """
    with psycopg.connect(shared.owner_dsn, autocommit=True) as connection:
        yield connection


def prepare(connection: Connection, query: Query) -> str:
    """
    Let the server parse a query; give its complaint, if it has one.
    """
    result = connection.pgconn.prepare(b"", query.numbered)
    if result.status == ExecStatus.COMMAND_OK:
        return ""
    return result.error_message.decode()


def plan_of(connection: Connection, query: Query) -> str:
    """
    Give the plan that is made once for any parameters.
    """
    types = [
        re.search(rf"\${number}::([a-z0-9]+(?:\[\])?)", query.numbered.decode())
        for number in range(1, len(query.parameters) + 1)
    ]
    names = ", ".join(found[1] for found in types if found)
    nulls = ", ".join(["NULL"] * len(types))
    signature, arguments = (f"({names})", f"({nulls})") if types else ("", "")
    body = query.numbered.decode()
    connection.execute(f"PREPARE planned {signature} AS {body}".encode())
    rows = connection.execute(f"EXPLAIN EXECUTE planned {arguments}".encode())
    text = "\n".join(row[0] for row in rows)
    connection.execute("DEALLOCATE planned")
    return text


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_every_query_fits_the_schema(owner: Connection, name: str) -> None:
    """
    The server accepts each query as it stands in its file.
    """
    assert "" == prepare(owner, QUERIES[name])


@pytest.mark.parametrize(
    "name",
    [name for name in WORKERS if INDEX.search(QUERIES[name].about)],
)
def test_a_query_uses_the_indexes_it_names(worker: Connection, name: str) -> None:
    """
    The indexes in a query's comment are those in its plan, and it scans no table.
    """
    query = QUERIES[name]
    plan = plan_of(worker, query)

    if "Insert on" not in plan or "Arbiter" in plan:
        for index in INDEX.findall(query.about):
            assert index in plan
    for table in TABLES_THAT_GROW:
        assert f"Seq Scan on {table}" not in plan


def test_the_list_of_exceptions_scans_no_transactions(owner: Connection) -> None:
    """
    What people look through is found by index, however many transactions there are.

    The list once read all of them for each that nobody had confirmed.
    """
    query = QUERIES["admin_exceptions"]
    owner.execute("SET enable_seqscan = off")
    plan = plan_of(owner, query)
    owner.execute("RESET enable_seqscan")

    for index in INDEX.findall(query.about):
        assert index in plan
    assert "Seq Scan on transaction" not in plan


def test_workers_may_send_their_queries(worker: Connection) -> None:
    """
    The gateway's role has every right its queries need (their plans are made).
    """
    for name in WORKERS:
        query = QUERIES[name]
        if query.text.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            continue

        assert plan_of(worker, query)


def columns_of(connection: Connection, table: str) -> list[str]:
    """
    List the columns of a table in their order.
    """
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass "
        "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    )
    return [row[0] for row in rows]


def test_a_record_is_a_row(owner: Connection) -> None:
    """
    The fields of TransactionRecord are the columns, the parameters and the results.
    """
    fields = list(TransactionRecord._fields)
    stored = QUERIES["stored_requests"]
    prepare(owner, stored)
    described = owner.pgconn.describe_prepared(b"")
    names = [
        (described.fname(column) or b"").decode() for column in range(described.nfields)
    ]

    assert fields == columns_of(owner, "transaction")
    assert fields == list(TRANSACTION_COLUMNS)
    assert fields == list(QUERIES["insert_transactions"].parameters)
    assert fields == names[rows._BEFORE_RECORD :]


def test_a_posting_is_a_row(owner: Connection) -> None:
    """
    The fields of Posting are the parameters, and all columns of its table.
    """
    assert list(Posting._fields) == list(POSTING_COLUMNS)
    assert set(Posting._fields) == set(columns_of(owner, "posting"))
    assert len(Posting._fields) == len(QUERIES["insert_postings"].parameters)
