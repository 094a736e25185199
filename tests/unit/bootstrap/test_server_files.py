"""
The certificate that workers show is made once, kept, and renewed in time.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.bootstrap import server_files
from gateway.bootstrap.server_files import keep_server_files, ready_server_files
from gateway.runtime.settings import Settings
from gateway.runtime.settings_groups import GrpcSettings


def settings_of(folder: Path, **grpc: object) -> Settings:
    """
    Make settings with a data folder.
    """
    return Settings(data_folder=folder, grpc=GrpcSettings.model_validate(grpc))


def names_in(certificate: Path) -> list[str]:
    """
    List the names that a certificate is good for.
    """
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    extension = read.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


def test_files_are_made_where_none_are_set(tmp_path: Path) -> None:
    """
    The local authority issues a certificate for this machine's names.
    """
    paths = ready_server_files(settings_of(tmp_path, host="gateway.example"))

    assert paths.client_ca == tmp_path / "authority" / "ca.crt"
    assert {"localhost", "127.0.0.1", "::1", "gateway.example"} <= set(
        names_in(paths.certificate)
    )
    assert paths.key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "bad_name"])  # noqa: S104
def test_an_address_that_names_nothing_is_left_out(tmp_path: Path, host: str) -> None:
    """
    A wildcard, or a name that no certificate may hold, does not stop the start.
    """
    paths = ready_server_files(settings_of(tmp_path, host=host))

    assert host.strip("[]") not in names_in(paths.certificate)


def test_a_second_start_keeps_them(tmp_path: Path) -> None:
    """
    What is there and lasts is not issued again.
    """
    first = ready_server_files(settings_of(tmp_path)).certificate.read_bytes()

    assert ready_server_files(settings_of(tmp_path)).certificate.read_bytes() == first


def test_what_ends_soon_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A certificate within its last 30 days is issued anew.
    """
    first = ready_server_files(settings_of(tmp_path)).certificate.read_bytes()
    monkeypatch.setattr(server_files, "RENEW_BEFORE", timedelta(days=91))

    assert ready_server_files(settings_of(tmp_path)).certificate.read_bytes() != first


def test_workers_that_start_at_once_agree(tmp_path: Path) -> None:
    """
    One of them issues; the pair that all read belongs together.
    """
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ready_server_files, [settings_of(tmp_path)] * 4))
    certificates = {paths.certificate.read_bytes() for paths in found}

    assert len(certificates) == 1


def test_files_of_the_settings_are_taken(tmp_path: Path) -> None:
    """
    With files of one's own nothing is made.
    """
    own = {
        "certificate_file": tmp_path / "a.crt",
        "private_key_file": tmp_path / "a.key",
        "client_ca_file": tmp_path / "ca.crt",
    }
    paths = ready_server_files(settings_of(tmp_path / "data", **own))

    assert paths == (
        own["certificate_file"],
        own["private_key_file"],
        own["client_ca_file"],
    )
    assert not (tmp_path / "data").exists()


async def test_a_running_worker_renews_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A worker that runs for months looks again, also after it could not.
    """
    settings = settings_of(tmp_path)
    first = ready_server_files(settings).certificate
    content = first.read_bytes()
    authority_key = tmp_path / "authority" / "ca.key"
    authority_key.chmod(0o644)
    monkeypatch.setattr(server_files, "RENEW_BEFORE", timedelta(days=91))
    keeping = asyncio.create_task(keep_server_files(settings, every_s=0.01))
    await asyncio.sleep(0.1)
    kept_while_unsafe = first.read_bytes() == content
    authority_key.chmod(0o600)
    async with asyncio.timeout(5):
        # A file tells nobody that it was replaced.
        while first.read_bytes() == content:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    keeping.cancel()
    await asyncio.wait([keeping])

    assert kept_while_unsafe
