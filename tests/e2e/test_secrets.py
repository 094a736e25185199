"""
Behaviour 60: no card number in any log, figure, table, message or exception.

The canaries go through every route: answered, declined, refused, in the wrong field,
and through faults of the books. Each place must also show that it was really read.
"""

from __future__ import annotations

import asyncio
import base64
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from grpc import aio

from currency import Currency, Money
from gateway.runtime.embedded import EmbeddedPostgres
from gateway.vault.numbers import generate_card_numbers
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import money_pb2, transaction_pb2
from tests.support.server import CARD_PREFIX, Card, Gateway, free_port
from tests.support.sinks import Sinks, leaks
from tests.support.stream_till import streaming
from tests.support.tills import (
    MakeCard,
    Till,
    card_maker,
    money,
    new_id,
    open_tills,
    request_of,
)
from till import CardNumber, Connection, Redeem, TillClient, TillError

StartGateway = Callable[..., Gateway]

_BOOM: Final = "boom"
_FLUSH_S: Final = 0.4


class Canaries:
    """
    Numbers that may show nowhere, and all that was said about them.
    """

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.said: list[str] = []

    def take(self, number: Card | str) -> str:
        """
        Watch a number.
        """
        digits = number if isinstance(number, str) else number.number
        self.numbers.append(digits)
        return digits

    def unknown(self) -> str:
        """
        Make a number that no card has.
        """
        (number,) = generate_card_numbers(CARD_PREFIX, count=1)
        return self.take(number.digits)

    async def hear(self, call: Awaitable[object]) -> object:
        """
        Await a call; note what it answers or how it fails.
        """
        try:
            answer = await call
        except (aio.AioRpcError, TillError) as error:
            self.note(error)
            return None
        self.said.append(repr(answer))
        return answer

    def note(self, error: BaseException) -> None:
        """
        Note all that an exception says of itself.
        """
        self.said += [str(error), repr(error), *traceback.format_exception(error)]
        if isinstance(error, aio.AioRpcError):
            self.said += [repr(error.debug_error_string())]
            self.said += [repr(error.trailing_metadata())]


@pytest.fixture
def canaries() -> Canaries:
    """
    Give canaries of the test's own.
    """
    return Canaries()


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


async def _trade(canaries: Canaries, till: Till, card: MakeCard) -> None:
    """
    Answer and decline each operation, first and again.
    """
    pending, active = await card(None), await card()
    lost, unknown = await card(state=4, block_reason=1), canaries.unknown()
    known = [canaries.take(plastic) for plastic in (pending, active, lost)]
    for number in (*known, unknown):
        sale = request_of("Redeem", card_number=number, amount=money(1_000, "KWD"))
        for _ in range(2):
            await canaries.hear(till.send("Redeem", sale))
        await canaries.hear(till.activate(number, 25_00))
        await canaries.hear(till.load(number, 5_00))
        await canaries.hear(till.redeem(number, 999_00))
        await canaries.hear(till.redeem(unknown, 1_00, request_id=sale.request_id))
        await canaries.hear(till.balance(number))
        await canaries.hear(till.transaction(sale.request_id))
        await canaries.hear(
            till.reverse(sale.request_id, card_number=canaries.unknown())
        )
        await canaries.hear(till.reverse(sale.request_id, card_number=number))


async def _misplace(canaries: Canaries, till: Till) -> None:
    """
    Send numbers in fields where they make the request unreadable or denied.
    """
    number = canaries.unknown()
    wrong: list[dict[str, Any]] = [
        {"request_id": number},
        {"terminal_id": number},
        {"card_number": f"{number}x"},
        {"card_number": number * 2},
        {"amount": money_pb2.Money(minor_units=1, currency_code=number, exponent=2)},
        {"till": transaction_pb2.TillContext(system_trace_no=number)},
        {"till": transaction_pb2.TillContext(terminal_batch_no=number)},
        {"till": transaction_pb2.TillContext(merchant_reference=number * 4)},
    ]
    for changes in wrong:
        fields: dict[str, Any] = {"card_number": number, "amount": money(1_00)}
        await canaries.hear(
            till.send("Redeem", request_of("Redeem", **fields | changes))
        )
    await canaries.hear(till.reverse(number))
    await canaries.hear(till.reverse(new_id(), original_terminal_id=number))
    await canaries.hear(till.transaction(number))
    await canaries.hear(till.transaction(new_id(), terminal_id=number))


