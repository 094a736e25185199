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
    (
        "UPDATE terminal SET two_message = true, floor_limit_minor = 5,"
        " floor_limit_currency = 'KWD'"
    ),
    "UPDATE program SET tip_tolerance_bps = 2000",
    "UPDATE card_product SET hold_ttl_s = 60, pin_max_tries = 4, pin_lock_s = 70",
    (
        "INSERT INTO restriction_set (program_id, code)"
        " SELECT program_id, 'night' FROM program"
    ),
    (
        "INSERT INTO issue_batch (product_id, program_id, restriction_set_id)"
        " SELECT p.product_id, p.program_id, s.restriction_set_id"
        " FROM card_product AS p INNER JOIN restriction_set AS s USING (program_id)"
        " WHERE p.product_id = 1"
    ),
    (
        "INSERT INTO limit_set (program_id, code, currency)"
        " SELECT program_id, 'small', currency FROM card_product WHERE product_id = 1"
    ),
    (
        "INSERT INTO limit_version (limit_set_id, version, load_day_count)"
        " SELECT limit_set_id, 1, 3 FROM limit_set"
    ),
    (
        "UPDATE card_product SET limit_set_id = (SELECT limit_set_id FROM limit_set)"
        " WHERE product_id = 1"
    ),
    "UPDATE issue_batch SET limit_set_id = (SELECT limit_set_id FROM limit_set)",
    (
        "INSERT INTO limit_version (limit_set_id, version, load_day_count)"
        " SELECT limit_set_id, 2, 4 FROM limit_set"
    ),
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
