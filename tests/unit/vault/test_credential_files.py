import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.vault.credential_files import server_credentials_fetcher
from gateway.vault.errors import CertificateError
from gateway.vault.pki import KeyPair, LocalAuthority

Fetch = Callable[[], tuple[bytes, bytes, bytes] | None]


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    """
    An authority whose certificate the server trusts.
    """
    return LocalAuthority.open_or_create(tmp_path / "pki")


@pytest.fixture
def pair(authority: LocalAuthority, tmp_path: Path) -> KeyPair:
    """
    The server's credentials, written to its files.
    """
    pair = authority.issue_server(["localhost"])
    pair.write(tmp_path / "server.key", tmp_path / "server.crt")
    return pair


@pytest.fixture
def fetch(authority: LocalAuthority, pair: KeyPair, tmp_path: Path) -> Fetch:
    """
    The fetcher of the server's files.
    """
    assert pair.cert_pem
    return server_credentials_fetcher(
        tmp_path / "server.crt", tmp_path / "server.key", authority.certificate_path
    )


def test_the_first_call_gives_the_content(
    fetch: Fetch, pair: KeyPair, authority: LocalAuthority
) -> None:
    """
    In the order of gRPC's configuration: key, certificate, authority.
    """
    assert (pair.key_pem, pair.cert_pem, authority.certificate_pem) == fetch()


def test_nothing_new_is_none(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a change no file is read: the function runs at every handshake.
    """
    fetch()

    def read(path: Path) -> bytes:
        pytest.fail(f"{path} was read")

    monkeypatch.setattr(Path, "read_bytes", read)

    assert fetch() is None
    assert fetch() is None


def test_a_new_certificate_is_given_once(
    fetch: Fetch, authority: LocalAuthority, tmp_path: Path
) -> None:
    """
    After a rotation the next handshake has the new pair, and then nothing is new.
    """
    fetch()
    new = authority.issue_server(["localhost"])
    new.write(tmp_path / "server.key", tmp_path / "server.crt")

    assert (new.key_pem, new.cert_pem, authority.certificate_pem) == fetch()
    assert fetch() is None


def test_a_new_authority_is_given(
    fetch: Fetch, authority: LocalAuthority, tmp_path: Path
) -> None:
    """
    A second authority beside the first is trusted without a restart.
    """
    fetch()
    other = LocalAuthority.open_or_create(tmp_path / "other")
    both = authority.certificate_pem + other.certificate_pem
    authority.certificate_path.write_bytes(both)
    content = fetch()

    assert content is not None
    assert both == content[2]


def test_a_touched_file_is_read_again(fetch: Fetch, tmp_path: Path) -> None:
    """
    A new time alone counts as a change, as where a content of equal size replaced it.
    """
    content = fetch()
    os.utime(tmp_path / "server.crt", ns=(1, 1))

    assert content == fetch()


def test_half_a_rotation_is_refused_until_it_is_whole(
    fetch: Fetch, authority: LocalAuthority, tmp_path: Path
) -> None:
    """
    A key without its certificate never reaches the server, which keeps what it has.
    """
    fetch()
    new = authority.issue_server(["localhost"])
    (tmp_path / "server.key").write_bytes(new.key_pem)
    for _ in range(2):
        with pytest.raises(CertificateError, match="not the certificate of its key"):
            fetch()
    (tmp_path / "server.crt").write_bytes(new.cert_pem)

    assert (new.key_pem, new.cert_pem, authority.certificate_pem) == fetch()


def test_a_missing_file_is_refused_until_it_is_back(
    fetch: Fetch, pair: KeyPair, tmp_path: Path
) -> None:
    """
    A file that is away for a moment is an error that the next call can heal.
    """
    (tmp_path / "server.crt").unlink()
    with pytest.raises(CertificateError, match="cannot be read"):
        fetch()
    (tmp_path / "server.crt").write_bytes(pair.cert_pem)

    assert fetch() is not None


@pytest.mark.parametrize("part", [0.0, 0.3, 0.8])
def test_half_an_authority_is_refused_until_it_is_whole(
    fetch: Fetch, authority: LocalAuthority, tmp_path: Path, part: float
) -> None:
    """
    A file that is being copied never makes the server trust nobody.
    """
    fetch()
    other = LocalAuthority.open_or_create(tmp_path / "other")
    both = authority.certificate_pem + other.certificate_pem
    authority.certificate_path.write_bytes(both[: int(len(both) * part)])
    for _ in range(2):
        with pytest.raises(CertificateError, match="is not certificates in PEM"):
            fetch()
    authority.certificate_path.write_bytes(both)
    content = fetch()

    assert content is not None
    assert both == content[2]


def test_a_folder_in_place_of_a_file_is_refused(fetch: Fetch, tmp_path: Path) -> None:
    """
    A volume that was mounted wrongly is there and still cannot be read.
    """
    (tmp_path / "server.crt").unlink()
    (tmp_path / "server.crt").mkdir()

    with pytest.raises(CertificateError, match="cannot be read"):
        fetch()


@pytest.mark.parametrize("name", ["server.key", "server.crt"])
def test_a_spoiled_file_is_refused_without_telling_the_key(
    fetch: Fetch,
    pair: KeyPair,
    tmp_path: Path,
    name: str,
    told_by: Callable[[Callable[[], object]], str],
) -> None:
    """
    What is no PEM is refused, and no variable on the way holds the private key.
    """
    (tmp_path / name).write_bytes(b"spoiled")
    told = told_by(fetch)
    secret = pair.key_pem.splitlines()[1].decode()

    assert "is not PEM" in told
    assert secret not in told
    assert pair.cert_pem.splitlines()[1].decode() not in secret
