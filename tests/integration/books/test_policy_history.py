"""
An old version of the policy is read as it was, whatever was changed since.
"""

from dataclasses import replace

import psycopg
import pytest

from gateway.books.connect import Session
from gateway.books.readings import PostgresReadings
from gateway.domain.cash_out_rules import NO_CASH_OUT_RULES
from gateway.domain.policy import Policy
from tests.support.stores import FreshDatabase

CHANGES = (
    "UPDATE card_product SET max_load_minor = 777 WHERE product_id = 1",
    "UPDATE store SET state = 3",
    "UPDATE terminal SET state = 2",
    "DELETE FROM program_merchant",
    "INSERT INTO program (code, name, time_zone) VALUES ('late', 'L', 'Asia/Kuwait')",
)


async def policy_at(database: FreshDatabase, version: int | None) -> Policy:
    """
    Read the policy of a version; of the newest, if none is named.
    """
    session = Session(policy_version=version)
    readings = PostgresReadings(database.gateway_dsn, session)
    try:
        policy = await readings.load_policy(None)
        # Rules of law are compared by what they say, elsewhere.
        return replace(policy, cash_out_rules=NO_CASH_OUT_RULES)
    finally:
        await readings.close()


async def test_every_version_is_kept(seeded: FreshDatabase) -> None:
    """
    Each version reads the same after further changes as it did while in force.
    """
    then = [await policy_at(seeded, None)]
    with psycopg.connect(seeded.owner_dsn, autocommit=True) as owner:
        for change in CHANGES:
            owner.execute(change.encode())
            then.append(await policy_at(seeded, None))

    assert len({policy.version for policy in then}) == len(CHANGES) + 1
    for policy in then:
        assert await policy_at(seeded, policy.version) == policy


@pytest.mark.parametrize("statement", ["UPDATE", "DELETE FROM"])
async def test_history_is_not_changed(seeded: FreshDatabase, statement: str) -> None:
    """
    The gateway's role may read what was, and change nothing of it.
    """
    rest = " SET content = NULL" if statement == "UPDATE" else ""
    with (
        psycopg.connect(seeded.gateway_dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"{statement} policy_history{rest}".encode())
