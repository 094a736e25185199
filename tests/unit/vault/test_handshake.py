import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.vault.pki import KeyPair, LocalAuthority

URI = "spiffe://scrip.test/merchant/m-1/store/s042/device/till-7"

DeviceOf = Callable[[LocalAuthority], KeyPair]


def _context(
    pair: KeyPair, trusted: LocalAuthority, folder: Path, *, server: bool
) -> ssl.SSLContext:
    protocol = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
    key_path, cert_path = folder / f"{server}.key", folder / f"{server}.crt"
    pair.write(key_path, cert_path)
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(cert_path, key_path)
    context.load_verify_locations(cadata=trusted.certificate_pem.decode())
    return context


def _shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, host: str
) -> ssl.SSLObject:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    # Each flight is answered by the other side; TLS 1.3 has two and a half.
    for side in sides * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return sides[1]


def test_both_sides_of_a_real_handshake_accept_the_certificates(
    tmp_path: Path, device_of: DeviceOf
) -> None:
    """
    OpenSSL, strict, mutual TLS 1.3, by name and by address; the server sees the URI.
    """
    authority = LocalAuthority.open_or_create(tmp_path / "pki")
    pair = authority.issue_server(["localhost", "127.0.0.1"])
    server = _context(pair, authority, tmp_path, server=True)
    client = _context(device_of(authority), authority, tmp_path, server=False)
    for host in ("localhost", "127.0.0.1"):
        peer = _shake_hands(server, client, host).getpeercert()

        assert peer is not None
        assert (("URI", URI),) == peer["subjectAltName"]


def test_what_is_not_ours_fails_the_handshake(
    tmp_path: Path, device_of: DeviceOf
) -> None:
    """
    A device of another authority, a server as a client, and an expired device.
    """
    authority = LocalAuthority.open_or_create(tmp_path / "pki")
    other = LocalAuthority.open_or_create(tmp_path / "other")
    past = LocalAuthority.open_or_create(
        tmp_path / "pki", clock=lambda: datetime.now(UTC) - timedelta(days=31)
    )
    pair = authority.issue_server(["localhost"])
    server = _context(pair, authority, tmp_path, server=True)
    for stranger in (device_of(other), pair, device_of(past)):
        client = _context(stranger, authority, tmp_path, server=False)

        with pytest.raises(ssl.SSLError):
            _shake_hands(server, client, "localhost")


def test_a_client_refuses_a_device_that_plays_the_server(
    tmp_path: Path, device_of: DeviceOf
) -> None:
    """
    A stolen till certificate cannot take the gateway's place, nor another name.
    """
    authority = LocalAuthority.open_or_create(tmp_path / "pki")
    client = _context(device_of(authority), authority, tmp_path, server=False)
    for pair in (device_of(authority), authority.issue_server(["other.test"])):
        server = _context(pair, authority, tmp_path, server=True)

        with pytest.raises(ssl.SSLCertVerificationError):
            _shake_hands(server, client, "localhost")
