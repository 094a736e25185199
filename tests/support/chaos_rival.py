"""
A rival of the gateway: a transaction by hand that does what a worker's batch does.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final, Self
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from gateway.domain.seen import CARD_FIELDS
from tests.support.server import Card, Gateway

WAIT_LIMIT_S: Final = 10.0

_LOCK: Final = """
SELECT c.card_id, c.version, c.balance_minor, t.card_minor, t.transaction_id, t.seen
FROM transaction AS t JOIN card AS c USING (card_id)
WHERE t.request_id = %(pattern)s
FOR UPDATE OF c
"""
_KEY: Final = """
INSERT INTO request_key (
    terminal_id, request_id, transaction_id, fingerprint_key_id, fingerprint
)
SELECT terminal_id, %(request)s, %(transaction)s, fingerprint_key_id, fingerprint
FROM request_key WHERE request_id = %(pattern)s
"""
_TRANSACTION: Final = """
INSERT INTO transaction
SELECT (jsonb_populate_record(t, %(changes)s)).*
FROM transaction AS t WHERE request_id = %(pattern)s
"""
_POSTINGS: Final = """
INSERT INTO posting (
    transaction_id, line, card_id, account, owner_id, currency, amount_minor
)
SELECT %(transaction)s, line, card_id, account, owner_id, currency, amount_minor
FROM posting WHERE transaction_id = %(copied)s
"""
_CARD: Final = """
UPDATE card SET balance_minor = %(after)s, version = version + 1,
    last_transaction_at = %(now)s,
    day_spend_minor = day_spend_minor + %(spent)s, day_spends = day_spends + 1
WHERE card_id = %(card_id)s
"""
_WAITING: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


class Rival:
    """
    A transaction as the owner, open until it is told to end; used as `with Rival(...)`.

    What it records it copies from a request of the gateway, so that content and
    fingerprint are those of a till that sends the same once more.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            gateway.database.owner_dsn
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def lock(self, card: Card) -> None:
        """
        Lock a card's row.
        """
        self._connection.execute(
            "SELECT FROM card WHERE card_id = %s FOR UPDATE", [card.card_id]
        )

    def repeat(self, pattern: str, request_id: str) -> UUID:
        """
        Do a recorded redemption once more, under another request id.
        """
        execute = self._connection.execute
        found = execute(_LOCK, {"pattern": pattern}).fetchone()
        assert found is not None
        card_id, version, before, spent, copied, seen = found
        clock = execute("SELECT scrip_clock()").fetchone()
        assert clock is not None
        now = clock[0]
        known = {
            "now": now,
            "pattern": pattern,
            "request": request_id,
            "transaction": uuid4(),
            "copied": copied,
            "card_id": card_id,
            "after": before - spent,
            "spent": spent,
        }
        changes = {
            "transaction_id": str(known["transaction"]),
            "request_id": request_id,
            "card_seq": version + 1,
            "host_time": now.isoformat(),
            "balance_before_minor": before,
            "available_before_minor": before,
            "balance_after_minor": before - spent,
            "available_after_minor": before - spent,
            "seen": _seen(seen, before, version),
        }
        execute(_KEY, known)
        execute(_TRANSACTION, known | {"changes": Jsonb(changes)})
        execute(_POSTINGS, known)
        execute(_CARD, known)
        transaction_id = known["transaction"]
        assert isinstance(transaction_id, UUID)
        return transaction_id

    def commit(self) -> None:
        """
        End it: what it did has happened.
        """
        self._connection.commit()

    def rollback(self) -> None:
        """
        End it: it did nothing.
        """
        self._connection.rollback()


def _seen(copied: bytes, balance_minor: int, version: int) -> str:
    """
    Give what a worker would have seen in the rival's place, as text of Postgres.
    """
    kept = json.loads(copied)
    kept["card"][CARD_FIELDS.index("balance_minor")] = balance_minor
    kept["card"][CARD_FIELDS.index("version")] = version
    return "\\x" + json.dumps(kept).encode().hex()


async def until_waiting(gateway: Gateway, backends: int = 1) -> None:
    """
    Return when so many backends wait for a lock.
    """
    limit_s = time.monotonic() + WAIT_LIMIT_S
    with psycopg.connect(gateway.database.superuser_dsn, autocommit=True) as connection:
        while True:
            row = connection.execute(_WAITING).fetchone()
            if row is not None and row[0] >= backends:
                return
            assert time.monotonic() < limit_s, f"{row} of {backends} wait for a lock"
            await asyncio.sleep(0.01)
