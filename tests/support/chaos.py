"""
Devices beyond those of the seed, and what they need to be tills of the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.seed import DeviceSeed, seed_device
from till.connection import Connection

if TYPE_CHECKING:
    from gateway.vault.pki import KeyPair
    from tests.support.server import Gateway


def enroll(gateway: Gateway, name: str) -> KeyPair:
    """
    Register a till of store m-1/s-1 under a name of its own, the first time.
    """
    if name not in gateway.devices:
        gateway.devices[name] = seed_device(
            gateway.database.owner_dsn,
            gateway.authority,
            DeviceSeed("m-1", "s-1", name, name),
        )
    return gateway.devices[name]


def connection_of(gateway: Gateway, name: str, *, connections: int = 1) -> Connection:
    """
    Write a till's files and say how it reaches the gateway.
    """
    pair = enroll(gateway, name)
    key, certificate = gateway.folder / f"{name}.key", gateway.folder / f"{name}.pem"
    authority = gateway.folder / "till-ca.pem"
    pair.write(key, certificate)
    authority.write_bytes(gateway.authority.certificate_pem)
    return Connection(
        address=f"127.0.0.1:{gateway.port}",
        certificate_file=certificate,
        key_file=key,
        authority_file=authority,
        connections=connections,
    )
