"""
Build X.509 certificates of the few forms that the gateway uses.
"""

import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.vault.errors import CertificateError
from gateway.vault.private_file import PUBLIC_MODE, exclusive, write_atomically

_PEM_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_PEM_END: Final = b"-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """
    Hold a private key and its certificate, both PEM; the key is not shown.
    """

    key_pem: bytes = field(repr=False)
    cert_pem: bytes = field(repr=False)

    def write(self, key_path: Path, cert_path: Path) -> None:
        """
        Write both files, the key readable by its owner only.

        The folders must exist. Between the two renames the pair does not match:
        `server_credentials_fetcher` waits for the second.
        """
        with exclusive(key_path):
            write_atomically(key_path, lambda: self.key_pem)
            write_atomically(cert_path, lambda: self.cert_pem, mode=PUBLIC_MODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """
    Hold what signs: the authority's key and certificate.
    """

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """
    Make an EC P-256 key: the curve that every till's TLS library has.
    """
    return ec.generate_private_key(ec.SECP256R1())


def private_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """
    Write a private key in clear; whoever stores it makes the file private.
    """
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def authority_certificate(
    key: ec.EllipticCurvePrivateKey,
    *,
    name: x509.Name,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """
    Build a self-signed root that signs end certificates and no other authority.
    """
    public_key = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        )
    )
    return builder.sign(key, SHA256())


def end_certificate(
    issuer: Issuer,
    public_key: ec.EllipticCurvePublicKey,
    *,
    name: x509.Name,
    alternative_names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """
    Build a certificate for one side of a connection, with that one usage.
    """
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(
        issuer.key.public_key()
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        )
        .add_extension(authority_id, critical=False)
    )
    return builder.sign(issuer.key, SHA256())


def certificate_sha256(pem: bytes) -> bytes:
    """
    Give the SHA-256 of one PEM certificate's DER: the name of a credential.

    It decodes only, in a few microseconds, because it runs on every call; the
    handshake has judged the certificate. Raises CertificateError for anything but
    exactly one PEM block.
    """
    text = pem.strip()
    body = text[len(_PEM_BEGIN) : -len(_PEM_END)]
    if not text.startswith(_PEM_BEGIN) or not text.endswith(_PEM_END):
        raise CertificateError("not one PEM certificate")
    try:
        der = binascii.a2b_base64(body.translate(None, b"\r\n"), strict_mode=True)
    except binascii.Error as error:
        raise CertificateError("not one PEM certificate") from error
    if not der:
        raise CertificateError("not one PEM certificate")
    return hashlib.sha256(der).digest()


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
