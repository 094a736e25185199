"""
A proxy between the gateway and Postgres that can lose what passes through it.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_PIECE: Final = 65_536
# What the server answers a COMMIT that ran: CommandComplete with its tag.
COMMITTED: Final = b"COMMIT\x00"


class PostgresProxy:
    """
    Pass everything on, until told otherwise.

    `cut_at` ends both sides when the server is about to send these bytes, which are
    lost; while `hearing` is not set, what the server sends is kept and nobody hears.
    """

    def __init__(self, dsn: str, folder: Path) -> None:
        parts = conninfo_to_dict(dsn)
        self._target = f"{parts['host']}/.s.PGSQL.{parts['port']}"
        self._socket = folder / f".s.PGSQL.{parts['port']}"
        self.dsn = make_conninfo(dsn, host=str(folder))
        self.cut_at: bytes | None = None
        self.hearing = asyncio.Event()
        self.hearing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> asyncio.Server:
        """
        Listen.
        """
        return await asyncio.start_unix_server(self._serve, self._socket)

    async def stop(self) -> None:
        """
        End every connection, and wait until it has ended.
        """
        self.hearing.set()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        there = asyncio.create_task(self._pass(reader, far_writer, filtered=False))
        back = asyncio.create_task(self._pass(far_reader, writer, filtered=True))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in (there, back):
                half.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            for end in (writer, far_writer):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()
            self._tasks.discard(task)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        filtered: bool,
    ) -> None:
        while piece := await reader.read(_PIECE):
            if filtered:
                if self.cut_at is not None and self.cut_at in piece:
                    return
                await self.hearing.wait()
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def postgres_proxy(dsn: str) -> AsyncIterator[PostgresProxy]:
    """
    Run a proxy in front of a server on a Unix socket.
    """
    with tempfile.TemporaryDirectory(prefix="scrip-p-") as folder:
        proxy = PostgresProxy(dsn, Path(folder))
        server = await proxy.start()
        try:
            yield proxy
        finally:
            server.close()
            await proxy.stop()
