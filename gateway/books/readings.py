"""
The books as readers see them: snapshots without locks, for any number of tasks at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.books.arrays import byteas, int8s
from gateway.books.columns import key_parameters
from gateway.books.connect import Session
from gateway.books.policy_rows import PolicyRows, build_policy
from gateway.books.rows import card_of, key_of, stored_request_of
from gateway.books.snapshots import Snapshots
from gateway.books.wire import step
from gateway.domain.commands import CardRef
from gateway.domain.ids import RequestKey, TransactionId
from gateway.domain.policy import Policy
from gateway.engine.ports import BalanceRead
from gateway.engine.stored import StoredRequest

_POLICY: Final = (
    "policy_programs",
    "policy_products",
    "policy_accepted",
    "policy_merchants",
    "policy_stores",
    "policy_terminals",
    "policy_devices",
    "policy_rules",
    "policy_cash_out_rules",
    "policy_issue_batches",
    "policy_limits",
    "policy_restrictions",
    "policy_restriction_entries",
    "policy_restriction_windows",
    "policy_rates",
)
_QUERIES: Final = (
    "balances",
    "stored_requests",
    "policy_version",
    "clock_shift",
    "unsafe_settings",
    "last_approval",
    *_POLICY,
)
_VERSION: Final = step("policy_version")
_SHIFT: Final = step("clock_shift")
_UNSAFE: Final = step("unsafe_settings")
_LAST_APPROVAL: Final = step("last_approval")


class PostgresReadings:
    """
    One connection that answers all readers in turn.

    A reader does not wait for another's answer before it asks. Each trip is one
    transaction in one snapshot.
    """

    def __init__(self, dsn: str, session: Session) -> None:
        self._snapshots = Snapshots(dsn, session, _QUERIES)

    async def connect(self) -> None:
        """
        Connect now, so that the first reader need not wait for it.

        Raises:
            BooksUnavailableError: no connection.

        """
        await self._snapshots.connect()

    async def close(self) -> None:
        """
        End the connection.
        """
        await self._snapshots.close()

    async def read_balances(self, cards: Sequence[CardRef]) -> BalanceRead:
        """
        Read cards by their number's index in one snapshot.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        indexes = byteas([card.number_index for card in cards])
        wire, (result,) = await self._snapshots.read([step("balances", [indexes])])
        rows = wire.rows(result)
        clock: datetime = rows[0][0]
        return BalanceRead(
            cards=[card_of(row[2:]) for row in rows if row[2] is not None],
            clock=clock,
            policy_version=rows[0][1],
        )

    async def read_requests(
        self, keys: Sequence[RequestKey]
    ) -> dict[RequestKey, StoredRequest]:
        """
        Read what is kept under request keys. Absent keys are not recorded so far.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        if not keys:
            return {}
        steps = [step("stored_requests", key_parameters(keys))]
        wire, (result,) = await self._snapshots.read(steps)
        return {key_of(row): stored_request_of(row) for row in wire.rows(result)}

    async def policy_version(self) -> int:
        """
        Read the version of the policy in force.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        wire, (result,) = await self._snapshots.read([_VERSION])
        ((version,),) = wire.rows(result)
        return int(version)

    async def clock_shift(self) -> timedelta:
        """
        Read how far the clock is shifted: not at all, but for tests and the demo.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        wire, (result,) = await self._snapshots.read([_SHIFT])
        shift: timedelta
        ((shift,),) = wire.rows(result)
        return shift

    async def unsafe_settings(self) -> list[str]:
        """
        Name the server's settings under which an answered commit may be lost.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        wire, (result,) = await self._snapshots.read([_UNSAFE])
        return [name for (name,) in wire.rows(result)]

    async def last_approval(self) -> tuple[TransactionId, str] | None:
        """
        Read the newest approved transaction's id and approval code.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        wire, (result,) = await self._snapshots.read([_LAST_APPROVAL])
        for transaction_id, code in wire.rows(result):
            return TransactionId(transaction_id), code
        return None

    async def load_policy(self, known: Policy | None) -> Policy:
        """
        Read the policy in one snapshot, at least as new as any version told before.

        Versions of the rate table and of restrictions cannot change: those of `known`
        are not read again.

        Raises:
            BooksUnavailableError: no connection, or no answer in time.

        """
        steps = [_VERSION, *(step(name, _known(name, known)) for name in _POLICY)]
        wire, results = await self._snapshots.read(steps)
        ((version,),), *tables = map(wire.rows, results)
        names = [name.removeprefix("policy_") for name in _POLICY]
        rows = PolicyRows(**dict(zip(names, tables, strict=True)))
        return build_policy(version, rows, known)


def _known(query: str, known: Policy | None) -> list[bytes]:
    """
    Give the parameters of a query of the policy: the versions not to be read again.
    """
    if query == "policy_rates":
        versions = {rate.version for rate in known.rates.rates} if known else set()
    elif query in {"policy_restriction_entries", "policy_restriction_windows"}:
        restrictions = known.restrictions.values() if known else ()
        versions = {int(restriction.version_id) for restriction in restrictions}
    else:
        return []
    return [int8s(sorted(versions))]
