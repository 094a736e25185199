"""
Be the certificate authority of one data folder.

Device names, the fetcher of server credentials and the hash of a certificate are
part of this module's interface.
"""

import ipaddress
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.vault.certificates import (
    Issuer,
    KeyPair,
    authority_certificate,
    certificate_sha256,
    end_certificate,
    new_private_key,
    private_key_pem,
)
from gateway.vault.credential_files import server_credentials_fetcher
from gateway.vault.devices import DeviceIdentity, parse_device_uri
from gateway.vault.errors import AuthorityError
from gateway.vault.hidden import Hidden
from gateway.vault.private_file import (
    PUBLIC_MODE,
    exclusive,
    make_private_folder,
    read_private,
    write_atomically,
)

__all__ = [
    "DeviceIdentity",
    "KeyPair",
    "LocalAuthority",
    "certificate_sha256",
    "parse_device_uri",
    "server_credentials_fetcher",
]

DEVICE_KINDS: Final = frozenset({"TERMINAL", "CONTROLLER", "STAFF"})
DEVICE_LIFETIME_DEFAULT: Final = timedelta(days=30)
DEVICE_LIFETIME_MAX: Final = timedelta(days=30)
SERVER_LIFETIME_DEFAULT: Final = timedelta(days=90)
SERVER_LIFETIME_MAX: Final = timedelta(days=398)

