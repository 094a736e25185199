"""
The check of the books follows money of another currency through clearing.
"""

import asyncio

import psycopg
import pytest

from gateway.books.check import check_books
from tests.support.ledger import seed
from tests.support.stores import FreshDatabase
from tests.support.traded_books import trade


@pytest.mark.parametrize("account", [5, 6, 7, 8])
async def test_a_sale_that_passes_by_clearing_is_found(
    database: FreshDatabase, account: int
) -> None:
    """
    Adjustments, fees, breakage or rounding in place of clearing balance as well.
    """
    await asyncio.to_thread(seed, database.owner_dsn, cards=5)
    records = await trade(database)
    sold = records["sold in dinars"].transaction_id
    with psycopg.connect(database.superuser_dsn) as connection:
        changed = connection.execute(
            "UPDATE posting SET account = %s WHERE transaction_id = %s AND account = 4",
            [account, sold.hex() if sold else None],
        )
        assert changed.rowcount == 2

    violations = await check_books(database.owner_dsn)
    assert ["records_posted"] == [violation.rule for violation in violations]
