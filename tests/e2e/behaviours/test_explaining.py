"""
Explanations: for staff over the wire, for the operator by `scrip explain`.

That every transaction of every test here can be explained, and agrees with its record,
is looked at after each of them (tests/support/explained.py).
"""

from __future__ import annotations

import json
from asyncio import to_thread
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import grpc
import pytest

from gateway.domain.cards import BlockReason, CardState
from scrip.v1 import explanation_pb2 as pb
from scrip.v1 import result_pb2, staff_service_pb2
from tests.support.places import new_place
from tests.support.scrip_command import Scrip
from tests.support.server import Gateway
from tests.support.staff import Colleague, Desks
from tests.support.tills import (
    DEADLINE_S,
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    fault,
    new_id,
)

LATER_RATE = """
WITH t AS (INSERT INTO rate_table (source, loaded_by) VALUES ('later', 'test')
    RETURNING version)
INSERT INTO rate (version, currency, usd_per_unit, effective_from, as_of, source)
SELECT version, 'KWD', 9.9, scrip_clock() + interval '10 years', scrip_clock(), 'later'
FROM t
"""
ROW = "SELECT to_jsonb(t) FROM transaction AS t WHERE transaction_id = %s::uuid"
FORGET = "UPDATE transaction SET seen = NULL WHERE transaction_id = %s::uuid"
FORGE = "UPDATE transaction SET approved_minor = 99 WHERE transaction_id = %s::uuid"
RESTORE = """
UPDATE transaction SET seen = %s::bytea, approved_minor = %s
WHERE transaction_id = %s::uuid
"""
AUDIT = """
SELECT staff, operation, result, transaction_id::text FROM audit
ORDER BY audit_id DESC LIMIT 1
"""


@pytest.fixture
def desks(tills: Tills) -> Desks:
    """
    Open staff on the shared gateway.
    """
    return Desks(tills)


@pytest.fixture
async def till(tills: Tills) -> Till:
    """
    Give the first till, with calls of its own.
    """
    return await tills("till-1")


@pytest.fixture
def scrip(gateway_process: Gateway) -> Scrip:
    """
    Give the command on the books of the shared gateway.
    """
    database = gateway_process.database
    return Scrip(
        environment={
            "SCRIP_DATA_FOLDER": str(gateway_process.folder),
            "SCRIP_POSTGRES__URL": database.gateway_dsn,
            "SCRIP_POSTGRES__OWNER_URL": "",
            "COLUMNS": "200",
            "TERM": "dumb",
        },
        folder=gateway_process.folder,
        dsn=database.superuser_dsn,
    )


@contextmanager
def forged(gateway: Gateway, transaction_id: str, query: str) -> Iterator[None]:
    """
    Change a recorded transaction, as only the owner of the tables can, for a while.
    """
    ((row,),) = gateway.sql(ROW, transaction_id)
    gateway.sql(query, transaction_id)
    yield
    gateway.sql(RESTORE, row["seen"], row["approved_minor"], transaction_id)


async def explain(colleague: Colleague, transaction_id: str) -> pb.Explanation:
    """
    Ask as staff.
    """
    request = staff_service_pb2.ExplainRequest(transaction_id=transaction_id)
    response = await colleague.stub.Explain(request, timeout=DEADLINE_S)
    return response.explanation


def said(explanation: pb.Explanation) -> tuple[str, int]:
    """
    Give the result, and the check that decided.
    """
    return result_pb2.Result.Name(explanation.result), explanation.decided_by


def values(explanation: pb.Explanation, number: int) -> dict[str, str]:
    """
    Give what a check looked at.
    """
    (check,) = (check for check in explanation.checks if check.number == number)
    return {value.name: value.text for value in check.values}


