"""
Explanations on real books, after the policy and the rates have changed.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from gateway.books.connect import Session
from gateway.books.explaining import PostgresExplanations
from gateway.books.queries import QUERIES
from gateway.domain.commands import MoneyCommand
from gateway.domain.errors import DependencyError
from gateway.domain.explanation import CheckNumber, Explanation
from gateway.domain.ids import RequestId, RequestKey, TerminalId, TransactionId
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result
from tests.support.explained import explanations, fault_of, require_explained
from tests.support.real_lanes import RealLane, on_card, real_lane
from tests.support.stores import FreshDatabase
from tests.support.world import amount, load, redeem, refund, reverse, void

# Each changes what a decision like those of this test sees.
CHANGES = (
    "UPDATE card_product SET max_redeem_minor = 500",
    "UPDATE store SET state = 3",
    "UPDATE store SET state = 1, currencies = '{USD}'",
    "UPDATE store SET currencies = '{USD,KWD}'",
    "UPDATE terminal SET state = 2 WHERE terminal_id = 1",
    "UPDATE terminal SET state = 1",
    "UPDATE card_product SET permitted = '{1,2,5}'",
    "UPDATE card_product SET permitted = '{1,2,3,4,5,6,7,8}', max_redeem_minor = NULL",
    "UPDATE program SET time_zone = 'Pacific/Kiritimati'",
    "UPDATE card SET expires_on = current_date - 2 WHERE card_id = 1",
    "DELETE FROM program_merchant",
    "INSERT INTO program_merchant (program_id, merchant_id) VALUES (1, 1)",
    "UPDATE card SET expires_on = NULL, state = 4, block_reason = 1 WHERE card_id = 1",
    "UPDATE card SET state = 3, block_reason = NULL WHERE card_id = 1",
)
RATE = """
WITH t AS (
    INSERT INTO rate_table (source, loaded_by) VALUES ('a', 'b') RETURNING version
)
INSERT INTO rate SELECT version, 'KWD', %s, scrip_clock() + interval '1.1 s',
    scrip_clock(), 'a' FROM t