async def _garble(canaries: Canaries, till: Till) -> None:
    """
    Put numbers where gRPC itself reads: the path, the headers, bytes of no message.
    """
    number = canaries.unknown()
    for path, body in (
        (f"/scrip.v1.CardService/{number}", b""),
        (f"/{number}/Redeem", b""),
        ("/scrip.v1.CardService/Redeem", b"\xff" + number.encode()),
    ):
        call: Any = till.channel.unary_unary(path)
        await canaries.hear(call(body, metadata=(("x-card", number),)))
    stream: Any = till.stream(metadata=(("x-card", number),))
    await stream.write(pb.TransactRequest(sequence=int(number[:15])))
    canaries.said.append(repr((await stream.read()).fault))
    stream.cancel()


async def _break(
    canaries: Canaries, gateway: Gateway, till: Till, card: MakeCard
) -> None:
    """
    Send numbers while the books refuse a row, keep a lock, and lose connections.
    """
    plastic = await card()
    number = canaries.take(plastic)
    gateway.sql(
        "ALTER TABLE transaction ADD CONSTRAINT boom_check"
        f" CHECK (cashier_id <> '{_BOOM}') NOT VALID"
    )
    boom = transaction_pb2.TillContext(cashier_id=_BOOM)
    await canaries.hear(till.redeem(number, 1_00, till=boom))
    await canaries.hear(till.load(canaries.unknown(), 1_00, till=boom))
    dsn = gateway.database.owner_dsn
    async with await psycopg.AsyncConnection.connect(dsn) as rival:
        await rival.execute(
            "SELECT FROM card WHERE card_id = %s FOR UPDATE", [plastic.card_id]
        )
        await canaries.hear(till.redeem(number, 1_00))
    with psycopg.connect(gateway.database.superuser_dsn) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'scrip_gateway'"
        )
    for _ in range(3):
        await canaries.hear(till.redeem(number, 1_00))
        await canaries.hear(till.balance(number))


def test_the_search_finds_a_number_in_each_form() -> None:
    """
    Digits, groups, hex, UTF-16 and base64, anywhere in a text; the last four are free.
    """
    number = "6036281234567890123"
    plain = number.encode()
    found = [
        b"card " + plain + b".",
        b"6036 2812 3456 7890 123",
        b"6036-2812-3456-7890-123",
        plain.hex().encode(),
        number.encode("utf-16"),
        *(base64.b64encode(b"x" * before + plain + b"y") for before in range(6)),
    ]

    for text in found:
        assert leaks([number], {"here": text}) != []
    assert leaks([number], {"here": b"****0123 60362812"}) == []


async def test_60_no_card_number_anywhere(sinks: Sinks, canaries: Canaries) -> None:
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
                await _trade(canaries, way, card)
                await _misplace(canaries, way)
                await _break(canaries, gateway, way, card)
                gateway.sql("ALTER TABLE transaction DROP CONSTRAINT boom_check")
        await _garble(canaries, till)
        await till.redeem(await card(), 1_00)
        places = sinks.read()
    await asyncio.sleep(_FLUSH_S)
    places["the worker's log"] = gateway.log().encode()
    places["what was answered"] = "\n".join(canaries.said).encode()

    _require_read(places)
    assert leaks(canaries.numbers, places) == []
    assert gateway.stop() == 0