async def test_staff_are_told_why(
    desks: Desks, tills: Tills, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    A decline by an old policy and an old rate, after both have changed.
    """
    own = await card(10_00)
    place = new_place(tills, currencies=("USD", "KWD"))
    sale = await place.till.redeem(own, 5_000, "KWD")
    place.change("store", state=3)
    gateway_process.sql(LATER_RATE)

    omar = await desks("omar")
    told = await explain(omar, sale.transaction_id)

    assert sale.response_code == "51"
    assert said(told) == ("RESULT_INSUFFICIENT_FUNDS", 16)
    assert told.transaction_id == sale.transaction_id
    assert told.request_id == sale.request_id
    assert not told.differences
    assert values(told, 4)["store"].endswith(" ACTIVE")
    assert values(told, 12)["KWD in USD"].startswith("3.252")
    assert values(told, 16) == {
        "needed": "16.26 USD",
        "available": "10.00 USD",
        "ledger": "10.00 USD",
        "held": "0.00 USD",
        "unconfirmed": "0.00 USD",
        "partial allowed": "no",
    }
    assert own.number not in str(told)
    assert told.card_last_four == own.number[-4:]


async def test_a_look_is_audited(
    desks: Desks, till: Till, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Who looked at what, also where there was nothing to see.
    """
    sale = await till.redeem(await card(), 1_00)
    amira = await desks("amira")

    await explain(amira, sale.transaction_id)
    seen = gateway_process.sql(AUDIT)
    missing = await fault(explain(amira, str(uuid4())))
    unseen = gateway_process.sql(AUDIT)

    assert seen == [("amira", 8, 1, sale.transaction_id)]
    assert unseen == [("amira", 8, 11, None)]
    assert (missing.code, missing.reason) == (
        grpc.StatusCode.NOT_FOUND,
        "TRANSACTION_NOT_FOUND",
    )


async def test_staff_of_others_see_nothing(
    desks: Desks, till: Till, card: MakeCard
) -> None:
    """
    A transaction of a programme that the desk's merchant does not accept is not there.
    """
    sale = await till.redeem(await card(), 1_00)
    lost = await till.redeem(UNKNOWN_NUMBER, 1_00)
    stranger, rival = await desks("stranger"), await desks("rival")

    for transaction_id in (sale.transaction_id, lost.transaction_id):
        refused = await fault(explain(stranger, transaction_id))
        assert refused.reason == "TRANSACTION_NOT_FOUND"
        assert said(await explain(rival, transaction_id))[1] in {0, 6}


async def test_who_may_not_ask(desks: Desks, till: Till, card: MakeCard) -> None:
    """
    A till is told nothing, and an id is a UUID.
    """
    sale = await till.redeem(await card(), 1_00)
    posing, omar = await desks.as_staff(till), await desks("omar")

    denied = await fault(explain(posing, sale.transaction_id))
    wrong = await fault(explain(omar, "6036281234567890"))

    assert denied.reason == "SERVICE_DENIED"
    assert wrong.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "6036281234567890" not in str(wrong)


async def test_the_command_tells_the_same(
    desks: Desks, till: Till, card: MakeCard, scrip: Scrip
) -> None:
    """
    `scrip explain` by the transaction, and by the till's own id, for whoever reads it.
    """
    lost = await card(20_00, state=CardState.BLOCKED, block_reason=BlockReason.LOST)
    request_id = new_id()
    sale = await till.redeem(lost, 1_00, request_id=request_id)
    told = await explain(await desks("omar"), sale.transaction_id)

    text = await to_thread(scrip.done, "explain", sale.transaction_id)
    (row,) = await to_thread(scrip.rows, "explain", sale.transaction_id)
    (by_request,) = await to_thread(
        scrip.rows, "explain", "--request", request_id, "--terminal", told.terminal
    )

    assert "LOST_CARD (41)" in text
    assert "decided by check 8, card state" in text
    assert lost.number not in text + json.dumps(row)
    assert row == by_request
    assert (row["decided_by"], row["agrees"]) == (8, True)
    assert [check["number"] for check in row["checks"]] == list(range(1, 9))


def test_the_command_refuses(scrip: Scrip) -> None:
    """
    What is no id is not repeated; what is not there is said so.
    """
    number = "6036281234567890123"
    gone = str(uuid4())
    of_nobody = ("--request", gone, "--terminal", "no/such/till")

    assert number not in (said_of := scrip.refused("explain", number))
    assert "give a UUID" in said_of
    assert "no such transaction" in scrip.refused("explain", gone)
    assert "no such terminal" in scrip.refused("explain", *of_nobody)
    assert "with --terminal" in scrip.refused("explain", "--request", gone)
    assert "TRANSACTION_ID" in scrip.refused("explain")


async def test_what_cannot_be_explained(
    desks: Desks, till: Till, card: MakeCard, scrip: Scrip, gateway_process: Gateway
) -> None:
    """
    A row of an older release says that it holds no inputs.
    """
    sale = await till.redeem(await card(), 1_00)
    with forged(gateway_process, sale.transaction_id, FORGET):
        told = await explain(await desks("omar"), sale.transaction_id)
        result = await to_thread(scrip.run, "explain", sale.transaction_id)

    assert told.missing_inputs == pb.MISSING_INPUTS_NOT_KEPT
    assert (list(told.checks), result.exit_code) == ([], 0)
    assert "kept no inputs of decisions" in result.stderr


async def test_an_explanation_that_does_not_agree(
    desks: Desks, till: Till, card: MakeCard, scrip: Scrip, gateway_process: Gateway
) -> None:
    """
    What somebody changed in the books is an alarm, by field.
    """
    sale = await till.redeem(await card(), 1_00)
    with forged(gateway_process, sale.transaction_id, FORGE):
        told = await explain(await desks("omar"), sale.transaction_id)
        result = await to_thread(scrip.run, "explain", sale.transaction_id)

    assert [(d.field, d.recorded, d.decided) for d in told.differences] == [
        ("approved_minor", "99", "100")
    ]
    assert result.exit_code == 1
    assert "ALARM" in result.stderr
