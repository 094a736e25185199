"""
A till's PINs: sent with one request, shown and kept nowhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from currency import Currency, Money
from tests.unit.till.fake_gateway import FakeGateway
from tests.unit.till.tls_site import Site
from till import (
    Authorize,
    CardNumber,
    CashOut,
    FileJournal,
    GetBalance,
    Load,
    Pin,
    PinError,
    Redeem,
    TransferBalance,
)
from till.cli import till_app
from till.wire import write_message

CARD = CardNumber("4111111111111111")
PIN = "493827165038"
PRICE = Money(1_00, Currency.of("USD"))
Run = Callable[..., Awaitable[Result]]
COMMANDS = [
    ("redeem", "--amount", "1.00", "--currency", "USD"),
    ("load", "--amount", "1.00", "--currency", "USD"),
    ("cash-out",),
    ("balance",),
]


@pytest.fixture
def run(site: Site) -> Run:
    """
    Run `scrip till` with what is typed, line by line.
    """

    async def run(*arguments: str, typed: str) -> Result:
        known = {
            "TILL_ADDRESS": site.address,
            "TILL_CERT": str(site.certificate),
            "TILL_KEY": str(site.key),
            "TILL_CA": str(site.authority),
        }
        return await asyncio.to_thread(
            CliRunner().invoke, till_app, arguments, input=typed, env=known
        )

    return run


@pytest.mark.parametrize(
    "request_made",
    [
        Load(request_id=uuid4(), card_number=CARD, amount=PRICE, pin=Pin(PIN)),
        Redeem(request_id=uuid4(), card_number=CARD, amount=PRICE, pin=Pin(PIN)),
        CashOut(request_id=uuid4(), card_number=CARD, pin=Pin(PIN)),
        GetBalance(card_number=CARD, pin=Pin(PIN)),
        Authorize(request_id=uuid4(), card_number=CARD, amount=PRICE, pin=Pin(PIN)),
        TransferBalance(
            request_id=uuid4(), card_number=CARD, to_card_number=CARD, pin=Pin(PIN)
        ),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_pin_is_in_the_message_and_in_no_repr(
    request_made: Load | Redeem | CashOut | GetBalance | Authorize | TransferBalance,
) -> None:
    """
    Each request that may carry one writes it; none shows it.
    """
    message: Any = write_message(request_made)
    without: Any = write_message(replace(request_made, pin=None))

    assert message.pin == PIN
    assert without.pin == ""
    assert PIN not in repr(request_made)


def test_a_pin_shows_nothing() -> None:
    """
    Neither its digits nor how many they are.
    """
    assert repr(Pin("4938")) == str(Pin("4938")) == f"{Pin(PIN)}" == "Pin(...)"
    assert Pin(" 4938\n") == Pin("4938")
    assert Pin("4938") != "4938"
    assert len({Pin("4938"), Pin("4938")}) == 1


@pytest.mark.parametrize("text", ["", "123", "1234567890123", "12a4", "١٢٣٤"])
def test_what_is_no_pin_is_not_repeated(text: str) -> None:
    """
    The failure says what one looks like.
    """
    with pytest.raises(PinError) as caught:
        Pin(text)

    assert str(caught.value) == "a PIN is 4 to 12 digits"


async def test_the_journal_keeps_no_pin(tmp_path: Path) -> None:
    """
    What is still open after a loss of power is reversed, which takes none.
    """
    path = tmp_path / "till.journal"
    journal = FileJournal(path)
    await journal.begin(
        Redeem(request_id=uuid4(), card_number=CARD, amount=PRICE, pin=Pin(PIN))
    )

    journal.close()

    assert path.stat().st_size > 0
    assert PIN.encode() not in path.read_bytes()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
async def test_a_pin_from_the_shell(
    run: Run, gateway: FakeGateway, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """
    A line behind the number's, or a file; it is said nowhere.
    """
    file = tmp_path / "pin"
    file.write_text(f"{PIN}\n", encoding="ascii")

    typed = await run(*command, "--pin", "ask", typed=f"{CARD.digits}\n{PIN}\n")
    read = await run(*command, "--pin", str(file), typed=f"{CARD.digits}\n")
    await run(*command, typed=f"{CARD.digits}\n")

    sent: list[Any] = list(gateway.seen)
    assert [request.pin for request in sent] == [PIN, PIN, ""]
    assert PIN not in typed.output + read.output


@pytest.mark.parametrize("source", ["ask", PIN])
async def test_what_is_no_pin_is_not_sent(
    run: Run, gateway: FakeGateway, source: str
) -> None:
    """
    Neither a line that is none, nor the PIN itself where a file is named, is repeated.
    """
    words = ("redeem", "--amount", "1.00", "--currency", "USD", "--pin", source)
    result = await run(*words, typed=f"{CARD.digits}\n12345678901234567\n")

    assert result.exit_code == 2
    assert "--pin" in result.output
    assert PIN not in result.output
    assert "12345678901234567" not in result.output
    assert gateway.seen == []
