"""
The load generator: a process of its own that keeps so many requests in flight.

Reads its orders as one JSON object from standard input, writes what it saw as one JSON
object to standard output. A closed loop: each answer sends the next request.
"""

import asyncio
import json
import re
import resource
import sys
import time
from collections import Counter
from typing import Any

import uvloop

from loadtests.bench.http2 import (
    Connection,
    LoadError,
    client_context,
    header_block,
    message,
)
from loadtests.bench.requests import Asked, Requests
from scrip.v1 import card_service_pb2 as api
from scrip.v1 import result_pb2

_SERVICE = "/scrip.v1.CardService/"
# A unary call that ended with a status, and not with an answer.
REFUSED = "a status"
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class Load:
    """
    So many requests in flight for so long.
    """

    def __init__(self, orders: dict[str, Any]) -> None:
        self._orders = orders
        self._requests = Requests(
            orders["operation"], orders["cards"], orders.get("seed", 1)
        )
        self._loop = asyncio.get_running_loop()
        self._results: Counter[str] = Counter()
        self._latencies: list[float] = []
        self._sent: dict[tuple[int, int], tuple[float, Asked]] = {}
        self._counting = False
        self._stopping = False
        self._connections: list[Connection] = []
        self._sequence = 0
        self._next_s = 0.0
        host = f"{orders['host']}:{orders['port']}"
        self._headers = {
            method: header_block(host, _SERVICE + method)
            for method in (*self._requests.methods, "Transact")
        }
        fields = api.TransactRequest.DESCRIPTOR.fields_by_name
        self._fields = {
            method: fields[_CAPITAL.sub("_", method).lower()].number
            for method in self._requests.methods
        }

    async def run(self) -> dict[str, Any]:
        """
        Run to the end; returns what was counted between warm-up and end.
        """
        orders = self._orders
        stream = orders["mode"] == "stream"
        share = orders["in_flight"] // orders["connections"]
        for number in range(orders["connections"]):
            connection = await self._connect(number)
            self._start(connection, number, share, stream=stream)
        await asyncio.sleep(orders["warm_up_s"])
        self._counting = True
        started, cpu = time.perf_counter(), _cpu_s()
        print("counting", file=sys.stderr, flush=True)
        await asyncio.sleep(orders["seconds"])
        self._counting = False
        elapsed, used = time.perf_counter() - started, _cpu_s() - cpu
        print("counted", file=sys.stderr, flush=True)
        self._stopping = True
        await asyncio.sleep(0.5)
        for connection in self._connections:
            if connection.failure is not None:
                raise connection.failure
            connection.close()
        return self._report(elapsed, used)

    async def _connect(self, number: int) -> Connection:
        orders = self._orders

        def on_message(opened: int, payload: bytes) -> None:
            self._on_message(number, opened, payload)

        def on_end(opened: int) -> None:
            if self._stopping or (number, opened) not in self._sent:
                return
            if not orders.get("per_s"):
                self._connections[number].failure = LoadError("a call had no answer")
                return
            # A paced load goes on, as tills do, and tells how often this was.
            started, asked = self._sent.pop((number, opened))
            now = time.perf_counter()
            self._count(REFUSED, now - started)
            self._go_on(number, opened, now, asked)

        _, connection = await self._loop.create_connection(
            lambda: Connection(on_message, on_end),
            orders["host"],
            orders["port"],
            ssl=client_context(orders["ca"], orders["cert"], orders["key"]),
        )
        await connection.ready()
        self._connections.append(connection)
        return connection

    def _start(
        self, connection: Connection, number: int, share: int, *, stream: bool
    ) -> None:
        if not stream:
            for _ in range(share):
                self._send_unary(number, self._requests.take())
            return
        opened = connection.open(self._headers["Transact"])
        self._opened = opened
        for _ in range(share):
            self._send_item(number, opened, self._requests.take())

    def _send_unary(self, number: int, asked: Asked) -> None:
        connection = self._connections[number]
        payload = message(asked.payload)
        stream = connection.call(self._headers[asked.method], payload)
        self._sent[number, stream] = time.perf_counter(), asked

    def _send_item(self, number: int, opened: int, asked: Asked) -> None:
        self._sequence += 1
        field = self._fields[asked.method]
        item = _varint_field(1, self._sequence) + _bytes_field(field, asked.payload)
        self._sent[-1, self._sequence] = time.perf_counter(), asked
        self._connections[number].send(opened, message(item), end=False)

    def _on_message(self, number: int, opened: int, payload: bytes) -> None:
        now = time.perf_counter()
        if self._orders["mode"] == "stream":
            answer = api.TransactResponse.FromString(payload)
            started, asked = self._sent.pop((-1, answer.sequence))
            kind = answer.WhichOneof("answer")
            outcome = None if kind == "fault" else getattr(answer, kind or "").outcome
            name = f"fault {answer.fault.code} {answer.fault.message}"
        else:
            started, asked = self._sent.pop((number, opened))
            # All answers have their outcome in the same place.
            outcome = api.RedeemResponse.FromString(payload).outcome
            name = ""
        if outcome is not None:
            name = result_pb2.Result.Name(outcome.result)
        self._count(name, now - started)
        self._go_on(number, opened, now, asked)

    def _count(self, name: str, took_s: float) -> None:
        if self._counting:
            self._latencies.append(took_s)
            self._results[name] += 1

    def _go_on(self, number: int, opened: int, now: float, asked: Asked) -> None:
        if self._stopping:
            return
        delay_s = self._delay_s(now)
        if delay_s > 0:
            self._loop.call_later(delay_s, self._send_next, number, opened, asked)
        else:
            self._send_next(number, opened, asked)

    def _delay_s(self, now: float) -> float:
        """
        Tell how long to wait before the next request, at so many a second.
        """
        per_s = self._orders.get("per_s")
        if not per_s:
            return 0.0
        # What could not be sent in time is not made up for but within a second.
        self._next_s = max(self._next_s, now - 1.0) + 1.0 / per_s
        return self._next_s - now

    def _send_next(self, number: int, opened: int, asked: Asked) -> None:
        if self._stopping:
            return
        following = self._requests.after(asked)
        if self._orders["mode"] == "stream":
            self._send_item(number, opened, following)
        else:
            self._send_unary(number, following)

    def _report(self, elapsed: float, used: float) -> dict[str, Any]:
        ordered = sorted(self._latencies)
        last = len(ordered) - 1
        return {
            "operations": len(ordered),
            "seconds": elapsed,
            "results": dict(self._results),
            "cpu_s": used,
            "p50_ms": ordered[last // 2] * 1000 if ordered else None,
            "p99_ms": ordered[last * 99 // 100] * 1000 if ordered else None,
            "max_ms": ordered[last] * 1000 if ordered else None,
        }


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _main() -> None:
    report = await Load(json.load(sys.stdin)).run()
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
