"""
Prepared statements in pipelines: one round trip of the money path.

psycopg connects; from then on this speaks libpq's pipeline mode directly
(`psycopg.pq`). psycopg's own pipeline takes four times as long on the event loop for
the same trip, and hides what a commit must know: which statement failed, and whether
COMMIT itself ran.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from psycopg import AsyncConnection, OperationalError
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.string import ByteaBinaryLoader

from gateway.books.queries import QUERIES, Query

Row = tuple[Any, ...]
Parameter = bytes | None

_FORMATS: Final = [[Format.BINARY] * count for count in range(64)]
_DONE: Final = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})


class WireLostError(Exception):
    """
    The connection ended during a trip or before it; `results` came before that.

    Of a trip that was not `sent` the server knows nothing.
    """

    def __init__(self, cause: str, results: Sequence[PGresult], *, sent: bool) -> None:
        super().__init__(cause)
        self.results = results
        self.sent = sent


class Step(NamedTuple):
    """
    One statement of a trip, by the name of its query.
    """

    name: bytes
    parameters: Sequence[Parameter] = ()


@dataclass(slots=True)
class _Trip:
    future: asyncio.Future[list[PGresult]]
    results: list[PGresult] = field(default_factory=list)


class Wire:
    """
    One connection that sends trips and gives their results, in order.

    Several tasks may have a trip under way: each gets its own results. A trip that was
    cancelled still runs on the server. `trip_timeout_s` bounds the wait for an answer.
    """

    def __init__(
        self, connection: AsyncConnection[Any], *, trip_timeout_s: float
    ) -> None:
        self._connection = connection
        self._timeout_s = trip_timeout_s
        self._pgconn: PGconn = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._trips: deque[_Trip] = deque()
        self._socket = self._pgconn.socket
        self._flushing = False
        self.closed = False
        connection.adapters.register_loader("uuid", ByteaBinaryLoader)
        self._rows = Transformer(connection)
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._readable)

    async def prepare(self, queries: Sequence[Query]) -> None:
        """
        Prepare every statement this connection will send, before it is used.

        Raises:
            OperationalError: the connection is lost, or a statement is refused.

        """
        trip = self._begin_trip()
        for query in queries:
            self._pgconn.send_prepare(query.name.encode(), query.numbered)
        for result in await self._end_trip(trip):
            if result.status not in _DONE:
                raise OperationalError(error_text(result))

    async def trip(self, steps: Sequence[Step]) -> list[PGresult]:
        """
        Send statements and give one result for each, errors included.

        After an error the rest are skipped: their status is PIPELINE_ABORTED.

        Raises:
            WireLostError: the connection ended on the way.

        """
        trip = self._begin_trip()
        send = self._pgconn.send_query_prepared
        try:
            for name, parameters in steps:
                send(
                    name,
                    parameters,
                    _FORMATS[len(parameters)],
                    result_format=Format.BINARY,
                )
        except OperationalError as error:
            self._lose(str(error))
        return await self._end_trip(trip)

    def rows(self, result: PGresult) -> list[Row]:
        """
        Read the rows of a result.
        """
        if not result.ntuples:
            return []
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    def close(self) -> None:
        """
        End the connection; the server rolls back what is open.
        """
        self._lose("closed by this side")

    def _begin_trip(self) -> _Trip:
        trip = _Trip(self._loop.create_future())
        if self.closed:
            raise WireLostError("the connection is closed", (), sent=False)
        self._trips.append(trip)
        return trip

    async def _end_trip(self, trip: _Trip) -> list[PGresult]:
        if not self.closed:
            try:
                self._pgconn.pipeline_sync()
                self._flush()
            except OperationalError as error:
                self._lose(str(error))
        # The server ends what takes too long; this is for one that says nothing at all.
        silence = self._loop.call_later(
            self._timeout_s, self._lose, "the server does not answer"
        )
        try:
            return await trip.future
        finally:
            silence.cancel()

    def _flush(self) -> None:
        """
        Send what the socket takes now, the rest when it takes more.
        """
        unsent = self._pgconn.flush()
        if unsent and not self._flushing:
            self._loop.add_writer(self._socket, self._writable)
        elif self._flushing and not unsent:
            self._loop.remove_writer(self._socket)
        self._flushing = bool(unsent)

    def _writable(self) -> None:
        try:
            self._flush()
        except OperationalError as error:
            self._lose(str(error))

    def _readable(self) -> None:
        try:
            self._pgconn.consume_input()
            self._take_results()
        except OperationalError as error:
            self._lose(str(error))
        if self._pgconn.status == ConnStatus.BAD:
            self._lose("the server ended the connection")

    def _take_results(self) -> None:
        """
        Take what has arrived. A statement gives one result, then None.
        """
        pgconn = self._pgconn
        while self._trips and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                continue
            trip = self._trips[0]
            if result.status != ExecStatus.PIPELINE_SYNC:
                trip.results.append(result)
                continue
            self._trips.popleft()
            if not trip.future.done():
                trip.future.set_result(trip.results)

    def _lose(self, cause: str) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        while self._trips:
            trip = self._trips.popleft()
            if not trip.future.done():
                error = WireLostError(cause, trip.results, sent=True)
                trip.future.set_exception(error)


def error_text(result: PGresult) -> str:
    """
    Give the message of the server's error.
    """
    return result.error_message.decode("utf-8", "replace").strip()


def step(name: str, parameters: Sequence[Parameter] = ()) -> Step:
    """
    Name a query and its parameters, in the order in which the query names them.

    Raises:
        ValueError: the query takes another number of parameters.

    """
    query = QUERIES[name]
    if len(query.parameters) != len(parameters):
        message = f"{name} takes {len(query.parameters)} parameters"
        raise ValueError(message)
    return Step(name.encode(), parameters)
