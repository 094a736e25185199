"""
A client for load: HTTP/2 frames over TLS, as few cycles as Python allows.

A gRPC client library costs more CPU a call than the server under test, so it would
measure itself. This speaks just enough HTTP/2 (RFC 9113) for gRPC calls with ready
payloads: header blocks are fixed bytes, answers are matched by stream, flow control is
kept both ways. What it does not expect ends the run with an error: it never hides a
failed call.
"""

import asyncio
import ssl
import struct
from collections.abc import Callable
from typing import cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4
_SETTING_INITIAL_WINDOW = 4
_DEFAULT_WINDOW = 65_535
_RECEIVE_WINDOW = (1 << 31) - 1
_FRAME_HEADER = 9
_MESSAGE_PREFIX = 5


class LoadError(Exception):
    """
    The server did what the load generator does not accept.
    """


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """
    Write one frame.
    """
    head = struct.pack(">IBI", (len(payload) << 8) | kind, flags, stream)
    return head + payload


def header_block(authority: str, path: str) -> bytes:
    """
    Write a gRPC call's headers: HPACK literals that are never indexed (RFC 7541).
    """
    fields = [
        b"\x83\x87",
        b"\x04" + _string(path),
        b"\x01" + _string(authority),
        b"\x0f\x10" + _string("application/grpc"),
        b"\x00" + _string("te") + _string("trailers"),
    ]
    return b"".join(fields)


def message(payload: bytes) -> bytes:
    """
    Write one length-prefixed gRPC message.
    """
    return struct.pack(">BI", 0, len(payload)) + payload


def _string(text: str) -> bytes:
    raw = text.encode("ascii")
    return bytes([len(raw)]) + raw


