"""
The certificate that workers show, made when none is configured.
"""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509

from gateway.runtime.clock import utc_now
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.logging import get_logger
from gateway.runtime.settings import Settings
from gateway.vault.errors import VaultError
from gateway.vault.pki import LocalAuthority
from gateway.vault.private_file import exclusive, make_private_folder

RENEW_BEFORE: Final = timedelta(days=30)
CHECK_S: Final = 12 * 60 * 60.0

_log: Final = get_logger("server files")

_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 - compared only
_HOST_SIGNS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class ServerPaths(NamedTuple):
    """
    Where the certificate, its key and the authorities of devices are.
    """

    certificate: Path
    key: Path
    client_ca: Path


def ready_server_files(settings: Settings) -> ServerPaths:
    """
    Name the files of the settings, or see to it that there are some.

    Of several workers that start at once, one issues. What ends within 30 days is
    issued anew; workers that run take it up at their next handshake.

    Raises:
        VaultError: the authority or the files cannot be used.

    """
    grpc = settings.grpc
    given = (grpc.certificate_file, grpc.private_key_file, grpc.client_ca_file)
    certificate, key, client_ca = given
    if certificate is not None and key is not None and client_ca is not None:
        return ServerPaths(certificate, key, client_ca)
    folder = DataFolder(settings.data_folder)
    folder.ensure()
    authority = LocalAuthority.open_or_create(folder.authority_folder)
    make_private_folder(folder.server_folder)
    paths = ServerPaths(
        folder.server_folder / "server.crt",
        folder.server_folder / "server.key",
        authority.certificate_path,
    )
    with exclusive(folder.server_folder / "issue"):
        if not _lasts(paths, utc_now() + RENEW_BEFORE):
            pair = authority.issue_server(_names(grpc.host))
            pair.write(paths.key, paths.certificate)
    return paths


async def keep_server_files(settings: Settings, *, every_s: float = CHECK_S) -> None:
    """
    Renew the certificate in time, for as long as the worker runs.

    What goes wrong is logged and tried again: there are weeks left.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(ready_server_files, settings)
        except (VaultError, OSError) as error:
            _log.error("the server's certificate could not be renewed", why=str(error))


def _lasts(paths: ServerPaths, until: datetime) -> bool:
    if not (paths.certificate.exists() and paths.key.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(paths.certificate.read_bytes())
    return certificate.not_valid_after_utc.astimezone(UTC) > until


def _names(host: str) -> list[str]:
    """
    List what tills may call this server: where it listens, and this machine.
    """
    names = [*_ALWAYS]
    machine = socket.gethostname().lower()
    for name in (host.strip("[]").lower(), machine):
        usable = bool(name) and (":" in name or set(name) <= _HOST_SIGNS)
        if usable and name not in names and name not in _EVERYWHERE:
            names.append(name)
    return names
