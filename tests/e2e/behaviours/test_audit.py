"""
The audit: a row for each call of the staff, chained, and found out when it is changed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from gateway.books.audit_chain import BrokenChainError, ChainEnd, verify_chain
from gateway.books.check import check_books
from gateway.domain.results import Channel, Result
from gateway.domain.staff import StaffOperation, StaffRole
from tests.e2e.conftest import StartGateway
from tests.support.server import Gateway
from tests.support.staff import Desks
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Tills,
    card_maker,
    fault,
    new_id,
    open_tills,
)

# Whoever changes a row can make its own hash right, and not the next one's.
_REHASHED = """
UPDATE audit SET result = 7 WHERE audit_id = 2;
UPDATE audit AS a SET hash = audit_hash_v1(a) WHERE audit_id = 2
"""
ALL = "SELECT * FROM audit ORDER BY audit_id"


@pytest.fixture
def desks(tills: Tills) -> Desks:
    """
    Open staff on the shared gateway.
    """
    return Desks(tills)


async def test_every_call_leaves_a_row(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Who, in which role, what, of which card, and the answer; again for a replay.
    """
    amira, omar, own = await desks("amira"), await desks("omar"), await card()
    before = len(rows_of(gateway_process))
    ids = [new_id() for _ in range(4)]

    looked = await amira.get_card(own, request_id=ids[0])
    asked = await amira.adjust(own, 5_00, request_id=ids[1])
    await amira.adjust(own, 5_00, request_id=ids[1])
    await amira.adjust(own, 6_00, request_id=ids[1])
    done = await omar.approve(asked, "amira", request_id=ids[2])
    await omar.get_card(UNKNOWN_NUMBER, request_id=ids[3])

    rows = rows_of(gateway_process)[before:]
    assert looked.outcome.transaction_id == ""
    assert [
        (
            row["staff"],
            StaffOperation(row["operation"]).name,
            str(row["request_id"]),
            row["card_id"],
            str(row["transaction_id"] or ""),
            Result(row["result"]).name,
            row["replayed"],
        )
        for row in rows
    ] == [
        ("amira", "GET_CARD", ids[0], own.card_id, "", "APPROVED", False),
        *(
            (
                "amira",
                "ADJUST",
                ids[1],
                own.card_id,
                asked.transaction_id,
                "APPROVED",
                replayed,
            )
            for replayed in (False, True)
        ),
        ("amira", "ADJUST", ids[1], None, "", "DUPLICATE", False),
        (
            "omar",
            "APPROVE_ADJUSTMENT",
            ids[2],
            own.card_id,
            done.transaction_id,
            "APPROVED",
            False,
        ),
        ("omar", "GET_CARD", ids[3], None, "", "INVALID_CARD", False),
    ]
    assert {(row["staff"], row["role"], row["channel"]) for row in rows} == {
        ("amira", StaffRole.CALL_CENTRE, Channel.IVR),
        ("omar", StaffRole.OPERATOR, Channel.ADMIN),
    }


