"""
A look into the books behind a gateway: what was recorded, posted and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg

from gateway.books.queries import QUERIES
from gateway.domain.cards import CardState
from gateway.domain.exceptions import ExceptionKind
from gateway.domain.holds import HoldState
from gateway.domain.record import Account
from gateway.domain.results import ActivityType, Result

if TYPE_CHECKING:
    from tests.support.server import Card, Gateway
    from tests.support.told import Outcome

_FOOTPRINT: Final = """
SELECT
    (SELECT count(*) FROM transaction),
    (SELECT count(*) FROM posting),
    (SELECT count(*) FROM request_key),
    (SELECT md5(string_agg(c::text, ' ' ORDER BY c.card_id)) FROM card AS c)
"""
_CARD: Final = """
SELECT state, balance_minor, held_minor, unconfirmed_minor, load_count, version
FROM card WHERE card_id = %s
"""
# Time-ordered ids: the order in which they were made.
_ROWS: Final = """
SELECT activity, result FROM transaction
WHERE card_id = %s
    OR card_number_index = (SELECT number_index FROM card WHERE card_id = %s)
ORDER BY host_time, card_seq NULLS LAST, transaction_id
"""
_POSTINGS: Final = """
SELECT account, currency, amount_minor FROM posting
WHERE transaction_id = %s ORDER BY line
"""
_KEY: Final = """
SELECT fingerprint IS NULL FROM request_key AS k JOIN terminal AS t USING (terminal_id)
    JOIN store AS s USING (store_id) JOIN merchant AS m USING (merchant_id)
WHERE m.code = 'm-1' AND s.code = 's-1' AND t.code = %s AND k.request_id = %s
"""
_TRANSACTIONS: Final = """
SELECT transaction_id FROM transaction
WHERE card_id = %s
    OR card_number_index = (SELECT number_index FROM card WHERE card_id = %s)
"""
_HOLDS: Final = """
SELECT state, authorized_minor, captured_minor FROM hold
WHERE card_id = %s ORDER BY hold_id
"""
_DEBITS: Final = """
SELECT count(*), coalesce(sum(amount_minor), 0)::bigint FROM posting
WHERE card_id = %s AND account = 1 AND amount_minor > 0
"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """
    How much there is: rows of the journal, and a hash over all cards.
    """

    transactions: int
    postings: int
    keys: int
    cards: str


@dataclass(frozen=True, slots=True)
class CardRow:
    """
    A card as its row has it.
    """

    state: str
    balance: int
    loads: int
    held: int = 0
    unconfirmed: int = 0


@dataclass(frozen=True, slots=True)
class HoldRow:
    """
    A hold as its row has it, in the currency that was asked for.
    """

    state: str
    authorized: int
    captured: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """
    Ask the books, as their owner.
    """

    gateway: Gateway

    def footprint(self) -> Footprint:
        """
        Take the measure of all that a refused request may not change.
        """
        (row,) = self.gateway.sql(_FOOTPRINT)
        return Footprint(*row)

    def card(self, card: Card) -> CardRow:
        """
        Read a card's row.
        """
        ((state, balance, held, unconfirmed, loads, _),) = self.gateway.sql(
            _CARD, card.card_id
        )
        return CardRow(CardState(state).name, balance, loads, held, unconfirmed)

    def holds(self, card: Card) -> list[HoldRow]:
        """
        List the holds on a card, open or not, the oldest first.
        """
        return [
            HoldRow(HoldState(state).name, authorized, captured)
            for state, authorized, captured in self.gateway.sql(_HOLDS, card.card_id)
        ]

    def rows(self, card: Card) -> list[tuple[str, str]]:
        """
        List what is recorded of a card, also by its number alone: what and result.
        """
        return [
            (ActivityType(activity).name, Result(result).name)
            for activity, result in self.gateway.sql(_ROWS, card.card_id, card.card_id)
        ]

    def postings(self, outcome: Outcome) -> list[tuple[str, str, int]]:
        """
        List the postings of an answered transaction; debits are positive.
        """
        return [
            (Account(account).name, currency, minor)
            for account, currency, minor in self.gateway.sql(
                _POSTINGS, outcome.transaction_id
            )
        ]

    def debits(self, card: Card) -> tuple[int, int]:
        """
        Count the debits of a card, and sum them up.
        """
        ((count, total),) = self.gateway.sql(_DEBITS, card.card_id)
        return count, total

    def exceptions(
        self, card: Card, *, closed: bool = False, later: timedelta = timedelta()
    ) -> list[tuple[str, str | None, int, str]]:
        """
        List the exceptions of a card, newest first: kind, reason, amount, transaction.

        `later` is the moment of looking; the clock is set back before anybody sees it.
        """
        own = {row[0] for row in self.gateway.sql(_TRANSACTIONS, *[card.card_id] * 2)}
        wanted: dict[str, object] = {"closed": closed, "most": 10_000}
        wanted |= dict.fromkeys(("merchant", "store", "since"))
        with psycopg.connect(
            self.gateway.database.owner_dsn, row_factory=psycopg.rows.dict_row
        ) as connection:
            connection.execute("UPDATE clock_offset SET shift = shift + %s", [later])
            rows = connection.execute(
                QUERIES["admin_exceptions"].text,
                {**wanted, "closed": closed, "most": 10_000},
            ).fetchall()
            connection.rollback()
        return [
            (
                ExceptionKind(row["kind"]).name,
                row["reason"] and Result(row["reason"]).name,
                row["amount_minor"],
                str(row["transaction_id"]),
            )
            for row in rows
            if row["transaction_id"] in own
        ]

    def key(self, request_id: str, terminal: str = "t-1") -> str:
        """
        Tell what stands under a request id: "request", "tombstone" or "nothing".
        """
        rows = self.gateway.sql(_KEY, terminal, request_id)
        if not rows:
            return "nothing"
        return "tombstone" if rows[0][0] else "request"
