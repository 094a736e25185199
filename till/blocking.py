"""
Be a till for a program without asyncio: the same shop, in calls that wait.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

from currency import Money
from till.answer import Answer
from till.card_number import CardNumber
from till.client import TillClient
from till.codes import ReversalReason
from till.connection import DEFAULT_TIMEOUT_S, Connection
from till.journal import FileJournal
from till.requests import NO_CONTEXT, Sale, TillContext
from till.shop import Settled, Shop

Result = TypeVar("Result")


class BlockingTill:
    """
    Sell from ordinary code, from any thread; an event loop runs in one of its own.

    Used as `with BlockingTill(connection, Path("journal.jsonl")) as till`. The methods
    are those of Shop and TillClient, with the same errors.
    """

    def __init__(
        self,
        connection: Connection,
        journal_path: Path,
        *,
        terminal_id: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        """
        Open the journal and the channel.

        Raises:
            CredentialError: a file of the connection cannot be used.
            JournalError: the journal cannot be read, or another process has it.

        """
        self._journal = FileJournal(journal_path)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="till", daemon=True
        )
        self._thread.start()
        try:
            self._client = self._run(_open(connection, terminal_id, timeout_s))
        except BaseException:
            self._end()
            raise
        self._shop = Shop(self._client, self._journal, terminal_id=terminal_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """
        Close the connection and the journal.
        """
        self._run(self._client.close())
        self._end()

    def settle_open(self) -> list[Settled]:
        """
        Make final what an earlier life of this till left open, as at every start.
        """
        return self._run(self._shop.settle_open())

    def sell(
        self,
        card_number: CardNumber,
        amount: Money,
        *,
        allow_partial: bool = False,
        context: TillContext = NO_CONTEXT,
    ) -> Settled:
        """
        Spend from a card, and come back with an end of it.
        """
        return self._run(
            self._shop.sell(
                card_number, amount, allow_partial=allow_partial, context=context
            )
        )

    def perform(self, request: Sale) -> Settled:
        """
        Send a sale of any kind, a Refund or a Void, and come back with an end of it.
        """
        return self._run(self._shop.perform(request))

    def undo(
        self,
        request_id: UUID,
        *,
        reason: ReversalReason = ReversalReason.CUSTOMER_CANCELLATION,
    ) -> Settled:
        """
        Reverse a request until the reversal is answered.
        """
        return self._run(self._shop.undo(request_id, reason=reason))

    def balance(self, card_number: CardNumber) -> Answer:
        """
        Read a card's balance. Nothing is recorded.
        """
        return self._run(self._client.balance(card_number))

    def get_transaction(self, request_id: UUID) -> Answer:
        """
        Ask what is recorded, or raise NotRecordedError, which need not be final.
        """
        return self._run(self._client.get_transaction(request_id))

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self._journal.close()


async def _open(
    connection: Connection, terminal_id: str, timeout_s: float
) -> TillClient:
    # Channels belong to the loop that runs when they are made.
    return TillClient.open(connection, terminal_id=terminal_id, timeout_s=timeout_s)
