"""
Devices beyond those of the seed, and orders to strike at named points.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from gateway.runtime.fault_points import order_path
from tests.support.seed import DeviceSeed, seed_device
from till.connection import Connection

if TYPE_CHECKING:
    from gateway.vault.pki import KeyPair
    from tests.support.server import Gateway

STRUCK_LIMIT_S: Final = 10.0


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


def connection_of(
    gateway: Gateway, name: str, *, port: int | None = None
) -> Connection:
    """
    Write a till's files and say how it reaches the gateway, perhaps by another port.
    """
    pair = enroll(gateway, name)
    key, certificate = gateway.folder / f"{name}.key", gateway.folder / f"{name}.pem"
    authority = gateway.folder / "till-ca.pem"
    pair.write(key, certificate)
    authority.write_bytes(gateway.authority.certificate_pem)
    return Connection(
        address=f"127.0.0.1:{gateway.port if port is None else port}",
        certificate_file=certificate,
        key_file=key,
        authority_file=authority,
    )


async def until_struck(gateway: Gateway, worker: int = 1) -> None:
    """
    Return when a worker has taken its order, and so stands where it was ordered to.
    """
    limit_s = time.monotonic() + STRUCK_LIMIT_S
    while order_path(gateway.folder, worker).exists():
        assert time.monotonic() < limit_s, "nothing reached the point"
        await asyncio.sleep(0.005)


def release(gateway: Gateway, worker: int = 1) -> None:
    """
    Let a worker that was told to hold go on.
    """
    order_path(gateway.folder, worker).with_suffix(".go").touch()
