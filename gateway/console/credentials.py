"""
The files by which devices show who they are, one folder a device.

    OUT/<merchant>/<store>/<device>/device.key   its private key
    OUT/<merchant>/<store>/<device>/device.crt   its certificate
    OUT/<merchant>/<store>/<device>/ca.crt       whose signature the gateway shows

All are written beside their place first and moved into it when the books know the
certificates: a run that fails leaves no key that opens nothing.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.console.faults import BadInputError
from gateway.domain.policy import DeviceKind, DeviceName
from gateway.vault.certificates import KeyPair, certificate_sha256
from gateway.vault.pki import LocalAuthority
from gateway.vault.private_file import PRIVATE_FOLDER_MODE, PRIVATE_MODE

KEY_FILE: Final = "device.key"
CERTIFICATE_FILE: Final = "device.crt"
AUTHORITY_FILE: Final = "ca.crt"

_DRAFT_PREFIX: Final = ".scrip-draft-"


class CredentialFolder:
    """
    Gather credentials in a draft, then put them in place.
    """

    def __init__(
        self, place: Path, draft: Path, *, authority: LocalAuthority, trust_domain: str
    ) -> None:
        self._place = place
        self._draft = draft
        self._authority = authority
        self._trust_domain = trust_domain
        self._names: list[DeviceName] = []

    def issue(self, name: DeviceName, kind: DeviceKind) -> bytes:
        """
        Make a device's key and certificate; give the SHA-256 that the books keep.
        """
        pair = self._authority.issue_device(
            trust_domain=self._trust_domain,
            merchant=name.merchant,
            store=name.store,
            device=name.device,
            kind=kind.name,
        )
        self._write(name, pair)
        self._names.append(name)
        return certificate_sha256(pair.cert_pem)

    def put_in_place(self, *, replace: bool) -> None:
        """
        Move all that was made to where it is to be.
        """
        for name in self._names:
            target = folder_of(self._place, name)
            target.parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
            if replace and target.is_dir():
                target.rename(folder_of(self._draft, name).with_suffix(".old"))
            folder_of(self._draft, name).rename(target)

    def _write(self, name: DeviceName, pair: KeyPair) -> None:
        folder = folder_of(self._draft, name)
        folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True)
        _write_private(folder / KEY_FILE, pair.key_pem)
        _write_private(folder / CERTIFICATE_FILE, pair.cert_pem)
        _write_private(folder / AUTHORITY_FILE, self._authority.certificate_pem)


def folder_of(place: Path, name: DeviceName) -> Path:
    """
    Name the folder of a device's files.
    """
    return place / name.merchant / name.store / name.device


def require_no_credentials(place: Path, names: Sequence[DeviceName]) -> None:
    """
    Refuse to write where some device's files lie already: they may be in use.
    """
    taken = [folder for name in names if (folder := folder_of(place, name)).exists()]
    if taken:
        raise BadInputError(
            f"--out: {taken[0]} exists"
            + (f", and {len(taken) - 1} more" if len(taken) > 1 else "")
            + ": name another folder"
        )


@contextmanager
def credential_folder(
    place: Path, *, authority: LocalAuthority, trust_domain: str
) -> Iterator[CredentialFolder]:
    """
    Begin a draft within the place; what was not put in place is removed.
    """
    try:
        place.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT_PREFIX, dir=place))
    except OSError as error:
        raise BadInputError(
            f"--out: {place} cannot be written ({error.strerror}): name another folder"
        ) from error
    try:
        yield CredentialFolder(
            place, draft, authority=authority, trust_domain=trust_domain
        )
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_private(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, PRIVATE_MODE), "wb") as file:
        file.write(content)
