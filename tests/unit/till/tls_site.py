"""
Where a gateway with mutual TLS is, and the files of a till that it knows.
"""

from dataclasses import dataclass
from pathlib import Path

from gateway.vault.pki import LocalAuthority
from till import Connection


@dataclass
class Site:
    """
    Hold a gateway's address and the files of a till that it knows.
    """

    address: str
    certificate: Path
    key: Path
    authority: Path

    @property
    def connection(self) -> Connection:
        """
        Give what the client library takes.
        """
        return Connection(
            address=self.address,
            certificate_file=self.certificate,
            key_file=self.key,
            authority_file=self.authority,
        )


def issue(folder: Path, authority: LocalAuthority) -> tuple[Path, Path]:
    """
    Write a device's certificate and key.
    """
    folder.mkdir()
    pair = authority.issue_device(
        trust_domain="scrip.internal",
        merchant="m",
        store="s",
        device="till-1",
        kind="TERMINAL",
    )
    certificate, key = folder / "till.crt", folder / "till.key"
    certificate.write_bytes(pair.cert_pem)
    key.write_bytes(pair.key_pem)
    return certificate, key
