"""
A network between tills and the gateway that breaks their connections.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_PIECE: Final = 65_536
_START_LIMIT_S: Final = 10.0


class Network:
    """
    Pass bytes on to the gateway, until told to break what is open.
    """

    def __init__(self, gateway_port: int) -> None:
        self._gateway_port = gateway_port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listening = threading.Event()
        self.port = 0
        self.broken = 0

    def break_all(self) -> None:
        """
        Reset every connection: what is on the way, either way, is lost.
        """
        self._loop.call_soon_threadsafe(self._break_all)

    def run(self) -> None:
        """
        Serve until `stop`; for a thread of its own.
        """
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    def wait_until_listening(self) -> None:
        """
        Return when `port` is known.
        """
        assert self._listening.wait(_START_LIMIT_S), "the network does not listen"

    def stop(self) -> None:
        """
        End it, from another thread.
        """
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        self._break_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _break_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
            self.broken += 1

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._gateway_port
        )
        ends = {writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        finally:
            self._open -= ends
            self._tasks.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """
    Pass on what one side sends; when it ends, end the other side at once.
    """
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    writer.transport.abort()


@contextmanager
def breaking_network(gateway_port: int) -> Iterator[Network]:
    """
    Run a network in a thread of its own.
    """
    network = Network(gateway_port)
    thread = threading.Thread(target=network.run, name="network")
    thread.start()
    try:
        network.wait_until_listening()
        yield network
    finally:
        network.stop()
        thread.join()
