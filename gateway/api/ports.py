"""
What the API needs from outside, as protocols; `gateway.bootstrap` joins the real ones.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.domain.auditing import AuditEntry
from gateway.domain.card_pins import PinProof
from gateway.domain.commands import (
    CardRef,
    Fingerprint,
    GetBalance,
    GetTransaction,
    MoneyCommand,
)
from gateway.domain.explanation import Explanation
from gateway.domain.ids import TransactionId
from gateway.domain.policy import Caller, Policy
from gateway.engine.answers import Answer

Part = bytes | str | int | bool | None


class Sealer(Protocol):
    """
    What is done to a request with keys of the vault.
    """

    def card(self, digits: str) -> CardRef:
        """
        Turn a card number, digits only, into what the gateway keeps of it.
        """
        ...

    def pin(self, card_digits: str, pin_digits: str) -> PinProof:
        """
        Turn a PIN, digits only, into tags that its card's own can be compared with.
        """
        ...

    def content(self, parts: Sequence[Part]) -> bytes:
        """
        Encode a list so that two different lists never give the same bytes.
        """
        ...

    def fingerprint(self, content: bytes) -> Fingerprint:
        """
        Hash the content under the active key.
        """
        ...


class MoneyLane(Protocol):
    """
    Where commands go that are recorded.
    """

    @property
    def free(self) -> int:
        """
        Places left in the queue.
        """
        ...

    def submit(
        self, caller: Caller, command: MoneyCommand, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Queue a command until `deadline` (`loop.time()`).

        Raises:
            ThrottledError: the queue is full.
            DependencyError: the worker is draining.

        """
        ...

    def ask(
        self, caller: Caller, question: GetBalance, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Queue a question for a balance that carries a PIN, as `submit` does.
        """
        ...


class QuestionLane(Protocol):
    """
    Where questions go that are not recorded.
    """

    @property
    def free(self) -> int:
        """
        Places left in the queue.
        """
        ...

    def submit(
        self, caller: Caller, question: GetBalance | GetTransaction, deadline: float
    ) -> asyncio.Future[Answer]:
        """
        Queue a question until `deadline` (`loop.time()`).

        Raises:
            ThrottledError: the queue is full.
            DependencyError: the worker is draining.

        """
        ...


class AuditLog(Protocol):
    """
    Where calls of staff are kept that nothing else records.
    """

    async def append(self, entry: AuditEntry) -> None:
        """
        Add a row, committed when this returns.

        Raises:
            DependencyError: it cannot be written.

        """
        ...


class Explanations(Protocol):
    """
    Where recorded transactions are explained.
    """

    async def explain(self, transaction_id: TransactionId) -> Explanation | None:
        """
        Explain a transaction; None: there is none.

        Raises:
            DependencyError: the books cannot be read.

        """
        ...

    async def clock(self) -> datetime:
        """
        Read the host's clock, for the audit.

        Raises:
            DependencyError: as `explain`.

        """
        ...


class PolicySource(Protocol):
    """
    The newest policy a worker has seen, and a way to look for a newer one.
    """

    @property
    def current(self) -> Policy:
        """
        The newest policy seen.
        """
        ...

    async def refresh(self) -> Policy:
        """
        Give the policy in force now.

        Raises:
            BooksUnavailableError: the books cannot be reached.

        """
        ...
