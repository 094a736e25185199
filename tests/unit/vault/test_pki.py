import copy
import ipaddress
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from gateway.vault.errors import (
    AuthorityError,
    DeviceUriError,
    PrivateFileError,
)
from gateway.vault.pki import KeyPair, LocalAuthority

NOW = datetime(2025, 1, 1, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
URI = "spiffe://scrip.test/merchant/m-1/store/s042/device/till-7"


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    """
    An authority that believes it is noon of 1 January 2025.
    """
    return LocalAuthority.open_or_create(tmp_path / "pki", clock=lambda: NOW)


def _device(authority: LocalAuthority, **changes: Any) -> KeyPair:
    names: dict[str, Any] = {
        "trust_domain": "scrip.test",
        "merchant": "m-1",
        "store": "s042",
        "device": "till-7",
        "kind": "TERMINAL",
    }
    return authority.issue_device(**{**names, **changes})


def _certificate(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.cert_pem)


def _usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(
        certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    )


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    ).value


def test_a_new_authority_can_sign_end_certificates_only(
    authority: LocalAuthority,
) -> None:
    """
    EC P-256, ten years, path length 0, no use but signing.
    """
    certificate = x509.load_pem_x509_certificate(authority.certificate_pem)
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    key = certificate.public_key()

    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert x509.BasicConstraints(ca=True, path_length=0) == constraints.value
    assert constraints.critical
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    assert NOW - 5 * MINUTE == certificate.not_valid_before_utc
    assert NOW + timedelta(days=3653) == certificate.not_valid_after_utc


