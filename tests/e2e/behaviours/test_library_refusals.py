"""
What gRPC and TLS refuse by themselves: a status without details of ours, no effect.

And the deadline, whose end before a batch means "not done" and later "unknown".
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from grpc import aio

from gateway.vault.pki import KeyPair, LocalAuthority
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import card_service_pb2_grpc as pb_grpc
from scrip.v1 import transaction_pb2
from tests.support.look import Look
from tests.support.server import Gateway, wait_for
from tests.support.tills import (
    Fault,
    MakeCard,
    Till,
    Tills,
    fault,
    money,
    new_id,
    request_of,
)
from tests.support.told import told

_TIMEOUT_S: Final = 5


def _foreign(folder: Path, **when: Any) -> KeyPair:
    """
    Issue a till's certificate by an authority that the gateway does not know.
    """
    authority = LocalAuthority.open_or_create(folder / "foreign", **when)
    return _till_of(authority)


def _till_of(authority: LocalAuthority, **when: Any) -> KeyPair:
    return authority.issue_device(
        trust_domain="scrip.internal",
        merchant="m-1",
        store="s-1",
        device="till-1",
        kind="TERMINAL",
        **when,
    )


def _expired(gateway: Gateway) -> KeyPair:
    """
    Issue a till's certificate that ended yesterday.
    """
    authority = LocalAuthority.open_or_create(
        gateway.folder / "authority",
        clock=lambda: datetime.now(UTC) - timedelta(days=2),
    )
    return _till_of(authority, lifetime=timedelta(days=1))


async def _both(till: Till, card: str) -> list[Fault]:
    """
    Try a call and a stream.
    """
    stream: Any = till.stream()
    return [
        await fault(till.redeem(card, 1_00)),
        await fault(stream.read()),
    ]


@pytest.mark.parametrize("kind", ["foreign", "expired", "server"])
async def test_a_certificate_that_is_not_accepted(
    tills: Tills, card: MakeCard, look: Look, tmp_path: Path, kind: str
) -> None:
    """
    Of another authority, expired, or made for servers: UNAVAILABLE without details.
    """
    gateway, plastic = look.gateway, await card()
    pairs = {
        "foreign": lambda: _foreign(tmp_path),
        "expired": lambda: _expired(gateway),
        "server": lambda: gateway.authority.issue_server(["localhost"]),
    }
    before = look.footprint()
    errors = await _both(tills.connect("stranger", pairs[kind]()), plastic.number)

    for error in errors:
        assert error.code is grpc.StatusCode.UNAVAILABLE
        assert (error.reason, error.worker) == ("", None)
    assert look.footprint() == before


@pytest.mark.parametrize("kind", ["no certificate", "no TLS"])
async def test_a_connection_without_a_certificate(
    look: Look, card: MakeCard, kind: str
) -> None:
    """
    Without a client certificate, or without TLS: UNAVAILABLE without details.
    """
    gateway, plastic = look.gateway, await card()
    address = f"127.0.0.1:{gateway.port}"
    if kind == "no TLS":
        channel = aio.insecure_channel(address)
    else:
        credentials = grpc.ssl_channel_credentials(gateway.authority.certificate_pem)
        channel = aio.secure_channel(address, credentials)
    before = look.footprint()
    stranger = Till(
        name="stranger", channel=channel, stub=pb_grpc.CardServiceStub(channel)
    )
    errors = await _both(stranger, plastic.number)
    await channel.close()

    for error in errors:
        assert error.code is grpc.StatusCode.UNAVAILABLE
        assert (error.reason, error.worker) == ("", None)
    assert look.footprint() == before


def _handshake(
    gateway: Gateway, folder: Path, version: ssl.TLSVersion, pair: KeyPair
) -> str:
    """
    Shake hands with a good certificate, in one version of TLS; give the version.
    """
    pair.write(folder / "key.pem", folder / "cert.pem")
    context = ssl.create_default_context(
        cadata=gateway.authority.certificate_pem.decode()
    )
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.set_alpn_protocols(["h2"])
    context.minimum_version = context.maximum_version = version
    address = ("127.0.0.1", gateway.port)
    with (
        socket.create_connection(address, _TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        # In 1.3 the server looks at the client's certificate after the handshake.
        assert secured.recv(1)
        return secured.version() or ""


async def test_only_tls_1_3(tills: Tills, look: Look, tmp_path: Path) -> None:
    """
    A client that speaks TLS 1.2 at most gets no connection, with any certificate.
    """
    gateway = look.gateway
    pair = gateway.register("till-1")
    with pytest.raises(ssl.SSLError):
        await asyncio.to_thread(
            _handshake, gateway, tmp_path, ssl.TLSVersion.TLSv1_2, pair
        )
    spoken = await asyncio.to_thread(
        _handshake, gateway, tmp_path, ssl.TLSVersion.TLSv1_3, pair
    )

    assert spoken == "TLSv1.3"


async def test_an_oversized_message(tills: Tills, card: MakeCard, look: Look) -> None:
    """
    RESOURCE_EXHAUSTED without details, by call and on a stream, which ends with it.
    """
    till, plastic = await tills("till-1"), await card()
    context = transaction_pb2.TillContext(merchant_reference="x" * 70_000)
    before = look.footprint()
    request = request_of(
        "Redeem", card_number=plastic.number, amount=money(1_00), till=context
    )
    by_call = await fault(till.send("Redeem", request))
    stream: Any = till.stream()
    await stream.write(pb.TransactRequest(sequence=1, redeem=request))
    on_stream = await fault(stream.read())

    for error in (by_call, on_stream):
        assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.reason == ""
    assert look.footprint() == before


async def test_a_deadline_that_ends_before_the_batch(
    two_workers: Gateway, pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    DEADLINE_EXCEEDED while the request waits in the queue: never done, also not later.
    """
    till = await pair("till-1", worker=1)
    plastic, other = await pair_card(), await pair_card()
    late = {
        method: request_of(method, card_number=other.number, amount=money(1_00))
        for method in ("Redeem", "Load")
    }
    two_workers.order_fault("before_commit", "hold")
    held = asyncio.ensure_future(till.redeem(plastic, 1_00))
    await asyncio.to_thread(wait_for, two_workers.is_held)
    errors = await asyncio.gather(
        *(
            fault(till.send(method, request, timeout_s=0.15))
            for method, request in late.items()
        )
    )
    two_workers.let_go()
    await held
    # The lane has gone on when this one is answered.
    await till.redeem(plastic, 1_00)
    asked = [await fault(till.transaction(late[method].request_id)) for method in late]

    assert {error.code for error in errors} == {grpc.StatusCode.DEADLINE_EXCEEDED}
    assert {error.code for error in asked} == {grpc.StatusCode.NOT_FOUND}
    assert {pair_look.key(late[method].request_id) for method in late} == {"nothing"}
    assert pair_look.card(other).balance == 100_00
    assert pair_look.rows(other) == [("ACTIVATE", "APPROVED")]


async def test_a_deadline_that_ends_later(
    two_workers: Gateway, pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    DEADLINE_EXCEEDED while the batch commits: unknown. It was done; the id finds it.
    """
    till = await pair("till-1", worker=1)
    plastic, request_id = await pair_card(), new_id()
    request = request_of(
        "Redeem",
        request_id=request_id,
        card_number=plastic.number,
        amount=money(30_00),
    )
    two_workers.order_fault("before_commit", "hold")
    error = await fault(till.send("Redeem", request, timeout_s=0.3))
    assert two_workers.is_held()
    two_workers.let_go()
    again = (await till.send("Redeem", request)).outcome

    assert (error.code, error.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "")
    assert again.replayed
    assert told(again).available == "70.00 USD"
    assert pair_look.debits(plastic) == (1, 30_00)
