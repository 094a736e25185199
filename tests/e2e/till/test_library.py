"""
The till's library and `scrip till` against a real gateway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from currency import Currency, Money
from tests.support.server import Gateway
from till import (
    CardNumber,
    Connection,
    CurrentState,
    Ending,
    FileJournal,
    NotRecordedError,
    OutcomeUnknownError,
    RefusedError,
    Result,
    ReversalReason,
    Shop,
    TillClient,
    TillContext,
    TransactStream,
    new_request_id,
)
from till.cli import till_app

USD = Currency.of("USD")
KWD = Currency.of("KWD")
TEN = Money(10_00, USD)
StartGateway = Callable[..., Gateway]


def connection_to(
    gateway: Gateway, folder: Path, device: str = "till-1", connections: int = 1
) -> Connection:
    """
    Write a device's files as an operator hands them out.
    """
    pair = gateway.register(device)
    files = folder / device
    files.mkdir(exist_ok=True)
    (files / "device.crt").write_bytes(pair.cert_pem)
    (files / "device.key").write_bytes(pair.key_pem)
    return Connection(
        address=f"127.0.0.1:{gateway.port}",
        certificate_file=files / "device.crt",
        key_file=files / "device.key",
        authority_file=gateway.authority.certificate_path,
        connections=connections,
    )


@pytest.fixture
def connection(gateway_process: Gateway, tmp_path: Path) -> Connection:
    """
    Give what the first till connects with.
    """
    return connection_to(gateway_process, tmp_path)


@pytest.fixture
async def client(
    gateway_process: Gateway, connection: Connection
) -> AsyncIterator[TillClient]:
    """
    Give the first till's client; the books are checked after it.
    """
    async with TillClient.open(connection) as client:
        yield client
    gateway_process.books_check()


@pytest.fixture
def number(gateway_process: Gateway) -> CardNumber:
    """
    Give a card that is not active yet.
    """
    (card,) = gateway_process.new_cards(1)
    return CardNumber(card.number)


async def test_a_cards_life(client: TillClient, number: CardNumber) -> None:
    """
    Activate, load, spend, read, undo, ask: each answer reads as values.
    """
    hundred = Money(100_00, USD)
    activated = await client.activate(
        number, initial_amount=hundred, request_id=new_request_id()
    )
    sale_id = new_request_id()
    sold = await client.redeem(
        number,
        Money(10_000, KWD),
        request_id=sale_id,
        context=TillContext(merchant_reference="order 7", cashier_id="ana"),
    )
    balance = await client.balance(number)
    undone = await client.reverse(
        sale_id, request_id=new_request_id(), reason=ReversalReason.TIMEOUT
    )
    asked = await client.get_transaction(sale_id)

    assert activated.stands
    assert hundred == activated.available_balance
    assert sold.stands
    assert sold.conversion is not None
    assert Money(32_52, USD) == sold.conversion.card_amount
    assert Money(67_48, USD) == sold.available_balance == balance.available_balance
    assert "order 7" == sold.context.merchant_reference
    assert undone.approved
    assert sold.transaction_id == undone.original_transaction_id
    assert asked.approved
    assert CurrentState.REVERSED is asked.current_state
    assert not asked.stands


async def test_a_shop_survives_answers_that_never_come(
    client: TillClient, number: CardNumber, tmp_path: Path
) -> None:
    """
    Calls that are cut off at random moments end as one debit each, or none.
    """
    await client.activate(
        number, initial_amount=Money(100_00, USD), request_id=new_request_id()
    )

    class Cutting:
        """
        Cut the first attempts of each request a little later each time.
        """

        def __init__(self) -> None:
            self.calls = 0

        async def send(
            self, request: object, *, timeout_s: float | None = None
        ) -> object:
            """
            Send it, and stop waiting after some milliseconds at most calls.
            """
            self.calls += 1
            if self.calls % 3 == 0:
                return await client.send(request, timeout_s=timeout_s)  # type: ignore[arg-type]
            return await client.send(request, timeout_s=0.0005 * (self.calls % 12))  # type: ignore[arg-type]

    journal = FileJournal(tmp_path / "journal.jsonl")
    shop = Shop(Cutting(), journal)  # type: ignore[arg-type]
    ends = [await shop.sell(number, Money(1_00, USD)) for _ in range(12)]
    left = await client.balance(number)
    still_open = journal.open_entries()
    journal.close()

    paid = sum(end.paid for end in ends)
    assert Money(100_00 - paid * 1_00, USD) == left.available_balance
    assert all(end.paid or end.ending is Ending.UNDONE for end in ends)
    assert [] == still_open


async def test_a_declined_and_an_unreadable_request(
    client: TillClient, number: CardNumber
) -> None:
    """
    A card that is not active is an answer; a reference too long names its field.
    """
    declined = await client.redeem(number, TEN, request_id=new_request_id())

    assert Result.CARD_NOT_ACTIVE is declined.result
    with pytest.raises(RefusedError) as raised:
        await client.redeem(
            number,
            TEN,
            request_id=new_request_id(),
            context=TillContext(merchant_reference="x" * 65),
        )
    assert any("merchant_reference" in p.field for p in raised.value.problems)


async def test_an_oversized_message_has_advice(
    client: TillClient, number: CardNumber
) -> None:
    """
    GRPC refuses it by itself: the status has no details, the till still has words.
    """
    with pytest.raises(OutcomeUnknownError, match="too long") as raised:
        await client.balance(number, context=TillContext(cashier_id="x" * 200_000))

    assert "RESOURCE_EXHAUSTED" == raised.value.status


async def test_only_a_reversal_makes_an_absence_final(client: TillClient) -> None:
    """
    Not recorded so far is not final; after the reversal it is.
    """
    request_id = new_request_id()

    with pytest.raises(NotRecordedError) as before:
        await client.get_transaction(request_id)
    reversed_ = await client.reverse(
        request_id, request_id=new_request_id(), reason=ReversalReason.TIMEOUT
    )
    with pytest.raises(NotRecordedError) as after:
        await client.get_transaction(request_id)

    assert Result.ORIGINAL_NOT_FOUND is reversed_.result
    assert (False, True) == (before.value.final, after.value.final)


async def test_a_stream_goes_on_over_a_restart(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    """
    One of two workers stops under load: the controller's shop sees only answers.
    """
    gateway = start_gateway(workers=2)
    gateway.register("till-1")
    connection = connection_to(gateway, tmp_path, "controller")
    (plastic,) = gateway.new_cards(1)
    number = CardNumber(plastic.number)
    async with TillClient.open(connection, terminal_id="t-1") as client:
        await client.activate(
            number, initial_amount=Money(500_00, USD), request_id=new_request_id()
        )
        async with TransactStream(
            client.channels[0], outstanding=64, timeout_s=20
        ) as stream:
            journal = FileJournal(tmp_path / "journal.jsonl")
            shop = Shop(stream, journal, terminal_id="t-1")
            selling = [
                asyncio.create_task(shop.sell(number, Money(1_00, USD)))
                for _ in range(300)
            ]
            await asyncio.sleep(0.2)
            for worker in (1, 2):
                await asyncio.to_thread(gateway.stop, worker)
                gateway.start(worker)
            ends = await asyncio.gather(*selling)
            journal.close()
        left = await client.balance(number)

    assert all(end.paid for end in ends)
    assert Money(200_00, USD) == left.available_balance


async def test_the_shell_is_a_till(
    connection: Connection, client: TillClient, number: CardNumber
) -> None:
    """
    Activate and redeem from the shell: exit codes, digits, and no number on screen.
    """
    known = {
        "TILL_ADDRESS": connection.address,
        "TILL_CERT": str(connection.certificate_file),
        "TILL_KEY": str(connection.key_file),
        "TILL_CA": str(connection.authority_file),
        "TILL_CURRENCY": "USD",
    }

    async def run(*words: str) -> tuple[int, str]:
        result = await asyncio.to_thread(
            CliRunner().invoke, till_app, words, input=number.digits, env=known
        )
        assert number.digits not in result.output
        return result.exit_code, result.stdout

    activated = await run("activate", "--amount", "25.00")
    sold = await run("redeem", "--amount", "3.000", "--currency", "KWD")
    declined = await run("redeem", "--amount", "100.00")
    partly = await run("redeem", "--amount", "100.00", "--partial", "--json")
    wrong = await run("redeem", "--amount", "1.000")

    assert (0, 0, 1, 0, 2) == tuple(
        code for code, _ in (activated, sold, declined, partly, wrong)
    )
    assert "3.000 KWD = 9.76 USD at 3.252" in sold[1]
    assert "51 INSUFFICIENT_FUNDS" in declined[1]
    answer = json.loads(partly[1])
    assert "APPROVED_PARTIAL" == answer["result"]
    assert "84.76" == answer["amount_due"]["amount"]
    assert Money(0, USD) == (await client.balance(number)).available_balance
