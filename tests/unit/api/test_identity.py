"""
Who calls is read off the handshake, strictly.
"""

from typing import Any

import pytest

from gateway.api.identity import Identities
from gateway.bootstrap.sealing import DeviceCertificates
from gateway.domain.errors import UnauthenticatedError
from gateway.domain.policy import DeviceName
from gateway.vault.pki import certificate_sha256

URI = b"spiffe://scrip.test/merchant/m-1/store/s-1/device/till-1"
PEM = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


class CountingCertificates(DeviceCertificates):
    """
    Count how often a certificate is hashed.
    """

    def __init__(self) -> None:
        super().__init__("scrip.test")
        self.hashed = 0

    def sha256_of(self, pem: bytes) -> bytes:
        """
        Hash and count.
        """
        self.hashed += 1
        return super().sha256_of(pem)


def handshake(**changes: Any) -> dict[str, list[bytes]]:
    """
    Make what gRPC tells of a handshake; None leaves a key out.
    """
    told: dict[str, Any] = {
        "ssl_tls_version": [b"TLSv1.3"],
        "peer_uri": [URI],
        "x509_pem_cert": [PEM],
    } | changes
    return {key: value for key, value in told.items() if value is not None}


def test_a_device_is_recognised() -> None:
    """
    The URI names the device, and the certificate's hash goes with it.
    """
    caller = Identities(DeviceCertificates("scrip.test")).caller_of(handshake())

    assert caller.device == DeviceName("m-1", "s-1", "till-1")
    assert caller.certificate_sha256 == certificate_sha256(PEM)


@pytest.mark.parametrize(
    "changes",
    [
        {"ssl_tls_version": [b"TLSv1.2"]},
        {"ssl_tls_version": None},
        {"ssl_tls_version": [b"TLSv1.3", b"TLSv1.2"]},
        {"peer_uri": None},
        {"peer_uri": []},
        {"peer_uri": [URI, URI]},
        {"peer_uri": [b"https://scrip.test/merchant/m-1/store/s-1/device/till-1"]},
        {"peer_uri": [URI.replace(b"scrip.test", b"other.test")]},
        {"peer_uri": [URI + b"/"]},
        {"peer_uri": [URI.replace(b"till-1", b"TILL-1")]},
        {"peer_uri": [URI.replace(b"till-1", b"till%2d1")]},
        {"peer_uri": [URI.replace(b"till-1", "ti\u0131l-1".encode())]},
        {"x509_pem_cert": None},
        {"x509_pem_cert": [b"no certificate"]},
        {"x509_pem_cert": [PEM, PEM]},
    ],
)
def test_anybody_else_is_not_authenticated(changes: dict[str, Any]) -> None:
    """
    Another TLS version, no or several URIs, foreign or odd URIs: UNAUTHENTICATED.
    """
    identities = Identities(DeviceCertificates("scrip.test"))

    with pytest.raises(UnauthenticatedError):
        identities.caller_of(handshake(**changes))


def test_a_certificate_is_read_once() -> None:
    """
    The second call on a certificate costs a look-up; its TLS version is read again.
    """
    certificates = CountingCertificates()
    identities = Identities(certificates)

    first = identities.caller_of(handshake())
    second = identities.caller_of(handshake())

    assert first is second
    assert certificates.hashed == 1
    with pytest.raises(UnauthenticatedError):
        identities.caller_of(handshake(ssl_tls_version=[b"TLSv1.2"]))
