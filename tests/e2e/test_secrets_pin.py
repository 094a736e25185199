"""
Behaviour 60 for PINs: none in any log, figure, table, message or exception.

PINs of twelve digits go through every route, right and wrong, answered, repeated,
misplaced, and through faults of the books.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest

from gateway.runtime.embedded import EmbeddedPostgres
from scrip.v1 import transaction_pb2
from tests.e2e.test_secrets import Canaries
from tests.support.server import Gateway, free_port
from tests.support.sinks import Sinks, leaks
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Till, card_maker, new_id, open_tills

StartGateway = Callable[..., Gateway]
_BOOM: Final = "boom"
_FLUSH_S: Final = 0.4


@pytest.fixture
def sinks(
    start_gateway: StartGateway, postgres_server: EmbeddedPostgres
) -> Iterator[Sinks]:
    """
    Prepare a gateway that logs all it can and shows figures; nothing runs yet.
    """
    port = free_port()
    gateway = start_gateway(
        workers=0,
        LOGGING__LEVEL="debug",
        METRICS__PORT=str(port),
        POSTGRES__LOCK_TIMEOUT_MS="50",
    )
    yield Sinks(gateway=gateway, postgres=postgres_server, metrics_port=port)
    gateway.sql("ALTER TABLE transaction DROP CONSTRAINT IF EXISTS boom_check")


def _pin(canaries: Canaries) -> str:
    """
    Draw a PIN that may show nowhere.
    """
    return canaries.take(f"{secrets.randbelow(10**12):012d}")


async def _enter(canaries: Canaries, till: Till, card: MakeCard) -> None:
    """
    Enter right and wrong ones with each operation, first and again, until it locks.
    """
    right = _pin(canaries)
    plastic = await card(8_00, product="pin", pin=right)
    await canaries.hear(till.redeem(plastic, 1_00))
    for pin in (right, _pin(canaries), right, *(_pin(canaries) for _ in range(4))):
        request_id = new_id()
        for _ in range(2):
            await canaries.hear(
                till.redeem(plastic, 1_00, pin=pin, request_id=request_id)
            )
        await canaries.hear(till.load(plastic, 1_00, pin=pin))
        await canaries.hear(till.balance(plastic, pin=pin))
        await canaries.hear(till.cash_out(plastic, pin=pin))
        await canaries.hear(till.transaction(request_id))
        await canaries.hear(till.reverse(request_id))


async def _misplace(canaries: Canaries, till: Till, card: MakeCard) -> None:
    """
    Send PINs in fields where they make the request unreadable.
    """
    plastic, pin = await card(product="pin"), _pin(canaries)
    wrong: list[dict[str, Any]] = [
        {"pin": f"{pin}0"},
        {"pin": f"x{pin[:11]}"},
        {"request_id": pin},
        {"terminal_id": pin},
        {"till": transaction_pb2.TillContext(system_trace_no=pin)},
    ]
    for fields in wrong:
        await canaries.hear(till.redeem(plastic, 1_00, **fields))
        await canaries.hear(till.balance(plastic, **fields))


async def _break(
    canaries: Canaries, gateway: Gateway, till: Till, card: MakeCard
) -> None:
    """
    Enter PINs while the books refuse a row, keep a lock, and lose connections.
    """
    right = _pin(canaries)
    plastic = await card(product="pin", pin=right)
    gateway.sql(
        "ALTER TABLE transaction ADD CONSTRAINT boom_check"
        f" CHECK (cashier_id <> '{_BOOM}') NOT VALID"
    )
    boom = transaction_pb2.TillContext(cashier_id=_BOOM)
    for pin in (right, _pin(canaries)):
        await canaries.hear(till.redeem(plastic, 1_00, pin=pin, till=boom))
    # A process that lacks the key of a tag cannot compare: that is our fault.
    gateway.sql("UPDATE card_pin SET key_id = 99 WHERE card_id = %s", plastic.card_id)
    await canaries.hear(till.redeem(plastic, 1_00, pin=_pin(canaries)))
    await canaries.hear(till.balance(plastic, pin=_pin(canaries)))
    gateway.sql("UPDATE card_pin SET key_id = 1 WHERE card_id = %s", plastic.card_id)
    dsn = gateway.database.owner_dsn
    async with await psycopg.AsyncConnection.connect(dsn) as rival:
        await rival.execute(
            "SELECT FROM card WHERE card_id = %s FOR UPDATE", [plastic.card_id]
        )
        await canaries.hear(till.redeem(plastic, 1_00, pin=_pin(canaries)))
        await canaries.hear(till.balance(plastic, pin=_pin(canaries)))
    with psycopg.connect(gateway.database.superuser_dsn) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'scrip_gateway'"
        )
    for _ in range(3):
        await canaries.hear(till.balance(plastic, pin=right))
    gateway.sql("ALTER TABLE transaction DROP CONSTRAINT boom_check")


async def test_60_no_pin_anywhere(sinks: Sinks, canaries: Canaries) -> None:
    """
    60: Logs, also Postgres's with every value, figures, tables, Valkey, messages: none.
    """
    gateway = sinks.gateway
    sinks.let_postgres_talk()
    gateway.start()
    async with open_tills(gateway) as tills:
        till, card = await tills("till-1"), card_maker(tills)
        async with streaming(till) as stream:
            for way in (till, stream):
                await _enter(canaries, way, card)
                await _misplace(canaries, way, card)
                await _break(canaries, gateway, way, card)
        places = sinks.read()
    await asyncio.sleep(_FLUSH_S)
    places["the worker's log"] = gateway.log().encode()
    places["what was answered"] = "\n".join(canaries.said).encode()

    assert b"has no key 99 for PINs" in places["the worker's log"]
    assert b"boom_check" in places["Postgres's log"]
    assert b"INSERT INTO card_pin_try" in places["Postgres's log"]
    said = places["what was answered"]
    for result in (b"INCORRECT_PIN", b"PIN_REQUIRED", b"PIN_TRIES_EXCEEDED"):
        assert result in said
    assert b"is not 4 to 12 digits" in said
    assert leaks(canaries.numbers, places) == []
    assert gateway.stop() == 0


@pytest.fixture
def canaries() -> Canaries:
    """
    Give canaries of the test's own.
    """
    return Canaries()
