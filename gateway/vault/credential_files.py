"""
Watch the files of a server's credentials for a rotation.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.vault.errors import CertificateError

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"

ServerCredentials = tuple[bytes, bytes, bytes]
FileState = tuple[int, int, int]


def server_credentials_fetcher(
    cert_path: Path, key_path: Path, ca_path: Path
) -> Callable[[], ServerCredentials | None]:
    """
    Make a function that gives (key, certificate, CA) when the files have changed.

    gRPC calls it at every handshake, so with nothing new it costs three `stat`s and
    gives None. The first call gives the content. The function raises
    CertificateError when a file is missing, the certificate does not belong to the
    key or an authority is not whole, as in the middle of a rotation: gRPC then logs
    it and goes on with what it has, and the next handshake tries again.
    """
    return _CredentialFiles(cert_path, key_path, ca_path).fetch


class _CredentialFiles:
    __slots__ = ("_paths", "_seen")

    def __init__(self, cert_path: Path, key_path: Path, ca_path: Path) -> None:
        self._paths = (key_path, cert_path, ca_path)
        self._seen: tuple[FileState, ...] | None = None

    def fetch(self) -> ServerCredentials | None:
        # The states are taken before the content: a change in between shows as
        # another change at the next call.
        states = tuple(_file_state(path) for path in self._paths)
        if states == self._seen:
            return None
        key, certificate, authority = map(_content, self._paths)
        problem = _pair_problem(key, certificate)
        if problem is not None:
            # A traceback may print the variables of its frames.
            del key
            raise CertificateError(f"{self._paths[1]} {problem}")
        if not _are_whole(authority):
            del key
            raise CertificateError(f"{self._paths[2]} is not certificates in PEM")
        self._seen = states
        return key, certificate, authority


def _file_state(path: Path) -> FileState:
    try:
        status = path.stat()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read") from error
    return status.st_mtime_ns, status.st_size, status.st_ino


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read") from error


def _pair_problem(key: bytes, certificate: bytes) -> str | None:
    try:
        private_key = load_pem_private_key(key, password=None)
        leaf = x509.load_pem_x509_certificate(certificate)
    except (ValueError, TypeError):
        return "or its key is not PEM"
    if leaf.public_key() != private_key.public_key():
        return "is not the certificate of its key"
    return None


def _are_whole(authorities: bytes) -> bool:
    """
    Tell whether each certificate of a file can be read, and that there is one.

    gRPC would take what is none, and then trust nobody.
    """
    try:
        found = x509.load_pem_x509_certificates(authorities)
    except ValueError:
        return False
    return len(found) == authorities.count(_BEGIN)