_AUTHORITY_LIFETIME: Final = timedelta(days=3653)
# A till's clock may be a little behind ours.
_BACKDATED: Final = timedelta(minutes=5)
_KEY_FILE: Final = "ca.key"
_CERT_FILE: Final = "ca.crt"
_HOST_NAME: Final = re.compile(
    # The last label has a letter, or 10.0.0.300 would pass for a name.
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*"
    r"(?![0-9]+\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)

Clock = Callable[[], datetime]


def _machine_clock() -> datetime:
    # TLS judges validity by the machine's clock, so certificates are dated by it and
    # not by the gateway's, which a demo shifts.
    return datetime.now(UTC)  # noqa: TID251


class LocalAuthority(Hidden):
    """
    Issue certificates to servers and devices from a key in a folder.

    It signs for the demo, tests and small installations; a larger one gives the
    gateway certificates of its own authority instead.
    """

    __slots__ = ("_clock", "_folder", "_issuer")

    def __init__(self, folder: Path, issuer: Issuer, clock: Clock) -> None:
        self._folder = folder
        self._issuer = issuer
        self._clock = clock

    @classmethod
    def open_or_create(cls, folder: Path, *, clock: Clock = _machine_clock) -> Self:
        """
        Open the authority in a folder, or make one that is valid for ten years.

        A key without its certificate is what a crash during creation leaves: nothing
        was signed with it yet, and its certificate is made now. Raises
        PrivateFileError (key readable by others) and AuthorityError.
        """
        make_private_folder(folder)
        key_path = folder / _KEY_FILE
        with exclusive(key_path):
            certificate_exists = (folder / _CERT_FILE).exists()
            if not key_path.exists():
                if certificate_exists:
                    raise AuthorityError(f"{key_path} is missing")
                write_atomically(key_path, partial(private_key_pem, new_private_key()))
            key = _read_key(key_path)
            if not certificate_exists:
                _write_certificate(folder / _CERT_FILE, key, now=clock())
            certificate = _read_certificate(folder / _CERT_FILE)
        if certificate.public_key() != key.public_key():
            raise AuthorityError(f"{key_path} is not the key of {_CERT_FILE}")
        return cls(folder, Issuer(key=key, certificate=certificate), clock)

    @property
    def certificate_path(self) -> Path:
        """
        Name the file that peers trust.
        """
        return self._folder / _CERT_FILE

    @property
    def certificate_pem(self) -> bytes:
        """
        Give the certificate that peers trust.
        """
        return self._issuer.certificate.public_bytes(Encoding.PEM)

    def issue_server(
        self, names: Sequence[str], *, lifetime: timedelta = SERVER_LIFETIME_DEFAULT
    ) -> KeyPair:
        """
        Issue a server's certificate for DNS names and IP addresses.

        Raises AuthorityError.
        """
        if not names:
            raise AuthorityError("a server's certificate needs at least one name")
        _check_lifetime(lifetime, at_most=SERVER_LIFETIME_MAX)
        return self._issue(
            # Names are matched against the alternative names, which have no limit
            # of 64 characters as the common name has.
            subject=x509.Name([_attribute(NameOID.COMMON_NAME, "scrip server")]),
            alternative_names=[_server_name(name) for name in names],
            usage=ExtendedKeyUsageOID.SERVER_AUTH,
            lifetime=lifetime,
        )

    def issue_device(
        self,
        *,
        trust_domain: str,
        merchant: str,
        store: str,
        device: str,
        kind: str,
        lifetime: timedelta = DEVICE_LIFETIME_DEFAULT,
    ) -> KeyPair:
        """
        Issue a device's certificate, with its name as the only URI.

        The kind (TERMINAL, CONTROLLER, STAFF) stands in the subject for people to read;
        what a device may do is in the books. Raises DeviceUriError, AuthorityError.
        """
        identity = DeviceIdentity(merchant=merchant, store=store, device=device)
        if kind not in DEVICE_KINDS:
            raise AuthorityError("the kind is none of TERMINAL, CONTROLLER and STAFF")
        _check_lifetime(lifetime, at_most=DEVICE_LIFETIME_MAX)
        subject = [
            _attribute(NameOID.ORGANIZATION_NAME, merchant),
            _attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, str(kind)),
            _attribute(NameOID.COMMON_NAME, device),
        ]
        return self._issue(
            subject=x509.Name(subject),
            alternative_names=[
                x509.UniformResourceIdentifier(identity.uri(trust_domain))
            ],
            usage=ExtendedKeyUsageOID.CLIENT_AUTH,
            lifetime=lifetime,
        )

    def _issue(
        self,
        *,
        subject: x509.Name,
        alternative_names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        lifetime: timedelta,
    ) -> KeyPair:
        now = self._clock()
        authority = self._issuer.certificate
        # No peer accepts a certificate beyond its authority's last day.
        not_after = min(now + lifetime, authority.not_valid_after_utc)
        if not_after <= now:
            raise AuthorityError(f"{self.certificate_path} has expired")
        key = new_private_key()
        certificate = end_certificate(
            self._issuer,
            key.public_key(),
            name=subject,
            alternative_names=alternative_names,
            usage=usage,
            not_before=now - _BACKDATED,
            not_after=not_after,
        )
        return KeyPair(
            key_pem=private_key_pem(key),
            cert_pem=certificate.public_bytes(Encoding.PEM),
        )

    def __repr__(self) -> str:
        return f"<LocalAuthority {self._folder}>"


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{path} is not an EC private key in PEM")
    return key


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise AuthorityError(f"{path} is not a certificate in PEM") from error


def _write_certificate(
    path: Path, key: ec.EllipticCurvePrivateKey, *, now: datetime
) -> None:
    # A name of its own lets a peer that trusts two authorities tell them apart.
    name = x509.Name(
        [_attribute(NameOID.COMMON_NAME, f"scrip authority {secrets.token_hex(4)}")]
    )
    certificate = authority_certificate(
        key,
        name=name,
        not_before=now - _BACKDATED,
        not_after=now + _AUTHORITY_LIFETIME,
    )
    content = partial(certificate.public_bytes, Encoding.PEM)
    write_atomically(path, content, mode=PUBLIC_MODE)


def _attribute(kind: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(kind, value)


def _server_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if _HOST_NAME.fullmatch(name) is None:
            raise AuthorityError(
                "a server's name is neither an IP address nor a host name"
            ) from None
        return x509.DNSName(name)


def _check_lifetime(lifetime: timedelta, *, at_most: timedelta) -> None:
    if not timedelta(0) < lifetime <= at_most:
        raise AuthorityError(f"the lifetime is not above 0 and at most {at_most}")
