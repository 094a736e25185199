"""
The clerk, put together from the settings.
"""

import asyncio
import os
import random
import secrets
from dataclasses import dataclass
from typing import Final, cast

from gateway.books.open_holds import PostgresHolds
from gateway.bootstrap.assembly import (
    RefusedStartError,
    Stores,
    books_address,
    fault_points,
    lane_settings,
    live_options,
    redis_address,
    session_of,
)
from gateway.bootstrap.clerk_observing import ClerkObserver
from gateway.bootstrap.key_ring import ForeignKeyRingError, open_key_ring
from gateway.bootstrap.observing import EngineObserver, LiveObserver
from gateway.bootstrap.sealing import VaultCodes
from gateway.engine.clerk import Clerk, ClerkBounds
from gateway.engine.lane import Lane
from gateway.engine.policies import Policies
from gateway.engine.ports import TransactionIds
from gateway.engine.tools import Tools
from gateway.live.expiries import RedisExpiries
from gateway.runtime.metrics import Metrics
from gateway.runtime.settings import Settings
from gateway.runtime.time_ordered_ids import TimeOrderedIds

# Its orders for tests are those of worker 0: workers count from 1.
CLERK_NUMBER: Final = 0

# Nobody waits for the clerk, and a page of a load is larger than an admission.
_PATIENCE: Final = 10
_TOKEN_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkWork:
    """
    What the clerk's process runs.
    """

    clerk: Clerk
    lane: Lane
    stores: Stores
    holds: PostgresHolds
    expiries: RedisExpiries

    async def close(self) -> None:
        """
        Publish what waits and close every connection.
        """
        await self.stores.close()
        await self.expiries.close()
        await self.holds.close()


async def assemble_clerk(
    settings: Settings, metrics: Metrics, stores: Stores
) -> ClerkWork:
    """
    Join everything.

    Raises:
        VaultError: the key ring cannot be used.
        RefusedStartError: fault points outside of tests; or a key ring of other books.
        BooksUnavailableError: the policy could not be read.

    """
    try:
        key_ring = open_key_ring(settings, await stores.readings.last_approval())
    except ForeignKeyRingError as error:
        raise RefusedStartError(str(error)) from error
    observer = EngineObserver(metrics)
    policies = Policies(stores.readings, await stores.readings.load_policy(None))
    faults = fault_points(settings, CLERK_NUMBER)
    lane = Lane(
        tools=Tools(
            books=stores.books,
            policies=policies,
            codes=VaultCodes(key_ring),
            ids=cast("TransactionIds", TimeOrderedIds()),
            faults=faults,
        ),
        live=stores.live,
        settings=lane_settings(settings),
        observer=observer,
        jitter=random.random,
    )
    observer.watch_queue(lambda: settings.lane.queue_limit - lane.free)
    holds = PostgresHolds(books_address(settings), session_of(settings))
    expiries = RedisExpiries(
        redis_address(settings),
        token=f"{os.getpid()}-{secrets.token_hex(_TOKEN_BYTES)}",
        lease_ms=settings.clerk.lease_ms,
        options=live_options(settings, patience=_PATIENCE),
        on_event=LiveObserver(metrics),
    )
    clerk = Clerk(
        lane=lane,
        book=holds,
        expiries=expiries,
        bounds=_bounds(settings),
        observer=ClerkObserver(metrics, asyncio.get_running_loop().time),
        faults=faults,
        jitter=random.random,
    )
    return ClerkWork(
        clerk=clerk, lane=lane, stores=stores, holds=holds, expiries=expiries
    )


def _bounds(settings: Settings) -> ClerkBounds:
    clerk = settings.clerk
    return ClerkBounds(
        poll_s=clerk.poll_ms / 1_000,
        gather_s=clerk.gather_ms / 1_000,
        look_s=clerk.look_interval_ms / 1_000,
        alone_s=clerk.look_without_redis_ms / 1_000,
        reload_s=clerk.reload_interval_s,
        in_flight_limit=min(clerk.in_flight_limit, settings.lane.queue_limit),
        retry_limit=clerk.retry_limit,
        sweep_timeout_s=clerk.sweep_timeout_ms / 1_000,
    )
