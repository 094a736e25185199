"""
A client that speaks HTTP/2 by hand, for what no gRPC library does: not to read.
"""

from __future__ import annotations

import socket
import ssl
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.vault.pki import KeyPair
    from tests.support.server import Gateway

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA: Final = 0
_HEADERS: Final = 1
_SETTINGS: Final = 4
_END_STREAM: Final = 1
_END_HEADERS: Final = 4
_INITIAL_WINDOW_SIZE: Final = 4
_TIMEOUT_S: Final = 10.0


class RawClient:
    """
    One connection whose streams have no window: the server may send them nothing.
    """

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self._stream = -1
        window = struct.pack(">HI", _INITIAL_WINDOW_SIZE, 0)
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, window))

    def call(self, method: str, message: bytes) -> None:
        """
        Make a unary request, and never read the answer.
        """
        self._stream += 2
        fields = (
            (":method", "POST"),
            (":scheme", "https"),
            (":path", method),
            (":authority", "localhost"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        )
        # Each field literally: no table, no Huffman code.
        block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
        body = b"\0" + struct.pack(">I", len(message)) + message
        self._connection.sendall(
            _frame(_HEADERS, _END_HEADERS, self._stream, block)
            + _frame(_DATA, _END_STREAM, self._stream, body)
        )


@contextmanager
def raw_client(gateway: Gateway, pair: KeyPair) -> Iterator[RawClient]:
    """
    Connect with a device's certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    context.load_verify_locations(cadata=gateway.authority.certificate_pem.decode())
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder) / "key", Path(folder) / "certificate"
        pair.write(key, certificate)
        context.load_cert_chain(certificate, key)
    address = ("127.0.0.1", gateway.port)
    with (
        socket.create_connection(address, timeout=_TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        yield RawClient(secure)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    head = struct.pack(">I", len(payload))[1:] + struct.pack(
        ">BBI", kind, flags, stream
    )
    return head + payload


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("ascii")
