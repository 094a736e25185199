import base64
import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.vault.certificates import certificate_sha256
from gateway.vault.errors import CertificateError
from gateway.vault.pki import KeyPair, LocalAuthority

DeviceOf = Callable[[LocalAuthority], KeyPair]


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    """
    An authority that issues what is tested here.
    """
    return LocalAuthority.open_or_create(tmp_path / "pki")


def test_a_key_pair_is_written_privately(
    authority: LocalAuthority, device_of: DeviceOf, tmp_path: Path
) -> None:
    """
    The key is 0600, the certificate may be read, and printing shows neither.
    """
    pair = device_of(authority)
    pair.write(tmp_path / "till.key", tmp_path / "till.crt")

    assert stat.S_IMODE((tmp_path / "till.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "till.crt").stat().st_mode) == 0o644
    assert pair.key_pem == (tmp_path / "till.key").read_bytes()
    assert pair.cert_pem == (tmp_path / "till.crt").read_bytes()
    assert repr(pair) == "KeyPair()"


def test_a_certificate_is_named_by_the_hash_of_its_der(
    authority: LocalAuthority, device_of: DeviceOf
) -> None:
    """
    As every tool shows it, however the PEM ends its lines.
    """
    pem = device_of(authority).cert_pem
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    expected = hashlib.sha256(der).digest()

    assert expected == certificate_sha256(pem)
    assert expected == certificate_sha256(pem.strip())
    assert expected == certificate_sha256(pem.replace(b"\n", b"\r\n"))


_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"x",
        _BEGIN,
        _BEGIN + _END,
        _BEGIN + b"\n" + _END,
        _BEGIN + b"\nMIIB*\n" + _END,
        _BEGIN + b"\nMIIBI\n" + _END,
        base64.b64encode(b"der"),
        (_BEGIN + b"\nMIIB\n" + _END + b"\n") * 2,
        _BEGIN.replace(b"CERTIFICATE", b"PRIVATE KEY") + b"\nMIIB\n" + _END,
    ],
    ids=range(10),
)
def test_anything_but_one_certificate_has_no_name(pem: bytes) -> None:
    """
    A chain, a key or half a block is not a credential.
    """
    with pytest.raises(CertificateError):
        certificate_sha256(pem)