class Connection(asyncio.Protocol):
    """
    One HTTP/2 connection.

    `on_message` is called with the stream's number and each whole gRPC message;
    `on_end` with the stream's number when the server has closed it.
    """

    def __init__(
        self,
        on_message: Callable[[int, bytes], None],
        on_end: Callable[[int], None],
    ) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._next_stream = 1
        self._window = _DEFAULT_WINDOW
        self._stream_window = _DEFAULT_WINDOW
        self._stream_windows: dict[int, int] = {}
        self._waiting: list[tuple[int, bytes, int]] = []
        self._parts: dict[int, bytearray] = {}
        self._ready = asyncio.get_running_loop().create_future()
        self._consumed = 0
        self.failure: Exception | None = None

    async def ready(self) -> None:
        """
        Wait until the server has told its settings.
        """
        await self._ready

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Open: preface, settings, and as large a window as there is.
        """
        # uvloop's TLS transport is one by its methods only.
        self._transport = cast("asyncio.Transport", transport)
        grow = _RECEIVE_WINDOW - _DEFAULT_WINDOW
        settings = struct.pack(">HI", _SETTING_INITIAL_WINDOW, _RECEIVE_WINDOW)
        self._transport.write(
            _PREFACE
            + frame(_SETTINGS, 0, 0, settings)
            + frame(_WINDOW, 0, 0, struct.pack(">I", grow))
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Remember that the connection is gone.
        """
        self.failure = self.failure or exc or LoadError("the connection was closed")
        if not self._ready.done():
            self._ready.set_exception(self.failure)

    def close(self) -> None:
        """
        Close the connection.
        """
        if self._transport is not None:
            self._transport.close()

    def call(self, headers: bytes, payload: bytes) -> int:
        """
        Send a unary call; returns its stream's number.
        """
        stream = self.open(headers)
        self.send(stream, payload, end=True)
        return stream

    def open(self, headers: bytes) -> int:
        """
        Open a stream; returns its number.
        """
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        self._stream_windows[stream] = self._stream_window
        self._write(frame(_HEADERS, _END_HEADERS, stream, headers))
        return stream

    def send(self, stream: int, payload: bytes, *, end: bool) -> None:
        """
        Send messages on a stream, as soon as the windows allow.
        """
        flags = _END_STREAM if end else 0
        if self._waiting or not self._fits(stream, len(payload)):
            self._waiting.append((stream, payload, flags))
        else:
            self._write_data(stream, payload, flags)

    def data_received(self, data: bytes) -> None:
        """
        Take frames apart.
        """
        received = self._received
        received += data
        start = 0
        while len(received) - start >= _FRAME_HEADER:
            size = int.from_bytes(received[start : start + 3])
            end = start + _FRAME_HEADER + size
            if len(received) < end:
                break
            kind, flags = received[start + 3], received[start + 4]
            stream = int.from_bytes(received[start + 5 : start + 9]) & 0x7FFFFFFF
            body = bytes(received[start + _FRAME_HEADER : end])
            start = end
            self._take_frame(kind, flags, stream, body)
        del received[:start]

    def _take_frame(self, kind: int, flags: int, stream: int, body: bytes) -> None:
        if kind == _DATA:
            self._take_data(stream, body)
        elif kind == _SETTINGS and not flags & _ACK:
            self._take_settings(body)
        elif kind == _PING and not flags & _ACK:
            self._write(frame(_PING, _ACK, 0, body))
        elif kind == _WINDOW:
            self._take_window(stream, int.from_bytes(body) & 0x7FFFFFFF)
        elif kind in {_RST, _GOAWAY}:
            self.failure = LoadError(f"frame {kind} on stream {stream}: {body!r}")
        if kind in {_DATA, _HEADERS} and flags & _END_STREAM:
            self._stream_windows.pop(stream, None)
            self._parts.pop(stream, None)
            self._on_end(stream)

    def _take_data(self, stream: int, body: bytes) -> None:
        self._consumed += len(body)
        if self._consumed > _RECEIVE_WINDOW // 2:
            self._write(frame(_WINDOW, 0, 0, struct.pack(">I", self._consumed)))
            self._consumed = 0
        part = self._parts.get(stream)
        if part is None:
            part = self._parts[stream] = bytearray()
        part += body
        start = 0
        while len(part) - start >= _MESSAGE_PREFIX:
            size = int.from_bytes(part[start + 1 : start + _MESSAGE_PREFIX])
            end = start + _MESSAGE_PREFIX + size
            if len(part) < end:
                break
            self._on_message(stream, bytes(part[start + _MESSAGE_PREFIX : end]))
            start = end
        del part[:start]

    def _take_settings(self, body: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", body):
            if name == _SETTING_INITIAL_WINDOW:
                change = value - self._stream_window
                self._stream_window = value
                for stream in self._stream_windows:
                    self._stream_windows[stream] += change
        self._write(frame(_SETTINGS, _ACK, 0, b""))
        if not self._ready.done():
            self._ready.set_result(None)
        self._flush()

    def _take_window(self, stream: int, more: int) -> None:
        if stream == 0:
            self._window += more
        elif stream in self._stream_windows:
            self._stream_windows[stream] += more
        self._flush()

    def _fits(self, stream: int, size: int) -> bool:
        return size <= self._window and size <= self._stream_windows.get(stream, 0)

    def _flush(self) -> None:
        while self._waiting:
            stream, payload, flags = self._waiting[0]
            if not self._fits(stream, len(payload)):
                return
            self._waiting.pop(0)
            self._write_data(stream, payload, flags)

    def _write_data(self, stream: int, payload: bytes, flags: int) -> None:
        self._window -= len(payload)
        self._stream_windows[stream] -= len(payload)
        self._write(frame(_DATA, flags, stream, payload))

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            message_text = "not connected"
            raise LoadError(message_text)
        self._transport.write(data)


def client_context(ca: str, cert: str, key: str) -> ssl.SSLContext:
    """
    Make the TLS side: 1.3, our certificate, HTTP/2.
    """
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])
    return context