"""
FORWARD = "UPDATE clock_offset SET shift = shift + interval '2 s'"
# What the policy is read from and needs no history: it is only added to, under a
# version of something that has one, or it decides nothing.
NEVER_CHANGED = {
    "restriction_entry",
    "restriction_window",
    "rate",
    "rate_table",
    "device_certificate",
    "limit_set",
    "terminal_use",
    "policy_version",
}
TABLE = re.compile(r"(?:FROM|JOIN) (\w+) AS|FROM (\w+)(?:;|\n)")


async def everything(lane: RealLane, first: int) -> list[TransactionRecord]:
    """
    Ask for one of each, in one batch: some is approved, some is not.
    """
    sold = first + 2
    asked: list[MoneyCommand] = [
        on_card(load(amount(20_00), number=first)),
        on_card(redeem(amount(9_999_00), number=first + 1)),
        on_card(redeem(amount(6_00), number=sold)),
        on_card(redeem(amount(1_000, "KWD"), number=first + 3)),
        refund(amount(1_00), sold, number=first + 4),
        void(sold, number=first + 5),
        reverse(sold, number=first + 6, with_card=False),
    ]
    commands = [
        replace(one, request_id=RequestId(number.to_bytes(16)))
        for number, one in enumerate(asked, first)
    ]
    return [answer.record for answer in await lane.ask(*commands)]


def of(record: TransactionRecord, told: list[Explanation]) -> Explanation:
    """
    Find a record's explanation.
    """
    (found,) = (
        one for one in told if one.record.transaction_id == record.transaction_id
    )
    return found


async def test_old_decisions_are_explained_by_old_rules(seeded: FreshDatabase) -> None:
    """
    After every change of policy, rates and cards, all there is still agrees.
    """
    records: list[list[TransactionRecord]] = []
    async with (
        real_lane(seeded.gateway_dsn) as lane,
        await psycopg.AsyncConnection.connect(
            seeded.owner_dsn, autocommit=True
        ) as owner,
    ):
        await owner.execute(
            "UPDATE card_product SET permitted = '{1,2,3,4,5,6,7,8}', "
            "max_balance_minor = NULL"
        )
        for turn, change in enumerate(("SELECT 1", *CHANGES), 1):
            if turn % 3 == 1:
                await owner.execute(RATE, [f"3.{turn:03}"])
                await owner.execute(FORWARD)
            await owner.execute(change.encode())
            records.append(await everything(lane, turn * 10))

    ids = [
        TransactionId(record.transaction_id)
        for batch in records
        for record in batch
        if record.transaction_id is not None
    ]
    told = await asyncio.to_thread(explanations, seeded.gateway_dsn, ids)

    assert [fault_of(one) for one in told] == [None] * len(ids)
    of_policy = [change for change in CHANGES if "UPDATE card SET" not in change]
    assert len({one.record.policy_version for one in told}) == len(of_policy) + 1
    results = {one.record.result for one in told}
    assert {
        Result.APPROVED,
        Result.LIMIT_EXCEEDED,
        Result.INVALID_MERCHANT,
        Result.INVALID_TERMINAL,
        Result.CURRENCY_NOT_SUPPORTED,
        Result.NOT_PERMITTED,
        Result.EXPIRED_CARD,
        Result.INVALID_CARD,
        Result.LOST_CARD,
    } <= results
    first = of(records[0][3], told)
    (rates,) = (
        check.values for check in first.checks if check.number is CheckNumber.CURRENCY
    )
    assert dict(rates)["rate table version"] == "1"
    assert dict(rates)["KWD in USD"].startswith("3.001")


async def test_by_the_request_and_what_is_not_there(seeded: FreshDatabase) -> None:
    """
    A transaction is found by the till's own id too; a tombstone is its reversal.
    """
    async with real_lane(seeded.gateway_dsn) as lane:
        (sale, never) = await lane.ask(
            on_card(load(amount(1_00), number=1)),
            reverse(77, number=78, with_card=False),
        )
    books = PostgresExplanations(seeded.gateway_dsn, Session())
    try:
        terminal = TerminalId(1)
        by_id = await books.explain_request(
            RequestKey(terminal, RequestId((1).to_bytes(16)))
        )
        tombstone = await books.explain_request(
            RequestKey(terminal, RequestId((77).to_bytes(16)))
        )
        nothing = await books.explain_request(
            RequestKey(terminal, RequestId((5).to_bytes(16)))
        )
        absent = await books.explain(TransactionId(bytes(16)))
        assert await books.clock() >= sale.record.host_time
    finally:
        await books.close()

    assert by_id is not None
    assert by_id.record == sale.record
    assert tombstone is not None
    assert tombstone.record == never.record
    assert (nothing, absent) == (None, None)


async def test_a_policy_is_read_once(seeded: FreshDatabase) -> None:
    """
    The last few versions are kept, and no more.
    """
    async with (
        real_lane(seeded.gateway_dsn) as lane,
        await psycopg.AsyncConnection.connect(
            seeded.owner_dsn, autocommit=True
        ) as owner,
    ):
        records = []
        for number in range(1, 8):
            (answer,) = await lane.ask(on_card(load(amount(1_00), number=number)))
            records.append(answer.record)
            await owner.execute("UPDATE card_product SET max_load_minor = 100000")
    books = PostgresExplanations(seeded.gateway_dsn, Session())
    try:
        for record in (*records, *records):
            assert record.transaction_id is not None
            found = await books.explain(record.transaction_id)
            assert found is not None
            assert not found.differences
    finally:
        await books.close()

    assert len(books._policies) == 4


async def test_books_that_are_gone() -> None:
    """
    The fault is that of all who cannot reach the books.
    """
    gone = "postgresql://nobody@127.0.0.1:1/none"
    books = PostgresExplanations(gone, Session(connect_timeout_ms=300))
    try:
        with pytest.raises(DependencyError):
            await books.explain(TransactionId(bytes(16)))
    finally:
        await books.close()


def policy_tables() -> Iterator[str]:
    """
    Name the tables that the policy is read from.
    """
    for name, query in QUERIES.items():
        if name.startswith("policy_"):
            for found in TABLE.finditer(query.text):
                yield found[1] or found[2]


def test_every_table_of_the_policy_has_a_history(seeded: FreshDatabase) -> None:
    """
    A new table of the policy is remembered by a trigger, or told here why not.
    """
    with psycopg.connect(seeded.owner_dsn) as connection:
        rows = connection.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'policy_at'"
        ).fetchall()
        columns = connection.execute(
            "SELECT t.table_name, t.column_name FROM information_schema.columns AS t "
            "WHERE t.table_schema = 'public' AND t.table_name IN "
            "(SELECT viewname FROM pg_views WHERE schemaname = 'policy_at') "
            "AND t.table_name <> 'policy_version' EXCEPT "
            "SELECT v.table_name, v.column_name FROM information_schema.columns AS v "
            "WHERE v.table_schema = 'policy_at'"
        ).fetchall()

    kept = {row[0] for row in rows}
    assert set(policy_tables()) <= kept | NEVER_CHANGED
    assert "store" in set(policy_tables())
    assert columns == []


def test_what_the_support_of_tests_finds(seeded: FreshDatabase) -> None:
    """
    The look after each test of the whole program sees what does not agree.
    """

    async def sell() -> None:
        async with real_lane(seeded.gateway_dsn) as lane:
            await lane.ask(on_card(load(amount(1_00), number=1)))

    asyncio.run(sell())
    since = require_explained(seeded.gateway_dsn)
    with psycopg.connect(seeded.owner_dsn) as connection:
        connection.execute("UPDATE transaction SET approved_minor = 7")

    assert require_explained(seeded.gateway_dsn, since) == since
    with pytest.raises(pytest.fail.Exception, match="does not agree"):
        require_explained(seeded.gateway_dsn)
