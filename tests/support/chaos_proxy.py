"""
A proxy between the gateway and Postgres that strikes at a COMMIT.

It runs in a thread of its own, so that a test may start workers that connect through it
and wait for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

from tests.support.postgres_proxy import COMMITTED, PostgresProxy
from tests.support.stores import short_data_folder

_PIECE: Final = 65_536
_START_LIMIT_S: Final = 10.0
# How the prepared COMMIT is bound: an unnamed portal, then the statement's name. The
# message begins with its type and its length, five bytes before.
_BIND_COMMIT: Final = b"\x00commit\x00"
_BIND_HEAD_BYTES: Final = 5


class Strike(Enum):
    """
    What becomes of the next COMMIT.

    The connection is cut before it arrives or after it ran; or it stays open, and the
    request or its reply never arrives, or the request arrives when its sender has long
    given up.
    """

    CUT_REQUEST = "cut before COMMIT arrives"
    CUT_REPLY = "cut before its reply"
    LOSE_REQUEST = "COMMIT lost, nothing said"
    LOSE_REPLY = "reply lost, nothing said"
    LATE_REQUEST = "COMMIT late, nothing said"

    @property
    def commits(self) -> bool:
        """
        Tell whether Postgres commits.
        """
        return self not in (Strike.CUT_REQUEST, Strike.LOSE_REQUEST)

    @property
    def on_reply(self) -> bool:
        """
        Tell whether it is the reply that is struck at.
        """
        return self in (Strike.CUT_REPLY, Strike.LOSE_REPLY)

    @property
    def silent(self) -> bool:
        """
        Tell whether the connection stays open.
        """
        return self not in (Strike.CUT_REQUEST, Strike.CUT_REPLY)


class StrikingProxy(PostgresProxy):
    """
    Pass everything on but the one COMMIT that it is ordered to strike at.

    While `closed`, whoever connects is turned away.
    """

    def __init__(self, dsn: str, folder: Path) -> None:
        super().__init__(dsn, folder)
        parts = conninfo_to_dict(dsn)
        place = urlencode({"host": str(folder), "port": parts["port"]})
        self.url = f"postgresql://{parts['user']}@/{parts['dbname']}?{place}"
        self.strike: Strike | None = None
        self.late_s = 0.0
        self.closes_then = False
        self.closed = False
        self.struck = 0

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self.closed:
            writer.close()
            return
        await super()._serve(reader, writer)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        filtered: bool,
    ) -> None:
        while piece := await reader.read(_PIECE):
            strike = self.strike
            at = -1
            if strike is not None and filtered is strike.on_reply:
                at = piece.find(COMMITTED if strike.on_reply else _BIND_COMMIT)
            if strike is None or at < 0:
                writer.write(piece)
                await writer.drain()
                continue
            self._hit()
            sent = 0 if strike.on_reply else at - _BIND_HEAD_BYTES
            writer.write(piece[:sent])
            await writer.drain()
            if strike is Strike.LATE_REQUEST:
                await asyncio.sleep(self.late_s)
                writer.write(piece[sent:])
                await writer.drain()
            if not strike.silent:
                return
            while await reader.read(_PIECE):
                pass

    def _hit(self) -> None:
        self.strike = None
        self.closed = self.closes_then
        self.struck += 1


@contextmanager
def striking_proxy(dsn: str) -> Iterator[StrikingProxy]:
    """
    Run a proxy in front of a server on a Unix socket.
    """
    listening = threading.Event()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await proxy.start()
        listening.set()
        await stop.wait()
        server.close()
        await proxy.stop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    with short_data_folder() as folder:
        proxy = StrikingProxy(dsn, folder)
        thread = threading.Thread(target=run, name="proxy")
        thread.start()
        try:
            assert listening.wait(_START_LIMIT_S), "the proxy does not listen"
            yield proxy
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
