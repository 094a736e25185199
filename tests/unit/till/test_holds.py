"""
A till holds an amount, enlarges it, captures it and gives it up.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from currency import Currency, Money
from scrip.v1 import result_pb2, transaction_pb2
from scrip.v1.card_service_pb2 import (
    AuthorizeRequest,
    CancelAuthorizationRequest,
    CaptureRequest,
    IncrementAuthorizationRequest,
)
from tests.unit.till.fake_gateway import UNKNOWN, FakeGateway, Step, fails
from tests.unit.till.fake_parts import usd
from tests.unit.till.tls_site import Site
from till import (
    AnswerUnreadableError,
    CardNumber,
    HoldRecord,
    HoldState,
    TillClient,
    TillContext,
)
from till.cli import till_app
from till.wire import Message

USD = Currency.of("USD")
CARD = CardNumber("4111111111111111")
END = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def holding(
    state: transaction_pb2.Hold.State.ValueType = transaction_pb2.Hold.STATE_OPEN,
    *,
    captured: int = 0,
    currency: str = "USD",
) -> Step:
    """
    Make a step that answers with a hold of 60.00.
    """

    async def step(gateway: FakeGateway, request: Message) -> transaction_pb2.Outcome:
        is_open = state == transaction_pb2.Hold.STATE_OPEN
        outcome = gateway.outcome(request, result_pb2.RESULT_APPROVED, amount=60_00)
        outcome.hold.state = state
        outcome.hold.authorized_amount.CopyFrom(usd(60_00))
        outcome.hold.captured_amount.CopyFrom(usd(captured))
        outcome.hold.held_amount.CopyFrom(usd(60_00 - captured if is_open else 0))
        outcome.hold.held_amount.currency_code = currency
        outcome.hold.expires_at.FromDatetime(END)
        return outcome

    return step


async def run(site: Site, *arguments: str, card: str = CARD.digits) -> Result:
    """
    Run `scrip till` as that till.
    """
    known = {
        "TILL_ADDRESS": site.address,
        "TILL_CERT": str(site.certificate),
        "TILL_KEY": str(site.key),
        "TILL_CA": str(site.authority),
    }
    return await asyncio.to_thread(
        CliRunner().invoke, till_app, arguments, input=card, env=known
    )


async def test_a_hold_is_placed(client: TillClient, gateway: FakeGateway) -> None:
    """
    The answer tells what is held, and until when.
    """
    gateway.steps.append(holding())
    answer = await client.authorize(
        CARD,
        Money(60_00, USD),
        request_id=uuid4(),
        allow_partial=True,
        time_to_live_s=600,
        context=TillContext(cashier_id="ana"),
    )

    sent = gateway.last(AuthorizeRequest)
    assert answer.hold == HoldRecord(
        state=HoldState.OPEN,
        authorized_amount=Money(60_00, USD),
        captured_amount=Money(0, USD),
        held_amount=Money(60_00, USD),
        expires_at=END,
    )
    assert (sent.card_number, sent.allow_partial) == (CARD.digits, True)
    assert (sent.time_to_live.seconds, sent.till.cashier_id) == (600, "ana")


async def test_a_hold_is_named_by_its_request(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    What follows names the Authorize, and its terminal where that is another.
    """
    gateway.steps.extend([holding() for _ in range(4)])
    hold = uuid4()
    other: dict[str, Any] = {"original_terminal_id": "till-2"}
    await client.increment_authorization(
        hold, Money(5_00, USD), request_id=uuid4(), **other
    )
    await client.capture(
        hold, Money(20_00, USD), request_id=uuid4(), keep_open=True, **other
    )
    whole = await client.capture(hold, request_id=uuid4())
    await client.cancel_authorization(hold, request_id=uuid4(), **other)

    more = gateway.last(IncrementAuthorizationRequest)
    last, first = [
        each for each in reversed(gateway.seen) if isinstance(each, CaptureRequest)
    ]
    cancelled = gateway.last(CancelAuthorizationRequest)
    assert {each.original_request_id for each in (more, first, last, cancelled)} == {
        str(hold)
    }
    assert {each.original_terminal_id for each in (more, first, cancelled)} == {
        "till-2"
    }
    assert (more.amount.minor_units, first.amount.minor_units) == (5_00, 20_00)
    assert (first.keep_open, last.keep_open) == (True, False)
    assert not last.HasField("amount")
    assert whole.stands


async def test_a_hold_that_cannot_be_counted(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    An amount in a currency that does not exist is worse than none.
    """
    gateway.steps.append(holding(currency="QQQ"))

    with pytest.raises(AnswerUnreadableError, match="hold"):
        await client.authorize(CARD, Money(60_00, USD), request_id=uuid4())


async def test_from_the_shell(site: Site, gateway: FakeGateway) -> None:
    """
    Each has a command; what became of the hold stands in the answer.
    """
    captured = transaction_pb2.Hold.STATE_CAPTURED
    gateway.steps.extend([holding(), holding(), holding(captured, captured=48_00)])
    amount = ("--amount", "60.00", "--currency", "USD")
    placed = await run(site, "authorize", *amount, "--live", "600", "--partial")
    original = ("--original", gateway.seen[0].request_id)
    grown = await run(site, "increment", *original, *amount)
    taken = await run(site, "capture", *original, *amount, "--keep-open")

    assert (placed.exit_code, grown.exit_code, taken.exit_code) == (0, 0, 0)
    assert "open, 60.00 USD, 60.00 USD held until Sun 1 Mar 2026" in placed.stdout
    assert "captured, 60.00 USD, captured 48.00 USD" in taken.stdout
    assert gateway.last(AuthorizeRequest).time_to_live.seconds == 600
    assert gateway.last(CaptureRequest).keep_open


async def test_as_json(site: Site, gateway: FakeGateway) -> None:
    """
    Programs get the hold's amounts in minor units and as text.
    """
    gateway.steps.append(holding())
    whole = await run(site, "capture", "--original", str(uuid4()), "--json")

    assert json.loads(whole.stdout)["hold"] == {
        "state": "OPEN",
        "authorized_amount": {
            "minor_units": 6000,
            "currency": "USD",
            "amount": "60.00",
        },
        "captured_amount": {"minor_units": 0, "currency": "USD", "amount": "0.00"},
        "held_amount": {"minor_units": 6000, "currency": "USD", "amount": "60.00"},
        "expires_at": "2026-03-01T10:00:00+00:00",
    }


async def test_a_cancel_without_an_answer_is_sent_again(
    site: Site, gateway: FakeGateway
) -> None:
    """
    It could not be reversed once it is done, so that is not what is advised.
    """
    gateway.steps.append(fails(UNKNOWN))
    lost = await run(site, "cancel", "--original", str(uuid4()))

    assert lost.exit_code == 4
    assert f"--request-id {gateway.seen[0].request_id}" in lost.stderr
    assert "reverse --original" not in lost.stderr
