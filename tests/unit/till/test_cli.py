"""
A person or a script can be a till; nothing wrong is sent, and exit codes tell.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from typer.testing import CliRunner, Result

from gateway.vault.pki import LocalAuthority
from scrip.v1.card_service_pb2 import VoidRequest
from tests.unit.till.fake_gateway import (
    NOT_APPLIED,
    UNKNOWN,
    FakeGateway,
    fails,
    loses,
    status_of,
)
from tests.unit.till.tls_site import Site, issue
from till import (
    CardNumber,
    Connection,
    CredentialError,
    OutcomeUnknownError,
    TillClient,
    TillContext,
)
from till.cli import till_app

CARD = "4111111111111111"
Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(site: Site) -> Run:
    """
    Run `scrip till` as the till that the gateway knows.
    """

    async def run(*arguments: str, card: str | None = CARD) -> Result:
        known = {
            "TILL_ADDRESS": site.address,
            "TILL_CERT": str(site.certificate),
            "TILL_KEY": str(site.key),
            "TILL_CA": str(site.authority),
        }
        return await asyncio.to_thread(
            CliRunner().invoke, till_app, arguments, input=card, env=known
        )

    return run


async def test_a_sale_from_the_shell(run: Run, gateway: FakeGateway) -> None:
    """
    An approval exits with 0, in the currency's digits and with a readable date.
    """
    result = await run("redeem", "--amount", "10.00", "--currency", "USD")

    assert 0 == result.exit_code, result.output
    assert "approved       00 APPROVED" in result.stdout
    assert "10.00 USD" in result.stdout
    assert "Thu 2 Jan 2025, 10:20:30 UTC" in result.stdout
    assert CARD not in result.output
    assert 9_000 == gateway.balance


async def test_the_request_id_comes_first(run: Run, gateway: FakeGateway) -> None:
    """
    It is printed beside the answer, so that it is known when no answer comes.
    """
    result = await run("load", "--amount", "5.00", "--currency", "USD")

    assert result.stderr.startswith(f"request id {gateway.seen[0].request_id}")


async def test_a_decline_exits_with_1(run: Run) -> None:
    """
    A script need not read the text.
    """
    result = await run("redeem", "--amount", "999.00", "--currency", "USD")

    assert 1 == result.exit_code
    assert "declined       51 INSUFFICIENT_FUNDS" in result.stdout


async def test_a_cash_out_from_the_shell(run: Run, gateway: FakeGateway) -> None:
    """
    It takes a card alone, and says how much cash to pay.
    """
    result = await run("cash-out")

    assert 0 == result.exit_code, result.output
    assert "cash to pay    100.00 USD" in result.stdout
    assert result.stderr.startswith(f"request id {gateway.seen[0].request_id}")
    assert 0 == gateway.balance


async def test_json_for_programs(run: Run) -> None:
    """
    `--json` prints the answer alone, amounts as minor units and as text.
    """
    result = await run("balance", "--json")

    answer = json.loads(result.stdout)
    assert 0 == result.exit_code
    assert {"minor_units": 10_000, "currency": "USD", "amount": "100.00"} == answer[
        "available_balance"
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "field", "remedy"),
    [
        ("10.00", "KWD", "--amount", "10.000"),
        ("1.5", "JPY", "--amount", "JPY without a point"),
        ("10,00", "USD", "--amount", "not a plain amount"),
        ("10.00", "usd", "--currency", "three capital letters"),
        ("10.00", "", "--currency", "--currency KWD"),
    ],
)
async def test_an_amount_that_is_none_is_not_sent(
    run: Run, gateway: FakeGateway, amount: str, currency: str, field: str, remedy: str
) -> None:
    """
    Wrong digits and unknown currencies name the option and exit with 2.
    """
    result = await run("redeem", "--amount", amount, "--currency", currency)

    text = " ".join(result.output.replace("│", " ").split())
    assert 2 == result.exit_code
    assert field in text
    assert remedy in text
    assert [] == gateway.seen


async def test_a_card_number_that_is_none_is_not_shown(
    run: Run, gateway: FakeGateway
) -> None:
    """
    What was typed instead of digits may be half a card number: it is not repeated.
    """
    result = await run("balance", card="4111x")

    assert 2 == result.exit_code
    assert "4111" not in result.output
    assert [] == gateway.seen


async def test_not_applied_exits_with_3(run: Run, gateway: FakeGateway) -> None:
    """
    The error says that an earlier attempt may have moved money, and what to type.
    """
    gateway.steps.extend([fails(NOT_APPLIED)] * 5)

    result = await run("redeem", "--amount", "1.00", "--currency", "USD")

    assert 3 == result.exit_code
    assert "an earlier one" in result.stderr
    assert f"--request-id {gateway.seen[0].request_id}" in result.stderr


async def test_unknown_exits_with_4_and_can_be_brought_to_an_end(
    run: Run, gateway: FakeGateway
) -> None:
    """
    The printed command reverses what was done; asking again says so.
    """
    gateway.steps.append(loses(UNKNOWN))

    lost = await run("redeem", "--amount", "1.00", "--currency", "USD")
    request_id = gateway.seen[0].request_id
    reversed_ = await run("reverse", "--original", request_id)
    asked = await run("status", "--request-id", request_id)

    assert 4 == lost.exit_code
    assert f"reverse --original {request_id}" in lost.stderr
    assert 0 == reversed_.exit_code
    assert 1 == asked.exit_code
    assert "reversed since: not paid" in asked.stdout
    assert 10_000 == gateway.balance


async def test_a_refund_and_a_void_from_the_shell(
    run: Run, gateway: FakeGateway
) -> None:
    """
    Both name the sale by its request id; the sale's status tells what became of it.
    """
    await run("redeem", "--amount", "10.00", "--currency", "USD")
    original = ("--original", gateway.seen[0].request_id)

    refunded = await run("refund", *original, "--amount", "4.00", "--currency", "USD")
    voided = await run("void", *original, "--original-terminal", "till-2")
    asked = await run("status", "--request-id", original[1])

    assert (0, 0, 1) == (refunded.exit_code, voided.exit_code, asked.exit_code)
    assert refunded.stderr.startswith("request id ")
    assert "till-2" == gateway.last(VoidRequest).original_terminal_id
    assert "voided since: not paid" in asked.stdout


async def test_a_void_without_an_answer_is_sent_again(
    run: Run, gateway: FakeGateway
) -> None:
    """
    It could not be reversed once it is done, so that is not what is advised.
    """
    gateway.steps.append(loses(UNKNOWN))

    lost = await run("void", "--original", str(uuid4()))

    assert 4 == lost.exit_code
    assert f"--request-id {gateway.seen[0].request_id}" in lost.stderr
    assert "reverse --original" not in lost.stderr


async def test_not_recorded_so_far_is_unknown(run: Run) -> None:
    """
    Status of an id never seen exits with 4; after a reversal with 1, for it is final.
    """
    request_id = str(uuid4())

    before = await run("status", "--request-id", request_id)
    reversed_ = await run("reverse", "--original", request_id)
    after = await run("status", "--request-id", request_id, "--json")

    assert (4, 1, 1) == (before.exit_code, reversed_.exit_code, after.exit_code)
    assert "Only a reversal" in before.stderr
    assert f"reverse --original {request_id}" in before.stderr
    assert "never be done" in json.loads(after.stdout)["error"]["advice"]


async def test_a_refused_field_exits_with_2(run: Run, gateway: FakeGateway) -> None:
    """
    INVALID_ARGUMENT is wrong usage, with the field the gateway named.
    """
    status = status_of(
        grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_REQUEST",
        problem=("terminal_id", "too long"),
    )
    gateway.steps.append(fails(status))

    result = await run("balance")

    assert 2 == result.exit_code
    assert "terminal_id: too long" in result.stderr


async def test_a_foreign_certificate_is_explained(
    run: Run, site: Site, tmp_path: Path, gateway: FakeGateway
) -> None:
    """
    GRPC says only "Socket closed": the till says what to check, and exits with 3.
    """
    stranger = LocalAuthority.open_or_create(tmp_path / "stranger")
    certificate, key = await asyncio.to_thread(issue, tmp_path / "foreign", stranger)

    result = await run(
        *("balance", "--timeout", "0.5"),
        *("--cert", str(certificate)),
        "--key",
        str(key),
    )

    assert 3 == result.exit_code
    assert "UNAVAILABLE" in result.stderr
    assert "--cert was issued by an authority the gateway accepts" in result.stderr
    assert [] == gateway.seen


async def test_a_call_without_a_connection_says_so(site: Site, tmp_path: Path) -> None:
    """
    The library's call ends by its deadline, with the advice for a lost connection.
    """
    stranger = LocalAuthority.open_or_create(tmp_path / "stranger")
    certificate, key = await asyncio.to_thread(issue, tmp_path / "foreign", stranger)
    wrong = Site(site.address, certificate, key, site.authority)

    async with TillClient.open(wrong.connection, timeout_s=0.5) as client:
        with pytest.raises(OutcomeUnknownError, match="no connection") as raised:
            await client.balance(CardNumber(CARD))

    assert "DEADLINE_EXCEEDED" == raised.value.status
    assert "the gateway's log says why" in raised.value.advice


async def test_an_oversized_message_is_explained(
    site: Site, gateway: FakeGateway
) -> None:
    """
    RESOURCE_EXHAUSTED without details: shorten it, and reverse to be sure.
    """
    long = TillContext(merchant_reference="x" * 100_000)
    async with TillClient.open(site.connection) as client:
        with pytest.raises(OutcomeUnknownError, match="too long") as raised:
            await client.balance(CardNumber(CARD), context=long)

    assert "RESOURCE_EXHAUSTED" == raised.value.status
    assert [] == gateway.seen


async def test_connections_are_really_several(site: Site, gateway: FakeGateway) -> None:
    """
    Channels of a client share nothing: four of them reach the server from four ports.
    """
    connection = site.connection
    many = Connection(
        address=connection.address,
        certificate_file=connection.certificate_file,
        key_file=connection.key_file,
        authority_file=connection.authority_file,
        connections=4,
    )
    async with TillClient.open(many) as client:
        for _ in range(8):
            await client.balance(CardNumber(CARD))

    assert 4 == len(gateway.peers)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    """
    A key in place of the certificate, or a missing file, is a CredentialError.
    """
    authority = LocalAuthority.open_or_create(tmp_path / "authority")
    certificate, key = issue(tmp_path / "device", authority)
    swapped = Site("127.0.0.1:1", key, certificate, authority.certificate_path)
    missing = Site("127.0.0.1:1", certificate, tmp_path / "none.key", certificate)

    with pytest.raises(CredentialError, match=r"private key: .*till\.crt is not"):
        swapped.connection.credentials()
    with pytest.raises(CredentialError, match=r"none\.key cannot be read"):
        missing.connection.credentials()
