"""
Explanations of what the books recorded: read whole, decided again, compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.books.arrays import int8s, uuids
from gateway.books.connect import Session
from gateway.books.readings import PostgresReadings
from gateway.books.rows import card_of, record_of
from gateway.books.snapshots import Snapshots
from gateway.books.wire import Row, step
from gateway.domain.cards import Card
from gateway.domain.errors import DependencyError
from gateway.domain.explain import explain
from gateway.domain.explanation import Explanation
from gateway.domain.ids import CardId, RequestKey, TransactionId
from gateway.domain.policy import Policy
from gateway.domain.recall import Missing, Recorded, Wanted, wanted_by
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType
from gateway.engine.ports import BooksUnavailableError

_QUERIES: Final = ("explained_transactions", "explained_seconds", "explained_cards")
# Policies are large; whoever explains one decline often explains the next to it.
_POLICIES_KEPT: Final = 4


class PostgresExplanations:
    """
    Explain transactions. Nothing is written, and no reader of the money path waits.

    A policy of another day is read over a connection of its own.
    """

    def __init__(self, dsn: str, session: Session) -> None:
        self._dsn = dsn
        self._session = session
        self._readings = PostgresReadings(dsn, session)
        self._snapshots = Snapshots(dsn, session, _QUERIES)
        self._policies: dict[int, Policy] = {}

    async def close(self) -> None:
        """
        End the connections.
        """
        await self._readings.close()
        await self._snapshots.close()

    async def policy(self) -> Policy:
        """
        Read the policy in force, for the names of things.

        Raises:
            DependencyError: no connection, or no answer in time.

        """
        with _translated():
            return await self._readings.load_policy(None)

    async def clock(self) -> datetime:
        """
        Read the host's clock.

        Raises:
            DependencyError: no connection, or no answer in time.

        """
        with _translated():
            return (await self._readings.read_balances([])).clock

    async def explain(self, transaction_id: TransactionId) -> Explanation | None:
        """
        Explain a transaction by its id; None: there is none.

        Raises:
            DependencyError: no connection, or no answer in time.

        """
        with _translated():
            record = await self._record(transaction_id)
            if record is None:
                return None
            first = record.original_transaction_id
            if record.activity is ActivityType.TRANSFER_BALANCE_TO and first:
                # Its request is that of the first card's row.
                record = await self._record(first) or record
            return await self._explain(record)

    async def explain_request(self, key: RequestKey) -> Explanation | None:
        """
        Explain what was recorded for a request; None: nothing was.

        Under a tombstone that is the reversal that left it.

        Raises:
            DependencyError: no connection, or no answer in time.

        """
        with _translated():
            stored = (await self._readings.read_requests([key])).get(key)
            return None if stored is None else await self._explain(stored.record)

    async def _explain(self, record: TransactionRecord) -> Explanation:
        wanted = wanted_by(record)
        if isinstance(wanted, Missing):
            policy = await self._readings.load_policy(None)
            return Explanation(
                record=record,
                place=policy.places[record.terminal_id],
                operation=record.activity.name,
                missing=wanted,
            )
        original = None
        if wanted.original_id is not None:
            original = await self._record(wanted.original_id)
        recorded = Recorded(
            record=record,
            policy=await self._policy_at(record.policy_version),
            cards=await self._cards(wanted),
            original=original,
            second=await self._second(wanted, record),
        )
        return explain(recorded)

    async def _record(self, transaction_id: TransactionId) -> TransactionRecord | None:
        rows = await self._rows("explained_transactions", [uuids([transaction_id])])
        return record_of(rows[0]) if rows else None

    async def _second(
        self, wanted: Wanted, record: TransactionRecord
    ) -> TransactionRecord | None:
        """
        Read what a transaction wrote on its second card, if it came next there.
        """
        if wanted.second is None:
            return None
        card_id, card_seq = wanted.second
        parameters = [int8s([card_id]), int8s([card_seq])]
        for row in await self._rows("explained_seconds", parameters):
            second = record_of(row)
            if second.original_transaction_id == record.transaction_id:
                return second
        return None

    async def _cards(self, wanted: Wanted) -> dict[CardId, Card]:
        parameters = [int8s(sorted(wanted.card_ids))]
        rows = await self._rows("explained_cards", parameters)
        return {card.card_id: card for card in map(card_of, rows)}

    async def _rows(self, query: str, parameters: list[bytes]) -> list[Row]:
        wire, (result,) = await self._snapshots.read([step(query, parameters)])
        return wire.rows(result)

    async def _policy_at(self, version: int) -> Policy:
        """
        Read a version of the policy, which never changes; the last few are kept.
        """
        known = self._policies.pop(version, None)
        if known is None:
            session = replace(self._session, policy_version=version)
            readings = PostgresReadings(self._dsn, session)
            try:
                known = await readings.load_policy(None)
            finally:
                await readings.close()
        self._policies[version] = known
        while len(self._policies) > _POLICIES_KEPT:
            del self._policies[next(iter(self._policies))]
        return known


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BooksUnavailableError as error:
        message = f"the books cannot be read: {error}"
        raise DependencyError(message) from error
