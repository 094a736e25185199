"""
The load generator: a process of its own that keeps so many requests in flight.

Reads its orders as one JSON object from standard input, writes what it saw as one JSON
object to standard output. A closed loop: each answer sends the next request.
"""

import asyncio
import json
import random
import resource
import sys
import time
import uuid
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
from scrip.v1 import card_service_pb2 as api
from scrip.v1 import result_pb2

_SERVICE = "/scrip.v1.CardService/"
# A unary call that ended with a status, and not with an answer.
REFUSED = "a status"
_PLACEHOLDER = "00000000-0000-4000-8000-000000000000"


class Requests:
    """
    Serialized requests, each with a request id of its own.

    A request is written once a card; what changes is cut out and put in as bytes.
    """

    def __init__(self, operation: str, cards: list[str], seed: int) -> None:
        self._operation = operation
        self._cards = cards
        self._random = random.Random(seed)
        head, _, tail = self._template().partition(_PLACEHOLDER.encode())
        self._head, self._tail = head, tail

    def _template(self) -> bytes:
        """
        Write one request with placeholders of the right lengths.
        """
        number = self._cards[0]
        if self._operation == "balance":
            request: Any = api.GetBalanceRequest(
                request_id=_PLACEHOLDER, card_number=number
            )
        else:
            request = api.RedeemRequest(request_id=_PLACEHOLDER, card_number=number)
            request.amount.minor_units = 1
            request.amount.currency_code = "USD"
            request.amount.exponent = 2
        serialized: bytes = request.SerializeToString(deterministic=True)
        return serialized

    def take(self) -> bytes:
        """
        Give the next request, serialized.
        """
        first, card = self._cards[0], self._random.choice(self._cards)
        request_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        tail = self._tail
        if card != first:
            tail = tail.replace(first.encode(), card.encode(), 1)
        return self._head + request_id.encode() + tail


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
        self._sent: dict[tuple[int, int], float] = {}
        self._counting = False
        self._stopping = False
        self._connections: list[Connection] = []
        self._sequence = 0
        self._next_s = 0.0

    async def run(self) -> dict[str, Any]:
        """
        Run to the end; returns what was counted between warm-up and end.
        """
        orders = self._orders
        stream = orders["mode"] == "stream"
        share = orders["in_flight"] // orders["connections"]
        for number in range(orders["connections"]):
            connection = await self._connect(number, stream=stream)
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

    async def _connect(self, number: int, *, stream: bool) -> Connection:
        orders = self._orders
        method = "GetBalance" if orders["operation"] == "balance" else "Redeem"
        path = _SERVICE + ("Transact" if stream else method)
        headers = header_block(f"{orders['host']}:{orders['port']}", path)

        def on_message(opened: int, payload: bytes) -> None:
            self._on_message(number, opened, payload)

        def on_end(opened: int) -> None:
            if self._stopping or (number, opened) not in self._sent:
                return
            if not orders.get("per_s"):
                self._connections[number].failure = LoadError("a call had no answer")
                return
            # A paced load goes on, as tills do, and tells how often this was.
            now = time.perf_counter()
            self._count(REFUSED, now - self._sent.pop((number, opened)))
            self._go_on(number, opened, now)

        _, connection = await self._loop.create_connection(
            lambda: Connection(headers, on_message, on_end),
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
                self._send_unary(number)
            return
        opened = connection.open()
        self._opened = opened
        for _ in range(share):
            self._send_item(number, opened)

    def _send_unary(self, number: int) -> None:
        connection = self._connections[number]
        stream = connection.call(message(self._requests.take()))
        self._sent[number, stream] = time.perf_counter()

    def _send_item(self, number: int, opened: int) -> None:
        self._sequence += 1
        request = self._requests.take()
        item = _varint_field(1, self._sequence) + _bytes_field(4, request)
        self._sent[-1, self._sequence] = time.perf_counter()
        self._connections[number].send(opened, message(item), end=False)

    def _on_message(self, number: int, opened: int, payload: bytes) -> None:
        now = time.perf_counter()
        if self._orders["mode"] == "stream":
            answer = api.TransactResponse.FromString(payload)
            started = self._sent.pop((-1, answer.sequence))
            kind = answer.WhichOneof("answer")
            outcome = answer.redeem.outcome if kind == "redeem" else None
            name = f"fault {answer.fault.code} {answer.fault.message}"
        else:
            started = self._sent.pop((number, opened))
            outcome = api.RedeemResponse.FromString(payload).outcome
            name = ""
        if outcome is not None:
            name = result_pb2.Result.Name(outcome.result)
        self._count(name, now - started)
        self._go_on(number, opened, now)

    def _count(self, name: str, took_s: float) -> None:
        if self._counting:
            self._latencies.append(took_s)
            self._results[name] += 1

    def _go_on(self, number: int, opened: int, now: float) -> None:
        if self._stopping:
            return
        delay_s = self._delay_s(now)
        if delay_s > 0:
            self._loop.call_later(delay_s, self._send_next, number, opened)
        else:
            self._send_next(number, opened)

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

    def _send_next(self, number: int, opened: int) -> None:
        if self._stopping:
            return
        if self._orders["mode"] == "stream":
            self._send_item(number, opened)
        else:
            self._send_unary(number)

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
    out = bytearray([number << 3])
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes_field(number: int, value: bytes) -> bytes:
    size = len(value)
    if size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        return bytes([number << 3 | 2, (size & 0x7F) | 0x80, size >> 7]) + value
    return bytes([number << 3 | 2, size]) + value


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _main() -> None:
    report = await Load(json.load(sys.stdin)).run()
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    uvloop.run(_main())
