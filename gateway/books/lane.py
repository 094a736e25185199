"""
The books as one lane sees them: one connection, one transaction at a time (design 3).
"""

import logging
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from psycopg.pq.abc import PGresult

from gateway.books.arrays import byteas, int8s, uuids
from gateway.books.columns import (
    key_parameters,
    looking_back_parameters,
)
from gateway.books.connect import Line, Session
from gateway.books.faults import ends_connection, first_error, translate
from gateway.books.lock_steps import claim_step, lock_steps, patience_step, pin_step
from gateway.books.rows import (
    hold_of,
    key_of,
    locked_card_of,
    pins_of,
    recent_of,
    stored_request_of,
)
from gateway.books.wire import Row, Step, Wire, WireLostError, error_text, step
from gateway.books.write_steps import write_steps
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId, RequestKey
from gateway.domain.limits import DayUse
from gateway.engine.locking import CardName, Locked, LockRequest
from gateway.engine.ports import (
    BooksUnavailableError,
    CommitUnknownError,
    ItemFaultError,
    WriteSet,
)
from gateway.engine.stored import NOTHING_STORED, Stored

_log: Final = logging.getLogger(__name__)

_QUERIES: Final = (
    "begin",
    "commit",
    "rollback",
    "set_patience",
    "lock_free_cards",
    "named_cards",
    "lock_cards_by_index",
    "lock_cards_by_id",
    "lock_free_cards_by_id",
    "lock_cards",
    "lock_terminals",
    "claim_keys",
    "card_pins",
    "batch_moment",
    "cards_of",
    "stored_requests",
    "holds_named",
    "holds_open",
    "insert_transactions",
    "insert_postings",
    "update_cards",
    "write_holds",
    "insert_hold_steps",
    "insert_exceptions",
    "recent_uses",
    "update_terminals",
    "write_pin_tries",
    "insert_adjustments",
    "approve_adjustments",
    "insert_audit",
)
_BEGIN: Final = step("begin")
_COMMIT: Final = step("commit")
_ROLLBACK: Final = step("rollback")
_MOMENT: Final = step("batch_moment")
_COMMITTED: Final = b"COMMIT"

# What packing raises when a value does not fit its column: an item's fault.
_UNFIT: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)


class PostgresBooks:
    """
    One connection, made when it is needed and again when it was lost.

    While it cannot be made, calls fail at once; attempts are made after growing pauses.
    """

    def __init__(self, dsn: str, session: Session) -> None:
        self._line = Line(dsn, session, _QUERIES)

    async def connect(self) -> None:
        """
        Connect now, so that the first batch need not wait for it.

        Raises:
            BooksUnavailableError: no connection.

        """
        await self._line.wire()

    async def close(self) -> None:
        """
        End the connection.
        """
        self._line.close()

    async def cards_of(
        self, keys: Sequence[RequestKey], cards: Sequence[CardId] = ()
    ) -> set[CardId]:
        """
        Tell, without a lock, which cards the requests of these keys are about.

        A card that was replaced, one of `cards` too, brings its successors.

        Raises:
            BooksUnavailableError: no connection.

        """
        if not keys:
            return set(cards)
        wire = await self._line.wire()
        parameters = [*key_parameters(keys), int8s(cards)]
        (result,) = await _checked(wire, [step("cards_of", parameters)])
        return {CardId(row[0]) for row in wire.rows(result)}

    async def open(self, request: LockRequest) -> tuple["PostgresBatch", Locked]:
        """
        Begin, lock the cards, claim the keys, read the clock: one round trip.

        Raises:
            LockTimeoutError, SerializationError, ItemFaultError: all is rolled back.
            BooksUnavailableError: no connection.

        """
        wire = await self._line.wire()
        try:
            lock, claim = lock_steps(request), claim_step(request)
        except _UNFIT as error:
            raise _unfit(error) from error
        patience = patience_step(request.patience_ms)
        # In a statement of its own, because the one that locks may have waited.
        pins = pin_step(request)
        results = await _checked(
            wire, [_BEGIN, *patience, *lock, *claim, *pins, _MOMENT]
        )
        del results[: len(patience)]
        try:
            return PostgresBatch(wire), _locked(wire, results, request)
        except BaseException:
            # Rows that make no sense: nobody else will end this transaction.
            wire.close()
            raise

    async def held_cards(
        self,
        card_indexes: Sequence[bytes],
        card_ids: Sequence[CardId],
        originals: Sequence[RequestKey],
        *,
        patience_ms: int,
    ) -> dict[CardName, int]:
        """
        Tell which of these cards another transaction holds now, and its number.

        Raises:
            LockTimeoutError: the whole table was held for `patience_ms`.
            BooksUnavailableError: no connection.

        """
        wire = await self._line.wire()
        named = [byteas(card_indexes), int8s(card_ids), int8s(()), uuids(())]
        if originals:
            named[2:] = key_parameters(originals)
        steps = [
            _BEGIN,
            *patience_step(patience_ms),
            step("lock_free_cards", named),
            step("named_cards", named),
            _ROLLBACK,
        ]
        _, _, free, cards, _ = await _checked(wire, steps)
        ours = {card_id for (card_id,) in wire.rows(free)}
        return {_name_of(row): row[1] for row in wire.rows(cards) if row[0] not in ours}


