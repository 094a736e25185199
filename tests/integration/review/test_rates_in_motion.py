"""
Rates come into force all the time while two lanes sell.
"""

import asyncio
import itertools
import random
from dataclasses import replace
from typing import Any

import psycopg

from gateway.books.check import check_books
from gateway.domain.ids import RequestId
from gateway.domain.results import Result
from tests.support.ledger import seed
from tests.support.real_lanes import RealLane, on_card, real_lane
from tests.support.stores import FreshDatabase
from tests.support.world import amount, load, redeem

IMPORTS = 30
MANY = 1_000_000_00


async def permit_much(admin: psycopg.AsyncConnection[Any]) -> None:
    """
    Let a card take more in a day, and keep more, than one may by default.
    """
    await admin.execute(
        "INSERT INTO limit_set (program_id, code, currency) "
        "SELECT program_id, 'much', currency FROM card_product WHERE product_id = 1"
    )
    await admin.execute(
        "INSERT INTO limit_version (limit_set_id, version, load_day_minor) "
        "SELECT limit_set_id, 1, %s FROM limit_set",
        [MANY],
    )
    await admin.execute(
        "UPDATE card_product SET max_balance_minor = NULL, "
        "limit_set_id = (SELECT limit_set_id FROM limit_set) WHERE product_id = 1"
    )


async def import_rates(admin: psycopg.AsyncConnection[Any], number: int) -> None:
    """
    Load a version that comes into force almost as soon as the books allow it.
    """
    async with admin.transaction():
        cursor = await admin.execute(
            "INSERT INTO rate_table (source, loaded_by) VALUES ('a', 'b') "
            "RETURNING version"
        )
        ((version,),) = await cursor.fetchall()
        await admin.execute(
            "INSERT INTO rate SELECT %s, code, %s, scrip_clock() + interval '1.5 s', "
            "scrip_clock(), 'a' FROM unnest(%s::text[]) AS code",
            [
                version,
                f"3.{number:04}",
                random.Random(number).sample(["KWD", "LBP"], 1),
            ],
        )


async def sell(lane: RealLane, numbers: "itertools.count[int]", card: int) -> set[int]:
    """
    Sell for about five seconds; give the versions of the table that were used.
    """
    loop = asyncio.get_running_loop()
    used = set()
    until = loop.time() + 5
    while loop.time() < until:
        number = next(numbers)
        sale = on_card(redeem(amount(1_001, "KWD"), number=number), card)
        (told,) = await lane.ask(
            replace(sale, request_id=RequestId(number.to_bytes(16)))
        )
        assert told.record.result in {Result.APPROVED, Result.CURRENCY_NOT_SUPPORTED}
        used.add(told.record.rate_table_version or 0)
    return used


async def test_each_sale_has_the_rate_of_its_moment(database: FreshDatabase) -> None:
    """
    Computed again later, with the whole table, every sale comes out the same.
    """
    await asyncio.to_thread(seed, database.owner_dsn)
    numbers = itertools.count(10)
    async with (
        real_lane(database.gateway_dsn) as one,
        real_lane(database.gateway_dsn) as other,
        await psycopg.AsyncConnection.connect(
            database.superuser_dsn, autocommit=True
        ) as admin,
    ):
        await permit_much(admin)
        await admin.execute("SET ROLE scrip_admin")
        await one.ask(
            on_card(load(amount(MANY), number=1), 1),
            on_card(load(amount(MANY), number=2), 2),
        )
        selling = asyncio.gather(
            sell(one, numbers, 1),
            sell(other, numbers, 1),
            sell(one, numbers, 2),
            sell(other, numbers, 2),
        )
        for number in range(IMPORTS):
            await import_rates(admin, number)
            await asyncio.sleep(0.08)
        used = set().union(*await selling)

    assert len(used) > IMPORTS // 2
    assert [] == await check_books(database.owner_dsn)
