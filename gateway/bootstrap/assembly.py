"""
One worker, put together from the settings.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from gateway.api.calls import CallLog
from gateway.api.entrance import Entrance
from gateway.api.identity import Identities
from gateway.api.intake import Intake
from gateway.api.interceptor import Guard
from gateway.api.reading_requests import RequestReader
from gateway.api.server import GatewayServer
from gateway.api.service import CardService
from gateway.api.staff_requests import StaffRequestReader
from gateway.api.staff_service import StaffIntake, StaffService
from gateway.api.stream import StreamBounds, Streams
from gateway.books.audit import PostgresAudit
from gateway.books.connect import Session
from gateway.books.explaining import PostgresExplanations
from gateway.books.lane import PostgresBooks
from gateway.books.readings import PostgresReadings
from gateway.bootstrap.key_ring import ForeignKeyRingError, open_key_ring
from gateway.bootstrap.observing import EngineObserver, LiveObserver
from gateway.bootstrap.sealing import DeviceCertificates, VaultCodes, VaultSealer
from gateway.bootstrap.server_files import ready_server_files
from gateway.engine.lane import Lane, LaneSettings
from gateway.engine.policies import Policies
from gateway.engine.ports import BooksUnavailableError, FaultPoint, TransactionIds
from gateway.engine.readings import ReadingLane
from gateway.engine.tools import Tools
from gateway.live.budgets import Budgets
from gateway.live.options import LiveOptions
from gateway.live.redis_live import RedisLive
from gateway.runtime.data_folder import DataFolder
from gateway.runtime.embedded import EmbeddedPostgres, EmbeddedValkey
from gateway.runtime.fault_points import NoFaults, ObeyedFaults
from gateway.runtime.logging import get_logger
from gateway.runtime.metrics import Metrics
from gateway.runtime.settings import Settings
from gateway.runtime.time_ordered_ids import TimeOrderedIds
from gateway.vault.pki import server_credentials_fetcher

_BOOKS_PAUSE_S: Final = 0.25
_MINUTE_MS: Final = 60_000
_log: Final = get_logger("worker")


class RefusedStartError(Exception):
    """
    This worker must not serve like this; another start would end the same way.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """
    The books and what is live, connected.
    """

    books: PostgresBooks
    readings: PostgresReadings
    audit: PostgresAudit
    explanations: PostgresExplanations
    live: RedisLive

    async def close(self) -> None:
        """
        Publish what waits and close every connection.
        """
        await self.live.stop()
        await self.books.close()
        await self.readings.close()
        await self.audit.close()
        await self.explanations.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """
    What a worker process runs.
    """

    server: GatewayServer
    lane: Lane
    questions: ReadingLane
    stores: Stores


async def connect_stores(settings: Settings, metrics: Metrics) -> Stores:
    """
    Connect to the books and to Redis; the books may take a while to come.

    Raises:
        BooksUnavailableError: they did not come within the time for a start.
        RefusedStartError: Redis is too old, the books are not durable, or their clock
            is shifted where it may not.

    """
    session = session_of(settings)
    dsn = books_address(settings)
    stores = Stores(
        books=PostgresBooks(dsn, session),
        readings=PostgresReadings(dsn, session),
        audit=PostgresAudit(dsn, session),
        explanations=PostgresExplanations(dsn, session),
        live=_live(settings, metrics),
    )
    limit = time.monotonic() + settings.supervisor.ready_timeout_s / 2
    while True:
        try:
            await stores.readings.connect()
            await stores.books.connect()
            break
        except BooksUnavailableError as error:
            if time.monotonic() > limit:
                raise
            _log.warning("the books do not answer yet", why=str(error))
            await asyncio.sleep(_BOOKS_PAUSE_S)
    require_durable_books(await stores.readings.unsafe_settings())
    require_honest_clock(
        await stores.readings.clock_shift(), DataFolder(settings.data_folder)
    )
    report = await stores.live.start()
    for warning in report.warnings:
        _log.warning("Redis", warning=warning, server=report.name)
    if not report.is_supported:
        message = (
            f"{report.name} {report.version} has no functions: "
            "use Redis 7.0 or newer, or Valkey"
        )
        raise RefusedStartError(message)
    return stores


def require_durable_books(unsafe_settings: Sequence[str]) -> None:
    """
    Refuse books that call committed what a power loss takes back.

    Raises:
        RefusedStartError: they do.

    """
    if "fsync" in unsafe_settings:
        message = (
            "fsync is off in these books: what was approved could be lost with the "
            "power; set it on"
        )
        raise RefusedStartError(message)
    for name in unsafe_settings:
        _log.warning("the books may be torn by a power loss", off=name)


def require_honest_clock(shift: timedelta, folder: DataFolder) -> None:
    """
    Refuse a shifted clock outside of tests and demos.

    Raises:
        RefusedStartError: it is.

    """
    if shift and not folder.is_marked_for_tests():
        message = (
            f"the clock of these books is shifted by {shift}, which only a data folder "
            "marked for tests or a demo allows: is this the right database?"
        )
        raise RefusedStartError(message)


def fault_points(settings: Settings, worker: int) -> FaultPoint:
    """
    Give the places where a test may strike.

    Raises:
        RefusedStartError: they are asked for outside of a folder for tests.

    """
    if not settings.test.fault_points:
        return NoFaults()
    folder = DataFolder(settings.data_folder)
    if not folder.is_marked_for_tests():
        message = (
            f"SCRIP_TEST__FAULT_POINTS is for tests: {folder.path} is not marked so"
        )
        raise RefusedStartError(message)
    return ObeyedFaults(folder.path, worker)


