"""
Limit sets and limits of terminals for tests over the wire, made by SQL as the owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from tests.support.server import Card, Gateway

_NUMBERS: Final = count(1)
_SET: Final = """
INSERT INTO limit_set (program_id, code, currency)
SELECT program_id, %s, %s FROM program WHERE code = 'gift' RETURNING limit_set_id
"""
_VERSION: Final = """
INSERT INTO limit_version
SELECT
    (jsonb_populate_record(NULL::limit_version, %(limits)s || jsonb_build_object(
        'limit_version_id', nextval('limit_version_limit_version_id_seq'),
        'made_at', scrip_clock(),
        'version', (
            SELECT coalesce(max(version), 0) + 1 FROM limit_version
            WHERE
                limit_set_id = (%(limits)s ->> 'limit_set_id')::bigint
                OR terminal_id = (%(limits)s ->> 'terminal_id')::bigint
        )
    ))).*
"""
_TERMINAL: Final = """
SELECT t.terminal_id FROM terminal AS t
JOIN store AS s USING (store_id) JOIN merchant AS m USING (merchant_id)
WHERE m.code || '/' || s.code || '/' || t.code = %s
"""
_BATCH: Final = """
INSERT INTO issue_batch (product_id, program_id)
SELECT product_id, program_id FROM card WHERE card_id = %s RETURNING issue_batch_id
"""


@dataclass(frozen=True, slots=True)
class LimitSet:
    """
    One set in a gateway's books.
    """

    gateway: Gateway
    set_id: int

    def change(self, **limits: int) -> None:
        """
        Make the next version: `load_day_minor=100_00`; what is not named is no limit.
        """
        _new_version(self.gateway, limits, limit_set_id=self.set_id)

    def put_on(self, card: Card) -> None:
        """
        Give it to one card.
        """
        self.gateway.sql(
            "UPDATE card SET limit_set_id = %s WHERE card_id = %s",
            self.set_id,
            card.card_id,
        )

    def put_on_batch_of(self, card: Card) -> None:
        """
        Give it to an issue batch of its own for one card.
        """
        ((batch,),) = self.gateway.sql(_BATCH, card.card_id)
        self.gateway.sql(
            "UPDATE card SET issue_batch_id = %s WHERE card_id = %s",
            batch,
            card.card_id,
        )
        self.gateway.sql(
            "UPDATE issue_batch SET limit_set_id = %s WHERE issue_batch_id = %s",
            self.set_id,
            batch,
        )

    def put_on_product(self, code: str) -> None:
        """
        Give it to a product.
        """
        self.gateway.sql(
            "UPDATE card_product SET limit_set_id = %s WHERE code = %s",
            self.set_id,
            code,
        )


def new_limits(gateway: Gateway, *, currency: str = "USD", **limits: int) -> LimitSet:
    """
    Make a set with its first version.
    """
    with psycopg.connect(gateway.database.owner_dsn) as connection:
        row: Any = connection.execute(
            _SET, [f"limits-{next(_NUMBERS)}", currency]
        ).fetchone()
    made = LimitSet(gateway, int(row[0]))
    made.change(**limits)
    return made


def limit_terminal(
    gateway: Gateway, name: str, currency: str = "USD", **limits: int
) -> None:
    """
    Make the next version of a terminal's limits, by `m-1/s-1/t-1`.
    """
    with psycopg.connect(gateway.database.owner_dsn) as connection:
        row: Any = connection.execute(_TERMINAL, [name]).fetchone()
        connection.execute(
            "INSERT INTO terminal_use (terminal_id, currency) VALUES (%s, %s) "
            "ON CONFLICT DO NOTHING",
            [row[0], currency],
        )
    _new_version(gateway, limits, terminal_id=int(row[0]))


def _new_version(
    gateway: Gateway,
    limits: dict[str, int],
    *,
    limit_set_id: int | None = None,
    terminal_id: int | None = None,
) -> None:
    named = {"limit_set_id": limit_set_id, "terminal_id": terminal_id}
    with psycopg.connect(gateway.database.owner_dsn) as connection:
        connection.execute(_VERSION, {"limits": Jsonb(named | limits)})
