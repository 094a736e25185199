"""
Restriction sets for tests over the wire, made by SQL as the owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from tests.support.server import Card, Gateway

_NUMBERS: Final = count(1)
_SET: Final = """
INSERT INTO restriction_set (program_id, code)
SELECT program_id, %s FROM program WHERE code = 'gift' RETURNING restriction_set_id
"""
_VERSION: Final = """
INSERT INTO restriction_version (restriction_set_id, version)
SELECT %(set)s, coalesce(max(version), 0) + 1
FROM restriction_version WHERE restriction_set_id = %(set)s
RETURNING restriction_version_id
"""
_SUBJECTS: Final = {
    "store": "(SELECT s.store_id FROM store AS s JOIN merchant AS m USING (merchant_id)"
    " WHERE m.code || '/' || s.code = %s)",
    "group": "(SELECT store_group_id FROM store_group WHERE code = %s)",
    "merchant": "(SELECT merchant_id FROM merchant WHERE code = %s)",
    "country": "%s",
    "category": "%s",
}
_COLUMNS: Final = {
    "store": "store_id",
    "group": "store_group_id",
    "merchant": "merchant_id",
    "country": "country",
    "category": "merchant_category",
}
_PRODUCT: Final = """
INSERT INTO card_product (program_id, code, currency, reloadable, permitted)
SELECT program_id, %s, 'USD', true, '{1,2,3}' FROM program WHERE code = 'gift'
RETURNING product_id
"""
_BATCH: Final = """
INSERT INTO issue_batch (product_id, program_id)
SELECT product_id, program_id FROM card WHERE card_id = %s RETURNING issue_batch_id
"""

Window = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class RestrictionSet:
    """
    One set in a gateway's books.
    """

    gateway: Gateway
    set_id: int

    def change(self, *terms: str, windows: tuple[Window, ...] = ()) -> None:
        """
        Make the next version: `allow store=m-1/s-1`, and windows.
        """
        with psycopg.connect(self.gateway.database.owner_dsn) as connection:
            row: Any = connection.execute(_VERSION, {"set": self.set_id}).fetchone()
            for term in terms:
                rule, _, listed = term.partition(" ")
                kind, _, value = listed.partition("=")
                connection.execute(
                    "INSERT INTO restriction_entry (restriction_version_id, rule, "  # noqa: S608 -- names of our own
                    f"{_COLUMNS[kind]}) VALUES (%s, %s, {_SUBJECTS[kind]})".encode(),
                    (row[0], 1 if rule == "allow" else 2, value),
                )
            for window in windows:
                connection.execute(
                    "INSERT INTO restriction_window VALUES (%s, %s, %s, %s)",
                    (row[0], *window),
                )

    def put_on(self, card: Card) -> None:
        """
        Give it to one card.
        """
        self.gateway.sql(
            "UPDATE card SET restriction_set_id = %s WHERE card_id = %s",
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
            "UPDATE issue_batch SET restriction_set_id = %s WHERE issue_batch_id = %s",
            self.set_id,
            batch,
        )

    def put_on_product(self, code: str) -> None:
        """
        Give it to a product.
        """
        self.gateway.sql(
            "UPDATE card_product SET restriction_set_id = %s WHERE code = %s",
            self.set_id,
            code,
        )


def lift(card: Card, gateway: Gateway) -> None:
    """
    Take a card's own set away.
    """
    gateway.sql(
        "UPDATE card SET restriction_set_id = NULL WHERE card_id = %s", card.card_id
    )


def new_set(
    gateway: Gateway, *terms: str, windows: tuple[Window, ...] = ()
) -> RestrictionSet:
    """
    Make a set with its first version.
    """
    with psycopg.connect(gateway.database.owner_dsn) as connection:
        row: Any = connection.execute(_SET, [f"set-{next(_NUMBERS)}"]).fetchone()
    made = RestrictionSet(gateway, int(row[0]))
    made.change(*terms, windows=windows)
    return made


def new_product(gateway: Gateway) -> str:
    """
    Make a product of a test's own; give its code.
    """
    code = f"restricted-{next(_NUMBERS)}"
    gateway.sql(_PRODUCT, code)
    return code
