"""
Confirm and Advice from the client and from the shell.
"""

import asyncio
import json
from uuid import uuid4

from typer.testing import CliRunner, Result

from currency import Currency, Money
from scrip.v1 import result_pb2, transaction_pb2
from scrip.v1.card_service_pb2 import AdviceRequest, ConfirmRequest
from tests.unit.till.fake_gateway import UNKNOWN, FakeGateway, loses
from tests.unit.till.tls_site import Site
from till import Answer, CardNumber, TillClient, TillContext
from till import Result as Decided
from till.cli import till_app
from till.printing import answer_json, answer_lines
from till.wire import Message

CARD = CardNumber("4111111111111111")
TEN = Money(1_000, Currency.of("USD"))


async def approves(gateway: FakeGateway, request: Message) -> transaction_pb2.Outcome:
    """
    Approve whatever is asked.
    """
    return gateway.outcome(request, result_pb2.RESULT_APPROVED)


async def test_the_client_confirms_and_tells(
    client: TillClient, gateway: FakeGateway
) -> None:
    """
    Each field goes where the contract has it.
    """
    gateway.steps.extend([approves, approves])
    sale, told = uuid4(), uuid4()
    context = TillContext(local_time="2026-03-01T10:00:00+02:00")
    await client.confirm(sale, request_id=uuid4(), original_terminal_id="till-2")
    await client.advice(CARD, TEN, request_id=told, context=context)

    confirm, advice = gateway.last(ConfirmRequest), gateway.last(AdviceRequest)
    assert confirm.original_request_id == str(sale)
    assert confirm.original_terminal_id == "till-2"
    assert advice.request_id == str(told)
    assert (advice.card_number, advice.amount.minor_units) == (CARD.digits, 1_000)
    assert advice.till.local_time == context.local_time


async def shell(site: Site, *arguments: str) -> Result:
    """
    Run `scrip till` as the till that the gateway knows.
    """
    known = {
        "TILL_ADDRESS": site.address,
        "TILL_CERT": str(site.certificate),
        "TILL_KEY": str(site.key),
        "TILL_CA": str(site.authority),
    }
    return await asyncio.to_thread(
        CliRunner().invoke, till_app, arguments, input=CARD.digits, env=known
    )


async def test_the_shell_confirms_and_tells(site: Site, gateway: FakeGateway) -> None:
    """
    `scrip till confirm` names what was approved, `advice` what was sold and when.
    """
    gateway.steps.extend([approves, approves])
    sale, when = str(uuid4()), "2026-03-01T10:00:00+02:00"
    await shell(site, "confirm", "--original", sale)
    await shell(
        *(site, "advice", "--amount", "10.00", "--currency", "USD"),
        *("--local-time", when),
    )

    assert gateway.last(ConfirmRequest).original_request_id == sale
    assert gateway.last(AdviceRequest).till.local_time == when
    assert gateway.last(AdviceRequest).amount.minor_units == 1_000


async def test_what_is_done_is_told_again_and_never_reversed(
    site: Site, gateway: FakeGateway
) -> None:
    """
    Without an answer the advice is to send the same request again, and nothing else.
    """
    gateway.steps.append(loses(UNKNOWN))
    lost = await shell(site, "confirm", "--original", str(uuid4()))

    assert lost.exit_code == 4
    assert f"--request-id {gateway.seen[0].request_id}" in lost.stderr
    assert "scrip till reverse" not in lost.stderr


async def test_an_exception_is_shown(client: TillClient) -> None:
    """
    For people by its name, for programs in a field of its own.
    """
    answer = await client.redeem(CARD, TEN, request_id=uuid4())
    fields = {name: getattr(answer, name) for name in Answer.__slots__}
    fields["exception"] = Decided.read(result_pb2.RESULT_INSUFFICIENT_FUNDS)
    unpaid = Answer(**fields)

    assert any("INSUFFICIENT_FUNDS" in line for line in answer_lines(unpaid))
    assert json.loads(answer_json(unpaid))["exception"] == "INSUFFICIENT_FUNDS"
    assert json.loads(answer_json(answer))["exception"] is None
