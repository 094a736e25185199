"""
The port on which all workers listen.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.console.faults import BadInputError

# As the system has it; IPv6 has two parts more, and what has no IP is refused by bind.
Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


@contextmanager
def reserve_port(host: str, port: int) -> Iterator[int]:
    """
    Keep a port for the workers, a free one for 0; give its number.

    Workers share it by SO_REUSEPORT, and so would another gateway's, unseen: a port on
    which somebody listens already is refused. The socket kept here never listens, so
    that no connection goes to it.
    """
    family, address = _resolve(host, port)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Ports of connections that have just ended are free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, address, host, port)
        address = probe.getsockname()
        number: int = address[1]
    with socket.socket(family, socket.SOCK_STREAM) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(kept, address, host, port)
        yield number


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, Address]:
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise BadInputError(
            f"--host: {host!r} is no address of this machine ({error.strerror})"
        ) from error
    family, _, _, _, address = found[0]
    return family, address


def _bind(
    listener: socket.socket,
    address: Address,
    host: str,
    port: int,
) -> None:
    try:
        listener.bind(address)
    except OSError as error:
        raise BadInputError(
            f"--host, --port: {host}:{port} cannot be used ({error.strerror}): another "
            "program listens there, or it is no address of this machine"
        ) from error
