"""
Lanes of the engine on a real Postgres, without the wire and without Redis.

The database is one of `tests.support.ledger.seed`.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

from gateway.books.connect import Session
from gateway.books.lane import PostgresBooks
from gateway.books.readings import PostgresReadings
from gateway.domain.commands import CardRef, Command, MoneyCommand
from gateway.domain.policy import Caller, DeviceName
from gateway.engine.answers import Answer
from gateway.engine.lane import Lane, LaneSettings
from gateway.engine.policies import Policies
from gateway.engine.ports import FaultPoint, TransactionIds
from gateway.engine.tools import Tools
from gateway.runtime.fault_points import NoFaults
from gateway.runtime.time_ordered_ids import TimeOrderedIds
from tests.support.fake_ports import FakeCodes, FakeLive, FakeObserver
from tests.support.ledger import number_index

OFFICE: Final = Caller(DeviceName("acme", "beirut", "office"), b"\x03" * 32)
TILL: Final = Caller(DeviceName("acme", "beirut", "till-1"), b"\x01" * 32)
PATIENCE_S: Final = 30.0
NO_FAULTS: Final = NoFaults()

_C = TypeVar("_C", bound=Command)


@dataclass(frozen=True, slots=True)
class RealLane:
    """
    A lane that runs, and who hears of it.
    """

    lane: Lane
    observer: FakeObserver
    policies: Policies

    def submit(
        self, command: MoneyCommand, caller: Caller = OFFICE
    ) -> asyncio.Future[Answer]:
        """
        Queue a command.
        """
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        return self.lane.submit(caller, command, deadline)

    async def ask(self, *commands: MoneyCommand) -> Sequence[Answer]:
        """
        Queue commands together, so that they are one batch if it holds them.
        """
        return await asyncio.gather(*map(self.submit, commands))


@asynccontextmanager
async def real_lane(
    gateway_dsn: str,
    *,
    batch_limit: int = 256,
    faults: FaultPoint = NO_FAULTS,
    session: Session | None = None,
) -> AsyncIterator[RealLane]:
    """
    Run a lane with connections of its own; drain it at the end.
    """
    session = session or Session()
    books = PostgresBooks(gateway_dsn, session)
    readings = PostgresReadings(gateway_dsn, session)
    observer = FakeObserver()
    policies = Policies(readings, await readings.load_policy(None))
    lane = Lane(
        tools=Tools(
            books=books,
            policies=policies,
            codes=FakeCodes(),
            ids=cast("TransactionIds", TimeOrderedIds()),
            faults=faults,
        ),
        live=FakeLive(),
        settings=LaneSettings(
            queue_limit=4_096,
            batch_limit=batch_limit,
            restart_limit=3,
            retry_limit=3,
            resolve_timeout_s=10,
        ),
        observer=observer,
        jitter=random.random,
    )
    running = asyncio.create_task(lane.run())
    try:
        yield RealLane(lane, observer, policies)
    finally:
        lane.drain()
        await asyncio.wait_for(running, PATIENCE_S)
        await books.close()
        await readings.close()


def on_card(command: _C, card_id: int = 1) -> _C:
    """
    Give a command of `tests.support.world` for a seeded card.
    """
    return replace(command, card=CardRef(number_index(card_id), f"{card_id:04}"))
