"""
What the engine needs from outside, as protocols. Adapters implement them.

Adapters raise only the faults listed here and those of `gateway.domain.errors`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from gateway.domain.auditing import AuditEntry
from gateway.domain.card_pins import PinTries
from gateway.domain.cards import Card
from gateway.domain.commands import CardRef
from gateway.domain.exceptions import ExceptionItem
from gateway.domain.holds import Hold, HoldStep
from gateway.domain.ids import (
    CardId,
    RequestId,
    RequestKey,
    StoreId,
    TerminalId,
    TransactionId,
)
from gateway.domain.limits import DayUse
from gateway.domain.policy import Policy
from gateway.domain.record import (
    AdjustmentApproved,
    AdjustmentAsked,
    Posting,
    TransactionRecord,
)
from gateway.engine.locking import CardName, Locked, LockRequest
from gateway.engine.stored import Stored, StoredRequest


class ItemFaultError(Exception):
    """
    SQLSTATE class 22 or 23: an item's data broke a constraint. Nothing was committed.

    `constraint` names the constraint, where the server told it.
    """

    def __init__(self, message: str, *, constraint: str | None = None) -> None:
        super().__init__(message)
        self.constraint = constraint


class OvertakenError(ItemFaultError):
    """
    Another transaction wrote first what this one would, and no lock kept them apart.

    Decided again, the batch sees it.
    """


class LockTimeoutError(Exception):
    """
    SQLSTATE 55P03: another transaction kept a row. Nothing was committed.
    """


class SerializationError(Exception):
    """
    SQLSTATE 40001 or 40P01. Nothing was committed.
    """


class BooksUnavailableError(Exception):
    """
    Connection, shutdown or resource classes before COMMIT was sent.

    Nothing was committed.
    """


class CommitUnknownError(Exception):
    """
    The connection was lost after COMMIT was sent: it may have been committed.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSet:
    """
    What a batch decided. Cards are given once each, in their last version.

    `card_versions` holds the versions that were locked, by card: the second wall.
    `holds` are those that are new or changed, in their last version. `uses` holds what
    each of the cards used of its day, `terminal_uses` the same of terminals where that
    changed. `audit` is written last of all, right before the commit: its chain has one
    lock for all. Of `exceptions` those are kept that are not kept already.
    """

    records: Sequence[TransactionRecord]
    postings: Sequence[Posting]
    cards: Sequence[Card]
    card_versions: dict[CardId, int]
    holds: Sequence[Hold] = ()
    steps: Sequence[HoldStep] = ()
    exceptions: Sequence[ExceptionItem] = ()
    uses: Mapping[CardId, DayUse] = field(default_factory=dict)
    terminal_uses: Mapping[TerminalId, DayUse] = field(default_factory=dict)
    tries: Sequence[PinTries] = ()
    adjustments_asked: Sequence[AdjustmentAsked] = ()
    adjustments_approved: Sequence[AdjustmentApproved] = ()
    audit: Sequence[AuditEntry] = ()

    @property
    def is_empty(self) -> bool:
        """
        Tell that there is nothing to commit.
        """
        return not (self.records or self.tries or self.audit)


class BalanceRead(NamedTuple):
    """
    Cards read in one snapshot, without locks, with the clock and the policy's version.
    """

    cards: Sequence[Card]
    clock: datetime
    policy_version: int


class BatchTransaction(Protocol):
    """
    One batch's transaction. After any error but CommitUnknownError it is rolled back.
    """

    async def read_stored(
        self,
        keys: Sequence[RequestKey],
        holders: Sequence[CardId],
        looking_back: Sequence[tuple[CardId, datetime]] = (),
    ) -> Stored:
        """
        Read what is kept under keys that were not won, or that originals stand under.

        With it come the holds that those transactions placed or changed, and all OPEN
        ones of the `holders`, and the uses of cards since moments.
        """
        ...

    async def commit(self, writes: WriteSet) -> None:
        """
        Write and commit in one round trip.

        Raises:
            ItemFaultError, LockTimeoutError, SerializationError: nothing is committed.
            BooksUnavailableError: the connection was lost before COMMIT was sent.
            CommitUnknownError: the connection was lost on the way.

        """
        ...

    async def rollback(self) -> None:
        """
        Give everything back: the locks, and the keys that were claimed.
        """
        ...


