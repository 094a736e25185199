"""
The port `Live` on Redis, or Valkey, that may go away at any moment.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import monotonic_ns
from typing import Final, cast

from gateway.domain.cards import Card
from gateway.domain.holds import Hold
from gateway.domain.ids import CardId
from gateway.engine.ports import Admission, FailedLookup
from gateway.live.breaker import Breaker
from gateway.live.budgets import Budgets
from gateway.live.errors import LiveError, RedisRefusedError
from gateway.live.events import LiveEvent
from gateway.live.keys import snapshot_of
from gateway.live.library import ADMIT
from gateway.live.link import Link, Reply
from gateway.live.local_budgets import LocalBudgets
from gateway.live.options import DEFAULT_OPTIONS, LiveOptions
from gateway.live.publisher import Publisher
from gateway.live.requests import admit_call
from gateway.live.server_report import (
    ServerReport,
    judge_server,
    parse_info,
    unreachable,
)
from gateway.live.snapshot import Snapshot, decode_snapshot

# Most requests in one call: the server's Lua takes some thousand values at a time.
ADMIT_LIMIT: Final = 1_024

_NS_PER_MS: Final = 1_000_000
_logger: Final = logging.getLogger(__name__)


class RedisLive:
    """
    Budgets and snapshots shared by all workers; without Redis, this worker's own.

    Open or closed, when Redis is away: requests are admitted by local budgets, so a
    terminal may have up to one budget at each worker (open); ids counted before are
    not known locally, so a retry counts once more and may be throttled (closed, but
    only at a terminal that is over its budget); snapshots are absent.
    """

    def __init__(
        self,
        url: str,
        budgets: Budgets,
        *,
        wall_ms: Callable[[], int],
        on_event: Callable[[str], None],
        options: LiveOptions = DEFAULT_OPTIONS,
    ) -> None:
        """
        Take an address (redis://, rediss:// or unix://); nothing is opened yet.

        `wall_ms` is the machine's clock, by which a page tells a snapshot's age.
        `on_event` is told each of `LiveEvent` as it happens; it must not raise.
        """
        self._budgets = budgets
        self._wall_ms = wall_ms
        self._on_event = on_event
        self._read_limit_s = 2 * options.timeout_ms / 1000
        self._local = LocalBudgets(budgets)
        self._is_loaded = False

        def link(purpose: str) -> Link:
            return Link(
                url,
                name=f"scrip-{purpose}",
                timeout_ms=options.timeout_ms,
                on_event=on_event,
            )

        self._admissions, self._notices, self._reads = (
            link("admit"),
            link("publish"),
            link("read"),
        )
        self._breaker = Breaker(
            self._probe, interval_ms=options.probe_interval_ms, on_event=on_event
        )
        self._publisher = Publisher(
            link=self._notices,
            breaker=self._breaker,
            budgets=budgets,
            options=options,
            wall_ms=wall_ms,
            on_event=on_event,
        )

    @property
    def is_shared(self) -> bool:
        """
        Tell whether Redis is in use; if not, budgets are this worker's own.
        """
        return not self._breaker.is_open

    async def start(self) -> ServerReport:
        """
        Load the functions, begin to publish, and tell what kind of server it is.

        Never fails: a Redis that is not there yet is used once it is.
        """
        await self._breaker.start()
        self._publisher.start()
        try:
            server = _text(await self._reads.call("INFO", "server"))
            memory = _text(await self._reads.call("INFO", "memory"))
        except LiveError as error:
            return unreachable(str(error))
        return judge_server(parse_info(server) | parse_info(memory))

    async def stop(self) -> None:
        """
        Publish what waits, within one call's time, and close all connections.
        """
        await self._publisher.stop()
        await self._breaker.stop()
        for link in (self._admissions, self._notices, self._reads):
            await link.close()

    async def admit(self, admissions: Sequence[Admission]) -> Sequence[int]:
        """
        Count requests against their budgets; 0 admits, else milliseconds to wait.

        Never raises, and waits at most one call's time, or two where a look-up has
        just failed; after a failure the next callers do not wait at all.
        """
        waits: list[int] = []
        # Or whoever guesses gets another batch in before Redis hears of the last.
        if self._publisher.has_failed and not self._breaker.is_open:
            await self._publisher.publish_failed()
        if not self._breaker.is_open:
            try:
                for start in range(0, len(admissions), ADMIT_LIMIT):
                    part = admissions[start : start + ADMIT_LIMIT]
                    waits += await self._admit_shared(part)
            except LiveError as error:
                self._breaker.trip(error)
            except Exception as error:
                _logger.exception("an admission failed in a way that is our fault")
                self._breaker.trip(error)
        if len(waits) < len(admissions):
            self._on_event(LiveEvent.ADMITTED_LOCALLY)
            rest = admissions[len(waits) :]
            waits += self._local.admit(rest, _monotonic_ms())
        return waits

    def publish(
        self,
        cards: Sequence[Card],
        failed: Sequence[FailedLookup],
        holds: Sequence[Hold] = (),
    ) -> None:
        """
        Tell the newest snapshots, failed look-ups and holds; returns at once.
        """
        if failed:
            self._local.count_failed(failed, _monotonic_ms())
        self._publisher.put(cards, failed, holds)

    async def read_snapshot(self, card_id: CardId) -> Snapshot | None:
        """
        Read a card's snapshot for a page; None without one, or without Redis.
        """
        if self._breaker.is_open:
            return None
        try:
            async with asyncio.timeout(self._read_limit_s):
                reply = await self._reads.call("GET", snapshot_of(card_id))
        except TimeoutError:
            # Too many readers stood before this one: no fault of the server's.
            self._on_event(LiveEvent.READ_FAILED)
            return None
        except LiveError as error:
            self._on_event(LiveEvent.READ_FAILED)
            self._breaker.trip(error)
            return None
        if reply is None:
            return None
        snapshot = decode_snapshot(card_id, _text(reply), self._wall_ms())
        if snapshot is None:
            self._on_event(LiveEvent.READ_FAILED)
        return snapshot

    async def _admit_shared(self, admissions: Sequence[Admission]) -> list[int]:
        reply = await self._admissions.call_function(
            admit_call(ADMIT, admissions, self._budgets)
        )
        if not isinstance(reply, list) or len(reply) != len(admissions):
            raise RedisRefusedError("an admission's answer is no list of its length")
        return cast("list[int]", reply)

    async def _probe(self) -> None:
        """
        Try what the path needs: a write, by the function, over its own connection.

        The first time the library is loaded whatever the server has, so that a new
        release brings its own.
        """
        if not self._is_loaded:
            await self._admissions.load_functions()
            self._is_loaded = True
        await self._admit_shared([])


def _text(reply: Reply) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""


def _monotonic_ms() -> int:
    return monotonic_ns() // _NS_PER_MS