def test_the_files_of_an_authority_are_private_and_stay(tmp_path: Path) -> None:
    """
    The key is 0600 in a folder of 0700; opening again changes neither file.
    """
    folder = tmp_path / "pki"
    first = LocalAuthority.open_or_create(folder)
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = LocalAuthority.open_or_create(folder)

    assert stat.S_IMODE((folder / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert contents == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert first.certificate_pem == second.certificate_pem
    assert first.certificate_pem == second.certificate_path.read_bytes()


def test_a_device_certificate_names_its_device_and_nothing_else(
    authority: LocalAuthority,
) -> None:
    """
    One URI, the client's usage only, five minutes back and thirty days on.
    """
    certificate = _certificate(_device(authority))
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)

    assert [x509.UniformResourceIdentifier(URI)] == list(_names(certificate))
    assert [ExtendedKeyUsageOID.CLIENT_AUTH] == _usages(certificate)
    assert not constraints.value.ca
    assert NOW - 5 * MINUTE == certificate.not_valid_before_utc
    assert NOW + timedelta(days=30) == certificate.not_valid_after_utc
    assert certificate.subject.rfc4514_string() == "CN=till-7,OU=TERMINAL,O=m-1"


def test_a_server_certificate_names_hosts_and_addresses(
    authority: LocalAuthority,
) -> None:
    """
    DNS names and IP addresses, the server's usage only.
    """
    hosts = ["localhost", "gw-1.example.test", "127.0.0.1", "::1"]
    certificate = _certificate(authority.issue_server(hosts))
    names = _names(certificate)

    assert hosts[:2] == names.get_values_for_type(x509.DNSName)
    assert [ipaddress.ip_address(host) for host in hosts[2:]] == (
        names.get_values_for_type(x509.IPAddress)
    )
    assert [ExtendedKeyUsageOID.SERVER_AUTH] == _usages(certificate)
    assert NOW + timedelta(days=90) == certificate.not_valid_after_utc


def test_every_certificate_has_a_key_and_a_serial_of_its_own(
    authority: LocalAuthority,
) -> None:
    """
    Two certificates for one device can be told apart and revoked apart.
    """
    pairs = [_device(authority) for _ in range(5)]
    certificates = [_certificate(pair) for pair in pairs]

    assert len({certificate.serial_number for certificate in certificates}) == 5
    assert len({pair.key_pem for pair in pairs}) == 5
    assert min(cert.serial_number for cert in certificates).bit_length() > 64
    for pair, certificate in zip(pairs, certificates, strict=True):
        key = load_pem_private_key(pair.key_pem, password=None)
        assert key.public_key() == certificate.public_key()


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    """
    Near the authority's end certificates end with it; after it there are none.
    """
    folder = tmp_path / "pki"
    ends_at = NOW + timedelta(days=3653)
    LocalAuthority.open_or_create(folder, clock=lambda: NOW)
    late = LocalAuthority.open_or_create(folder, clock=lambda: ends_at - MINUTE)
    after = LocalAuthority.open_or_create(folder, clock=lambda: ends_at)

    assert ends_at == _certificate(_device(late)).not_valid_after_utc
    with pytest.raises(AuthorityError, match="has expired"):
        _device(after)


def test_an_authority_is_dated_by_the_machine(tmp_path: Path) -> None:
    """
    Without another clock a certificate is valid now: TLS asks the machine's clock.
    """
    certificate = _certificate(_device(LocalAuthority.open_or_create(tmp_path / "pki")))
    now = datetime.now(UTC)

    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


@pytest.mark.parametrize("kind", ["", "terminal", "CLERK"])
def test_an_unknown_kind_is_refused(authority: LocalAuthority, kind: str) -> None:
    """
    A device is a TERMINAL, a CONTROLLER or STAFF.
    """
    with pytest.raises(AuthorityError, match="kind"):
        _device(authority, kind=kind)

    for known in ("CONTROLLER", "STAFF"):
        assert f"OU={known}" in (
            _certificate(_device(authority, kind=known)).subject.rfc4514_string()
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [("merchant", "M 1"), ("store", "s/../t"), ("device", ""), ("trust_domain", "A b")],
)
def test_a_device_that_could_not_be_read_back_is_refused(
    authority: LocalAuthority, name: str, value: str
) -> None:
    """
    What the server would refuse to read is not issued.
    """
    with pytest.raises(DeviceUriError):
        _device(authority, **{name: value})


@pytest.mark.parametrize(
    "name",
    ["", "a b", "-a.test", "a..b", "10.0.0.300", "999", "https://a", "a.test\n", "a/b"],
)
def test_a_server_name_that_is_none_is_refused(
    authority: LocalAuthority, name: str
) -> None:
    """
    Neither an address nor a host name: no certificate, and none without a name.
    """
    with pytest.raises(AuthorityError, match="name"):
        authority.issue_server(["localhost", name])
    with pytest.raises(AuthorityError, match="at least one name"):
        authority.issue_server([])


@pytest.mark.parametrize(("device_days", "server_days"), [(-1, -1), (0, 0), (31, 399)])
def test_a_lifetime_has_bounds(
    authority: LocalAuthority, device_days: int, server_days: int
) -> None:
    """
    A device's certificate lives thirty days at most and a server's 398.
    """
    with pytest.raises(AuthorityError, match="lifetime"):
        _device(authority, lifetime=timedelta(days=device_days))
    with pytest.raises(AuthorityError, match="lifetime"):
        authority.issue_server(["localhost"], lifetime=timedelta(days=server_days))


def test_a_lifetime_may_be_shorter(authority: LocalAuthority) -> None:
    """
    A certificate for one demo need not live for thirty days.
    """
    certificate = _certificate(_device(authority, lifetime=MINUTE))

    assert NOW + MINUTE == certificate.not_valid_after_utc


def test_an_authority_with_a_readable_key_does_not_open(
    authority: LocalAuthority,
) -> None:
    """
    A key that others may read may sign for others.
    """
    authority.certificate_path.with_name("ca.key").chmod(0o644)

    with pytest.raises(PrivateFileError, match="mode 0644"):
        LocalAuthority.open_or_create(authority.certificate_path.parent)


def _remove_key(folder: Path) -> None:
    (folder / "ca.key").unlink()


def _spoil_key(folder: Path) -> None:
    (folder / "ca.key").write_bytes(b"no key")


def _spoil_certificate(folder: Path) -> None:
    (folder / "ca.crt").write_bytes(b"no certificate")


def _exchange_key(folder: Path) -> None:
    LocalAuthority.open_or_create(folder / "other")
    (folder / "other" / "ca.key").replace(folder / "ca.key")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_remove_key, "ca.key is missing"),
        (_spoil_key, "not an EC private key"),
        (_spoil_certificate, "not a certificate"),
        (_exchange_key, "not the key of ca.crt"),
    ],
)
def test_an_authority_whose_files_do_not_fit_does_not_open(
    authority: LocalAuthority, spoil: Callable[[Path], None], message: str
) -> None:
    """
    Nothing is made anew over files that were published.
    """
    folder = authority.certificate_path.parent
    spoil(folder)

    with pytest.raises(AuthorityError, match=message):
        LocalAuthority.open_or_create(folder)


def test_an_authority_is_not_shown_or_copied(authority: LocalAuthority) -> None:
    """
    It shows its folder and stays where its key is.
    """
    assert repr(authority) == f"<LocalAuthority {authority.certificate_path.parent}>"
    with pytest.raises(TypeError, match="not copied or pickled"):
        copy.copy(authority)