class Books(Protocol):
    """
    Postgres, as one lane sees it: one connection, one transaction at a time.
    """

    async def cards_of(
        self, keys: Sequence[RequestKey], cards: Sequence[CardId] = ()
    ) -> set[CardId]:
        """
        Find, without a lock, the cards of requests, and what replaced them or `cards`.

        Raises:
            BooksUnavailableError: no connection.

        """
        ...

    async def open(self, request: LockRequest) -> tuple[BatchTransaction, Locked]:
        """
        Begin, lock the cards, claim the keys, read the clock: one round trip.

        Raises:
            LockTimeoutError, SerializationError, ItemFaultError: all is rolled back.
            BooksUnavailableError: no connection.

        """
        ...

    async def held_cards(
        self,
        card_indexes: Sequence[bytes],
        card_ids: Sequence[CardId],
        originals: Sequence[RequestKey],
        *,
        patience_ms: int,
    ) -> dict[CardName, int]:
        """
        Tell which of these cards another transaction holds now, and which it is.

        A transaction is told by a number that no other one near it has. The look waits
        for no row and keeps none: one round trip. Each card is told by the name it was
        asked for.

        Raises:
            LockTimeoutError: the whole table was held for `patience_ms`.
            BooksUnavailableError: no connection.

        """
        ...


class Readings(Protocol):
    """
    Postgres, as readers see it: snapshots without locks.
    """

    async def read_balances(self, cards: Sequence[CardRef]) -> BalanceRead:
        """
        Read cards by their number's index in one snapshot.
        """
        ...

    async def read_requests(
        self, keys: Sequence[RequestKey]
    ) -> dict[RequestKey, StoredRequest]:
        """
        Read what is kept under request keys. Absent keys are not recorded so far.
        """
        ...

    async def policy_version(self) -> int:
        """
        Read the version of the policy in force.
        """
        ...

    async def load_policy(self, known: Policy | None) -> Policy:
        """
        Read the policy in one snapshot, at least as new as any version told before.

        Rows that cannot change (rates) are taken over from `known`.
        """
        ...


class Admission(NamedTuple):
    """
    One request as the budgets count it. `request_id` None is counted each time.
    """

    terminal_id: TerminalId
    store_id: StoreId
    request_id: RequestId | None


class FailedLookup(NamedTuple):
    """
    A request that named an unknown card: it counts against its terminal and its store.
    """

    terminal_id: TerminalId
    store_id: StoreId


class Live(Protocol):
    """
    Redis, or what stands in for it. Never raises, never blocks for long.
    """

    async def admit(self, admissions: Sequence[Admission]) -> Sequence[int]:
        """
        Count requests against their budgets; 0 admits, else milliseconds to wait.
        """
        ...

    def publish(
        self,
        cards: Sequence[Card],
        failed: Sequence[FailedLookup],
        holds: Sequence[Hold] = (),
    ) -> None:
        """
        Tell the newest snapshots, and when holds expire or that they ended.

        Beside the answers: returns at once, bounded behind.
        """
        ...


class Codes(Protocol):
    """
    What needs a key of the vault.
    """

    def approval_code(self, transaction_id: TransactionId) -> str:
        """
        Give the six characters for a transaction's receipt.
        """
        ...

    def fingerprint(self, content: bytes, key_id: int) -> bytes:
        """
        Make the keyed hash of a request's content under a key, active or retired.
        """
        ...


class TransactionIds(Protocol):
    """
    Makes time-ordered ids (UUIDv7).
    """

    def take(self, count: int) -> list[TransactionId]:
        """
        Make as many ids, ascending.
        """
        ...


class FaultPoint(Protocol):
    """
    A named place where a test may strike. Does nothing in production.
    """

    async def reach(self, name: str) -> None:
        """
        Pass the place.
        """
        ...