class PostgresBatch:
    """
    One batch's transaction. After any error but CommitUnknownError it is rolled back.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read_stored(
        self,
        keys: Sequence[RequestKey],
        holders: Sequence[CardId] = (),
        looking_back: Sequence[tuple[CardId, datetime]] = (),
    ) -> Stored:
        """
        Read what is kept under keys that were not won, or that originals stand under.

        With it come the holds that those transactions placed or changed, and all OPEN
        ones of the `holders`, and the uses of cards since moments: one round trip.

        Raises:
            LockTimeoutError, BooksUnavailableError: all is rolled back.

        """
        steps = []
        if keys:
            named = key_parameters(keys)
            steps = [step("stored_requests", named), step("holds_named", named)]
        if holders:
            steps.append(step("holds_open", [int8s(holders)]))
        if looking_back:
            steps.append(step("recent_uses", looking_back_parameters(looking_back)))
        if not steps:
            return NOTHING_STORED
        wire = self._wire
        results = await _checked(wire, steps)
        requests = wire.rows(results[0]) if keys else []
        of_holds = results[1 if keys else 0 : -1 if looking_back else None]
        return Stored(
            {key_of(row): stored_request_of(row) for row in requests},
            [hold_of(row) for result in of_holds for row in wire.rows(result)],
            recent_of(
                wire.rows(results[-1]) if looking_back else (),
                (card_id for card_id, _ in looking_back),
            ),
        )

    async def commit(self, writes: WriteSet) -> None:
        """
        Write and commit in one round trip.

        Raises:
            ItemFaultError, LockTimeoutError, SerializationError: nothing is committed.
            InvariantError: a card was not as it was locked; nothing is committed.
            BooksUnavailableError: the connection was lost before COMMIT was sent.
            CommitUnknownError: the connection was lost on the way.

        """
        try:
            steps = [*write_steps(writes), _COMMIT]
        except _UNFIT as error:
            await self.rollback()
            raise _unfit(error) from error
        try:
            results = await self._wire.trip(steps)
        except WireLostError as error:
            if not error.sent:
                raise BooksUnavailableError(str(error)) from error
            if _is_committed(error.results, len(steps)):
                return
            message = f"the connection was lost during the commit: {error}"
            raise CommitUnknownError(message) from error
        except BaseException:
            self._wire.close()
            raise
        if _is_committed(results, len(steps)):
            return
        await self._refuse(results)

    async def _refuse(self, results: list[PGresult]) -> None:
        failed = first_error(results)
        if failed is not None and ends_connection(failed):
            self._wire.close()
            message = f"the server ended during the commit: {error_text(failed)}"
            raise CommitUnknownError(message)
        await self.rollback()
        if failed is not None:
            raise translate(failed)
        message = f"COMMIT answered {results[-1].command_status!r}"
        raise InvariantError(message)

    async def rollback(self) -> None:
        """
        Give everything back: the locks, and the keys that were claimed.
        """
        await _roll_back(self._wire)


async def _checked(wire: Wire, steps: Sequence[Step]) -> list[PGresult]:
    """
    Run a trip before any COMMIT; on an error roll back and raise what it means.
    """
    try:
        results = await wire.trip(steps)
    except WireLostError as error:
        raise BooksUnavailableError(str(error)) from error
    except BaseException:
        # Cancelled: nobody knows where the transaction stands, so it ends here.
        wire.close()
        raise
    failed = first_error(results)
    if failed is None:
        return results
    if ends_connection(failed):
        wire.close()
        raise BooksUnavailableError(error_text(failed))
    await _roll_back(wire)
    raise translate(failed)


async def _roll_back(wire: Wire) -> None:
    """
    Roll back, or end the connection, which makes the server do it.
    """
    if wire.closed:
        return
    try:
        results = await wire.trip([_ROLLBACK])
    except WireLostError as error:
        _log.warning("the connection was lost before a rollback: %s", error)
        return
    except BaseException:
        wire.close()
        raise
    failed = first_error(results)
    if failed is not None:
        _log.warning("a rollback was refused: %s", error_text(failed))
        wire.close()


def _name_of(row: Row) -> CardName:
    """
    Read by what a row of `named_cards` was asked for.
    """
    card_id, _, number_index, terminal_id, _ = row
    if number_index is not None:
        name: bytes = number_index
        return name
    return CardId(card_id) if terminal_id is None else key_of(row[3:])


def _locked(wire: Wire, results: list[PGresult], request: LockRequest) -> Locked:
    named = bool(request.card_indexes or request.card_ids)
    pinned = request.reads_pins
    cards = [locked_card_of(row) for row in wire.rows(results[1])] if named else []
    terminals = wire.rows(results[1 + named]) if request.terminals else []
    claimed = results[-2 - pinned]
    ((clock, policy_version),) = wire.rows(results[-1])
    return Locked(
        cards=[card for card, _ in cards],
        won=_won(wire, claimed, request) if request.claims else frozenset(),
        clock=clock,
        policy_version=policy_version,
        uses={card.card_id: use for card, use in cards},
        terminal_uses={row[0]: DayUse._make(row[1:]) for row in terminals},
        pins=pins_of(wire.rows(results[-2])) if pinned else (),
    )


def _won(wire: Wire, result: PGresult, request: LockRequest) -> frozenset[RequestKey]:
    if result.ntuples == len(request.claims):
        return frozenset([claim.key for claim in request.claims])
    return frozenset([key_of(row) for row in wire.rows(result)])


def _unfit(error: Exception) -> ItemFaultError:
    return ItemFaultError(f"a value does not fit its column: {error}")


def _is_committed(results: Sequence[PGresult], steps: int) -> bool:
    """
    Tell whether COMMIT itself ran: a failed transaction answers it with ROLLBACK.
    """
    return len(results) == steps and results[-1].command_status == _COMMITTED
