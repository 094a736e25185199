"""
Who may speak for what, with certificates that look like a till's and are none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.vault.certificates import (
    KeyPair,
    certificate_sha256,
    end_certificate,
    new_private_key,
    private_key_pem,
)
from tests.support.tills import (
    MakeCard,
    Till,
    Tills,
    fault,
    money,
    new_id,
    request_of,
)

if TYPE_CHECKING:
    from tests.support.server import Gateway

TILL_1 = "spiffe://scrip.internal/merchant/m-1/store/s-1/device/till-1"
TILL_2 = "spiffe://scrip.internal/merchant/m-1/store/s-1/device/till-2"

_ADMIT = """
INSERT INTO device_certificate (sha256, device_id)
SELECT %s, device_id FROM device JOIN store USING (store_id)
JOIN merchant USING (merchant_id)
WHERE merchant.code = 'm-1' AND store.code = 's-1' AND device.code = %s
"""
_REVOKE = "UPDATE device_certificate SET revoked = true WHERE sha256 = %s"


def odd_certificate(gateway: Gateway, *uris: str) -> KeyPair:
    """
    Have the authority sign what `scrip device` never issues.
    """
    now = datetime.now(UTC)
    key = new_private_key()
    certificate = end_certificate(
        gateway.authority._issuer,
        key.public_key(),
        name=x509.Name([]),
        alternative_names=[x509.UniformResourceIdentifier(uri) for uri in uris]
        or [x509.DNSName("till-1")],
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        not_before=now - timedelta(minutes=5),
        not_after=now + timedelta(hours=1),
    )
    return KeyPair(
        key_pem=private_key_pem(key), cert_pem=certificate.public_bytes(Encoding.PEM)
    )


def change(gateway: Gateway, statement: str, *values: object) -> None:
    """
    Change what the books know of certificates.
    """
    with psycopg.connect(gateway.database.owner_dsn) as connection:
        connection.execute(statement.encode(), values)


@pytest.mark.parametrize(
    "uris",
    [
        (),
        (TILL_1, TILL_2),
        (TILL_1, TILL_1),
        (TILL_1.upper().replace("SPIFFE", "spiffe"),),
        (TILL_1 + "/",),
        (TILL_1.replace("till-1", "till%2D1"),),
        (TILL_1.replace("scrip.internal", "scrip.internal.other"),),
        (TILL_1.replace("scrip.internal", "scrip.internal@other"),),
        (TILL_1 + "?x=1",),
    ],
)
async def test_a_name_that_is_none(
    tills: Tills, till: Till, uris: tuple[str, ...]
) -> None:
    """
    One URI, spelt as it was issued; anything else is UNAUTHENTICATED, though admitted.
    """
    pair = odd_certificate(tills.gateway, *uris)
    change(tills.gateway, _ADMIT, certificate_sha256(pair.cert_pem), till.name)
    asked = await fault(tills.connect("odd", pair).transaction(new_id()))

    assert (asked.code, asked.reason) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "UNAUTHENTICATED",
    )


async def test_the_right_name_and_a_certificate_nobody_admitted(
    tills: Tills, card: MakeCard
) -> None:
    """
    The name alone opens nothing: the books know each certificate by its hash.
    """
    target = await card()
    forged = tills.connect("forged", odd_certificate(tills.gateway, TILL_1))
    refused = await fault(forged.redeem(target, 1))

    assert (refused.code, refused.reason) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "DEVICE_DENIED",
    )
    assert tills.gateway.balance_of(target) == 100_00


async def test_a_stranger_who_sends_garbage(tills: Tills) -> None:
    """
    Identity is check 1: a stranger does not learn that his message cannot be read.
    """
    stranger = tills.connect("stranger", odd_certificate(tills.gateway, TILL_1))
    call: Any = stranger.channel.unary_unary("/scrip.v1.CardService/Redeem")
    refused = await fault(call(b"\xff\xff\xff"))

    assert refused.code is grpc.StatusCode.PERMISSION_DENIED
    assert refused.reason == "DEVICE_DENIED"


async def test_a_replaced_certificate(tills: Tills, till: Till, card: MakeCard) -> None:
    """
    The terminal keeps its requests: the new certificate gets the old one's replay.
    """
    target = await card()
    sale = request_of("Redeem", card_number=target.number, amount=money(30_00))
    first = (await till.send("Redeem", sale)).outcome
    renewed = odd_certificate(tills.gateway, TILL_1)
    change(tills.gateway, _ADMIT, certificate_sha256(renewed.cert_pem), "till-1")
    second = (await tills.connect("new", renewed).send("Redeem", sale)).outcome
    change(tills.gateway, _REVOKE, certificate_sha256(renewed.cert_pem))
    refused = await fault(tills.connect("new", renewed).send("Redeem", sale))

    assert (second.transaction_id, second.replayed) == (first.transaction_id, True)
    assert refused.code is grpc.StatusCode.PERMISSION_DENIED
    assert tills.gateway.balance_of(target) == 70_00


async def test_the_same_names_at_another_merchant(
    tills: Tills, till: Till, card: MakeCard
) -> None:
    """
    m-2/s-1/till-1 is not m-1/s-1/till-1: it neither sees nor undoes what that one did.
    """
    target = await card()
    sold = await till.redeem(target, 30_00)
    outsider = await tills("outsider")
    asked = await fault(outsider.transaction(sold, terminal_id="t-1"))
    undone = await outsider.reverse(sold, original_terminal_id="t-1")
    reversed_now = await till.reverse(sold)

    assert asked.metadata == {"final": "false"}
    assert undone.response_code == "25"
    assert not undone.HasField("card")
    assert reversed_now.response_code == "00"
    assert tills.gateway.balance_of(target) == 100_00