def _require_read(places: dict[str, bytes]) -> None:
    """
    Fail unless each place shows what was done: an empty one proves nothing.
    """
    log = places["the worker's log"]
    assert b'"method":"Redeem"' in log
    assert b"boom_check" in log
    assert b"PERMISSION_DENIED" in log
    assert b"INSERT INTO transaction" in places["Postgres's log"]
    assert b"boom_check" in places["Postgres's log"]
    assert b"DETAIL:  Parameters: $1 = " in places["Postgres's log"]
    assert b"scrip_" in places["the metrics"]
    assert b"{scrip}:snapshot:" in places["Valkey"]
    assert len(places["the tables"].splitlines()) > 100
    for name in ("INVALID_ARGUMENT", "PERMISSION_DENIED", "INTERNAL", "ABORTED"):
        assert f"StatusCode.{name}".encode() in places["what was answered"]


async def test_60_a_number_in_a_text_of_the_till(
    sinks: Sinks, canaries: Canaries
) -> None:
    """
    60: A number that a till writes into its own reference is kept there only.

    The contract echoes that field unaltered. Nothing else repeats it, also where the
    books refuse the row.
    """
    gateway = sinks.gateway
    gateway.start()
    async with open_tills(gateway) as tills:
        till, plastic = await tills("till-1"), await card_maker(tills)()
        number = canaries.unknown()
        context = transaction_pb2.TillContext(
            merchant_reference=f"card {number}",
            cashier_id=f"{number[:4]}-{number[4:]}",
            local_time=number,
        )
        sale = await till.redeem(plastic, 1_00, till=context)
        context.cashier_id = _BOOM
        gateway.sql(
            "ALTER TABLE transaction ADD CONSTRAINT boom_check"
            f" CHECK (cashier_id <> '{_BOOM}') NOT VALID"
        )
        await canaries.hear(till.redeem(plastic, 1_00, till=context))
        places = sinks.read()
    await asyncio.sleep(_FLUSH_S)
    places["the worker's log"] = gateway.log().encode()
    places["what was answered"] = "\n".join(canaries.said).encode()

    assert sale.till.merchant_reference == f"card {number}"
    assert number.encode() in places.pop("the tables")
    assert b"boom_check" in places["the worker's log"]
    assert leaks(canaries.numbers, places) == []


async def test_60_the_exceptions_of_the_client(
    sinks: Sinks, canaries: Canaries, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    60: Whatever the client library raises, shows or logs says no number.
    """
    gateway = sinks.gateway
    caplog.set_level("DEBUG")
    gateway.start()
    pair = gateway.register("till-1")
    pair.write(tmp_path / "key.pem", tmp_path / "cert.pem")
    connection = Connection(
        address=f"127.0.0.1:{gateway.port}",
        certificate_file=tmp_path / "cert.pem",
        key_file=tmp_path / "key.pem",
        authority_file=gateway.authority.certificate_path,
    )
    (plastic,) = gateway.new_cards(1)
    number = CardNumber(canaries.take(plastic))
    unknown = CardNumber(canaries.unknown())
    price = Money(1_00, Currency.of("USD"))
    async with TillClient.open(connection) as client:
        for digits in (number, unknown):
            canaries.said.append(repr(digits) + str(digits))
            await canaries.hear(client.activate(digits, request_id=UUID(new_id())))
            request = Redeem(
                request_id=UUID(new_id()), card_number=digits, amount=price
            )
            canaries.said.append(repr(request))
            misplaced = replace(request, terminal_id=canaries.unknown())
            for sent in (request, misplaced):
                await canaries.hear(client.send(sent))
                await canaries.hear(client.send(sent, timeout_s=0.000_1))
        gateway.sql("UPDATE device SET revoked = true")
        await canaries.hear(client.balance(number))
        gateway.kill()
        await canaries.hear(client.balance(number, timeout_s=0.2))
    said = "\n".join(canaries.said)

    assert {"RefusedError", "OutcomeUnknownError"} <= set(
        said.replace("(", " ").replace(":", " ").replace(".", " ").split()
    )
    assert (
        leaks(
            canaries.numbers,
            {"what was said": said.encode(), "the client's log": caplog.text.encode()},
        )
        == []
    )