async def assemble(
    settings: Settings, metrics: Metrics, stores: Stores, worker: int
) -> Worker:
    """
    Join everything; nothing listens yet.

    Raises:
        VaultError: a key, a certificate or their files cannot be used.
        RefusedStartError: see `fault_points`; or the key ring is of other books.
        BooksUnavailableError: the policy could not be read.

    """
    try:
        key_ring = open_key_ring(settings, await stores.readings.last_approval())
    except ForeignKeyRingError as error:
        raise RefusedStartError(str(error)) from error
    observer = EngineObserver(metrics)
    policies = Policies(stores.readings, await stores.readings.load_policy(None))
    lane = Lane(
        tools=Tools(
            books=stores.books,
            policies=policies,
            codes=VaultCodes(key_ring),
            ids=cast("TransactionIds", TimeOrderedIds()),
            faults=fault_points(settings, worker),
        ),
        live=stores.live,
        settings=lane_settings(settings),
        observer=observer,
        jitter=random.random,
    )
    observer.watch_queue(lambda: settings.lane.queue_limit - lane.free)
    questions = ReadingLane(
        readings=stores.readings,
        policies=policies,
        live=stores.live,
        observer=observer,
        queue_limit=settings.lane.queue_limit,
        batch_limit=settings.lane.batch_limit,
    )
    server = _server(
        settings,
        metrics,
        policies=policies,
        lanes=(lane, questions),
        worker=worker,
        sealer=VaultSealer(key_ring),
        stores=stores,
    )
    return Worker(server=server, lane=lane, questions=questions, stores=stores)


def _server(
    settings: Settings,
    metrics: Metrics,
    *,
    policies: Policies,
    lanes: tuple[Lane, ReadingLane],
    sealer: VaultSealer,
    stores: Stores,
    worker: int,
) -> GatewayServer:
    lane, questions = lanes
    deadline_s = settings.grpc.default_deadline_ms / 1_000
    call_log = CallLog(metrics)
    entrance = Entrance(policies)
    intake = Intake(
        entrance=entrance,
        reader=RequestReader(sealer),
        lane=lane,
        questions=questions,
    )
    staff = StaffIntake(
        entrance=entrance,
        reader=StaffRequestReader(sealer),
        lane=lane,
        questions=questions,
        audit=stores.audit,
        explanations=stores.explanations,
        policies=policies,
    )
    streams = Streams(
        intake=intake,
        policies=policies,
        call_log=call_log,
        bounds=StreamBounds(
            max_unanswered=settings.grpc.max_unanswered_items,
            item_deadline_s=deadline_s,
        ),
    )
    guard = Guard(
        identities=Identities(DeviceCertificates(settings.grpc.trust_domain)),
        entrance=entrance,
        call_log=call_log,
        worker=worker,
        default_deadline_s=deadline_s,
    )
    paths = ready_server_files(settings)
    return GatewayServer(
        settings=settings.grpc,
        service=CardService(intake=intake, policies=policies, streams=streams),
        staff=StaffService(intake=staff, policies=policies),
        guard=guard,
        streams=streams,
        fetch_files=server_credentials_fetcher(*paths),
    )


def books_address(settings: Settings) -> str:
    """
    Tell where the books are, for the gateway's role.
    """
    url = settings.postgres.url
    if url is not None:
        return url.get_secret_value()
    return EmbeddedPostgres(settings.data_folder).dsn()


def session_of(settings: Settings) -> Session:
    """
    Give the limits of a connection to the books.
    """
    postgres = settings.postgres
    return Session(
        connect_timeout_ms=postgres.connect_timeout_ms,
        lock_timeout_ms=postgres.lock_timeout_ms,
        statement_timeout_ms=postgres.statement_timeout_ms,
        idle_in_transaction_timeout_ms=postgres.idle_in_transaction_timeout_ms,
        tcp_user_timeout_ms=postgres.tcp_user_timeout_ms,
    )


def _live(settings: Settings, metrics: Metrics) -> RedisLive:
    limits = settings.limits
    return RedisLive(
        redis_address(settings),
        Budgets(
            requests_per_window=limits.terminal_requests_per_minute,
            window_ms=_MINUTE_MS,
            failed_lookups_per_terminal=limits.failed_lookups_per_terminal,
            failed_lookups_per_store=limits.failed_lookups_per_store,
            remember_ms=limits.remember_s * 1_000,
            failed_window_ms=limits.window_s * 1_000,
        ),
        wall_ms=_wall_ms,
        on_event=LiveObserver(metrics),
        options=live_options(settings),
    )


def redis_address(settings: Settings) -> str:
    """
    Tell where Redis is.
    """
    url = settings.redis.url
    if url is not None:
        return url.get_secret_value()
    return EmbeddedValkey(settings.data_folder).url


def live_options(settings: Settings, *, patience: int = 1) -> LiveOptions:
    """
    Give the limits of a connection to Redis; with patience it may take longer.
    """
    redis = settings.redis
    return LiveOptions(
        timeout_ms=patience * redis.timeout_ms,
        probe_interval_ms=redis.retry_after_ms,
        expiries_limit=settings.clerk.live_holds_limit,
    )


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000  # noqa: TID251 - the age of a snapshot, no money


def lane_settings(settings: Settings) -> LaneSettings:
    """
    Give the lane's bounds.
    """
    lane = settings.lane
    return LaneSettings(
        queue_limit=lane.queue_limit,
        batch_limit=lane.batch_limit,
        restart_limit=lane.restart_limit,
        retry_limit=lane.retry_limit,
        resolve_timeout_s=lane.resolve_timeout_ms / 1_000,
        lock_timeout_ms=settings.postgres.lock_timeout_ms,
    )
