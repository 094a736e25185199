"""
Merchants, stores and terminals of a test's own, so that it may suspend and close them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tests.support.seed import DeviceSeed, seed_device

if TYPE_CHECKING:
    from gateway.vault.pki import KeyPair
    from tests.support.tills import Till, Tills

_NUMBERS: Final = count(1)
_MERCHANT: Final = "INSERT INTO merchant (code, name) VALUES (%s, 'Own')"
_ACCEPT: Final = """
INSERT INTO program_merchant (program_id, merchant_id)
SELECT program_id, merchant_id FROM program, merchant WHERE merchant.code = %s
"""
_STORE: Final = """
INSERT INTO store (merchant_id, code, country, currencies, time_zone)
SELECT merchant_id, %s, 'LB', %s::char(3)[], 'Asia/Beirut'
FROM merchant WHERE code = %s
"""
_PARTY: Final = """
UPDATE {table} SET {column} = %s
WHERE {table}_id = (
    SELECT {table}.{table}_id FROM merchant
    JOIN store USING (merchant_id) JOIN terminal USING (store_id)
    WHERE merchant.code = %s AND terminal.code = %s
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    A merchant with one store, one terminal and its till.
    """

    device: DeviceSeed
    certificate: KeyPair
    till: Till
    tills: Tills

    def change(self, table: str, **columns: Any) -> None:
        """
        Change this place's row of `merchant`, `store` or `terminal`.
        """
        for column, value in columns.items():
            query = _PARTY.format(table=table, column=column)
            self.tills.gateway.sql(
                query, value, self.device.merchant, self.device.terminal
            )

    def enrol(self, device: str, terminal: str | None) -> Till:
        """
        Open a further till of the store, or with `terminal` None a controller.
        """
        seed = DeviceSeed(self.device.merchant, self.device.store, device, terminal)
        gateway = self.tills.gateway
        pair = seed_device(gateway.database.owner_dsn, gateway.authority, seed)
        return self.tills.connect(device, pair)


def new_place(
    tills: Tills, *, currencies: Sequence[str] = ("USD",), accepts: bool = True
) -> Place:
    """
    Make a merchant that takes the programme's cards, a store, a terminal and a till.
    """
    number = next(_NUMBERS)
    gateway = tills.gateway
    device = DeviceSeed(f"own-{number}", "s", f"till-{number}", f"own-t-{number}")
    gateway.sql(_MERCHANT, device.merchant)
    if accepts:
        gateway.sql(_ACCEPT, device.merchant)
    gateway.sql(_STORE, device.store, list(currencies), device.merchant)
    pair = seed_device(gateway.database.owner_dsn, gateway.authority, device)
    return Place(
        device=device,
        certificate=pair,
        till=tills.connect(device.device, pair),
        tills=tills,
    )
