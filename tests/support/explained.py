"""
What must hold of every explanation, whatever a test did: it equals what was recorded.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from gateway.books.connect import Session
from gateway.books.explaining import PostgresExplanations
from gateway.domain.explanation import CheckOutcome, Explanation
from gateway.domain.ids import TransactionId
from gateway.domain.results import APPROVALS, Result

# A test under load records more than there is time to explain.
_MOST = 300


def explanations(dsn: str, ids: list[TransactionId]) -> list[Explanation]:
    """
    Explain transactions of real books.
    """

    async def run() -> list[Explanation]:
        books = PostgresExplanations(dsn, Session())
        try:
            found = [await books.explain(one) for one in ids]
        finally:
            await books.close()
        assert None not in found
        return [one for one in found if one is not None]

    # A thread of its own, because the test may have a loop that runs.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


def require_explained(dsn: str, since: TransactionId | None = None) -> TransactionId:
    """
    Explain what was recorded since then; give where the next look begins.
    """
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT transaction_id FROM transaction WHERE transaction_id > %s "
            "ORDER BY transaction_id",
            (UUID(bytes=since or bytes(16)),),
        ).fetchall()
    ids = [TransactionId(row[0].bytes) for row in rows]
    for explanation in explanations(dsn, ids[:_MOST]):
        fault = fault_of(explanation)
        if fault:
            pytest.fail(f"{fault}: {explanation}", pytrace=False)
    return ids[-1] if ids else since or TransactionId(bytes(16))


def fault_of(explanation: Explanation) -> str | None:
    """
    Tell what is wrong with an explanation, if anything is.
    """
    record = explanation.record
    if explanation.missing is not None:
        return "its inputs are missing"
    if explanation.differences:
        return f"it does not agree: {explanation.differences}"
    *passed, last = explanation.checks
    if any(check.outcome is CheckOutcome.REFUSED for check in passed):
        return "it goes on after the check that decided"
    refused = None if record.result in APPROVALS else record.result
    if record.offline and record.reason is not None:
        refused = Result(record.reason)
    if last.result != refused:
        return f"the last check says {last.result}"
    return None