async def test_what_is_recorded_says_who_asked(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    The transaction has the channel and the person; a till's has neither.
    """
    amira, hassan, own = await desks("amira"), await desks("hassan"), await card()
    asked = await amira.adjust(own, 5_00)
    await hassan.approve(asked, amira.desk)

    rows = gateway_process.sql(
        "SELECT activity, channel, actor FROM transaction WHERE card_id = %s "
        "ORDER BY transaction_id",
        own.card_id,
    )

    assert rows == [
        (1, Channel.API, None),
        (17, Channel.IVR, "amira"),
        (17, Channel.ADMIN, "hassan"),
    ]


async def test_no_card_number_is_kept(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Neither the audit nor the reason of an adjustment holds a card's number.
    """
    amira, own = await desks("amira"), await card()
    await amira.get_card(own)
    await fault(amira.adjust(own, 1_00, reason=f"for {own.number}"))
    await amira.adjust(own, 1_00, reason="till 4 took it twice")

    ((kept,),) = gateway_process.sql(
        "SELECT (SELECT string_agg(a::text, ' ') FROM audit AS a) || "
        "(SELECT string_agg(d::text, ' ') FROM adjustment AS d)"
    )

    assert "till 4 took it twice" in kept
    assert own.number not in kept


async def test_many_at_once_make_one_chain(
    start_gateway: StartGateway,
) -> None:
    """
    Two workers, reads beside the lane: no row is lost, none waits for ever.
    """
    gateway = start_gateway(workers=2)
    async with open_tills(gateway) as tills:
        desks, make = Desks(tills), card_maker(tills)
        own = await make()
        staff = [await desks(name) for name in ("amira", "omar", "zeina", "hassan")]

        await asyncio.gather(
            *(one.get_card(own) for one in staff for _ in range(25)),
            *(one.adjust(own, 1_00) for one in staff for _ in range(25)),
        )

    rows = rows_of(gateway)
    assert verify_chain(rows).audit_id == 200
    assert sum(row["transaction_id"] is not None for row in rows) == 100


async def test_tampering_is_found(start_gateway: StartGateway) -> None:
    """
    A row that is changed, rehashed, taken out or cut off: each is found.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        desks, make = Desks(tills), card_maker(tills)
        amira, own = await desks("amira"), await make()
        for _ in range(3):
            await amira.get_card(own)
        asked = await amira.adjust(own, 5_00)
    rows = rows_of(gateway)
    end = verify_chain(rows)

    assert end == ChainEnd(audit_id=4, hash=rows[-1]["hash"])
    assert verify_chain(rows, end) == end
    for change, wrong, fault_text in (
        ("UPDATE audit SET staff = 'omar' WHERE audit_id = 2", 2, "content"),
        ("DELETE FROM audit WHERE audit_id = 2", 2, "missing"),
        ("DELETE FROM audit WHERE audit_id = 1", 1, "missing"),
        (_REHASHED, 3, "before it was changed"),
    ):
        with forged(gateway, change) as (tampered, told):
            with pytest.raises(BrokenChainError, match=fault_text) as caught:
                verify_chain(tampered)
            assert caught.value.audit_id == wrong
            assert told

    with forged(gateway, "DELETE FROM audit WHERE audit_id = 4") as (cut, told):
        assert verify_chain(cut).audit_id == 3
        with pytest.raises(BrokenChainError, match="missing at the end"):
            verify_chain(cut, end)
        assert asked.transaction_id in str(told)


async def test_rows_cannot_be_changed_by_mistake(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Even the owner of the tables is refused, unless they take the trigger away.
    """
    await (await desks("amira")).get_card(await card())

    for change in (
        "UPDATE audit SET staff = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="never changed"):
            gateway_process.sql(change)


class forged:  # noqa: N801 - reads like a word
    """
    Change the audit behind its trigger, look, and take the change back.
    """

    def __init__(self, gateway: Gateway, change: str) -> None:
        self._dsn = gateway.database.superuser_dsn
        self._change = change

    def __enter__(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """
        Give the rows after the change, and what the check of the books finds.
        """
        self._connection = psycopg.connect(self._dsn, row_factory=dict_row)
        self._connection.execute("SET session_replication_role = replica")
        self._connection.execute(self._change.encode())
        rows = self._connection.execute(ALL).fetchall()
        told = self._connection.execute("SELECT * FROM audit_faults_v1(9)").fetchall()
        return rows, told

    def __exit__(self, *_: object) -> None:
        """
        Take it back.
        """
        self._connection.rollback()
        self._connection.close()


def rows_of(gateway: Gateway) -> list[dict[str, Any]]:
    """
    Read the audit in the order of its chain.
    """
    with psycopg.connect(
        gateway.database.owner_dsn, row_factory=dict_row
    ) as connection:
        return connection.execute(ALL).fetchall()


async def test_the_check_of_the_books_tells(start_gateway: StartGateway) -> None:
    """
    What staff did without a row breaks the rule `audit`, and no other.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        desks, make = Desks(tills), card_maker(tills)
        own = await make()
        await (await desks("amira")).adjust(own, 5_00)
    with psycopg.connect(gateway.database.superuser_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        kept = connection.execute("DELETE FROM audit RETURNING *").fetchall()

    violations = await check_books(gateway.database.owner_dsn)

    assert [violation.rule for violation in violations] == ["audit"]
    with psycopg.connect(gateway.database.superuser_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        for row in kept:
            places = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO audit VALUES ({places})", row)  # noqa: S608
