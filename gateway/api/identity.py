"""
Read off the handshake who calls.

The handshake proved that the caller holds the key of a certificate of our authority;
what remains is which device the certificate names. Read on every call: it costs
microseconds, and a connection outlives many decisions about its device.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Protocol

from gateway.domain.errors import UnauthenticatedError
from gateway.domain.policy import Caller, DeviceName

AuthContext = Mapping[str, Iterable[bytes]]

# Certificates of one gateway's tills; beyond it the oldest is read again.
CACHED_CERTIFICATES: Final = 8_192

_TLS_VERSIONS: Final = [b"TLSv1.3"]


class Certificates(Protocol):
    """
    What the vault knows of certificates.
    """

    def device_of(self, uri: str) -> DeviceName:
        """
        Read the device's name in a certificate's URI.

        Raises:
            UnauthenticatedError: it names no device of our trust domain.

        """
        ...

    def sha256_of(self, pem: bytes) -> bytes:
        """
        Hash a certificate.

        Raises:
            UnauthenticatedError: it is not one certificate in PEM.

        """
        ...


class Identities:
    """
    Turn what the handshake left into a caller.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._caller = lru_cache(CACHED_CERTIFICATES)(self._read)

    def caller_of(self, auth: AuthContext) -> Caller:
        """
        Give the caller.

        Raises:
            UnauthenticatedError: another TLS version than 1.3, or not exactly one URI,
                of a device of our trust domain.

        """
        require_tls_1_3(auth)
        uris = list(auth.get("peer_uri", ()))
        certificates = list(auth.get("x509_pem_cert", ()))
        if len(uris) != 1 or len(certificates) != 1:
            message = "the certificate must name its device in exactly one URI"
            raise UnauthenticatedError(message)
        return self._caller(certificates[0], uris[0])

    def _read(self, pem: bytes, uri: bytes) -> Caller:
        try:
            text = uri.decode("ascii")
        except UnicodeDecodeError as error:
            message = "the certificate's URI is not plain text"
            raise UnauthenticatedError(message) from error
        return Caller(
            self._certificates.device_of(text), self._certificates.sha256_of(pem)
        )


def require_tls_1_3(auth: AuthContext) -> None:
    """
    Refuse any other version: an RSA key on the server would let 1.2 in (parts A).

    Raises:
        UnauthenticatedError: it is another.

    """
    if auth.get("ssl_tls_version") != _TLS_VERSIONS:
        message = "this service is spoken over TLS 1.3 only"
        raise UnauthenticatedError(message)
