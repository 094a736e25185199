"""
Run the demo from an empty folder to its summary.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from rich.console import Console

from currency import ImportedRate
from till.demo.audit import audit
from till.demo.chain import Cards, create_chain
from till.demo.exceptions import compare_exceptions, list_exceptions
from till.demo.fleet import Fleet, visited_stores
from till.demo.folder import DemoFolder
from till.demo.gateway_process import GatewayProcess
from till.demo.moving_clock import MovingClock
from till.demo.reporter import Reporter
from till.demo.scrip_command import ScripCommand
from till.demo.story_audit import StoryAudit
from till.demo.summary import Outcome, show, write_json
from till.simulation.places import Store, all_stores
from till.simulation.plan import Visit, plan_visits
from till.simulation.purchases import FIRST_DAY, read_purchases
from till.simulation.rate_table import demo_rates, rate_book
from till.simulation.replay import Replay, TillName
from till.simulation.tally import Tally
from till.stories.desk import Asked
from till.stories.places import AMIRA, STORY_STORES
from till.stories.playing import Player
from till.stories.record import Record
from till.stories.telling import plan_stories

# Each till has a connection, which takes a file on both sides.
FILES_WANTED: Final = 8_192
_MILLI: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """
    Be what a person may choose.
    """

    folder: Path
    last_day: date
    workers: int
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    Be all that is known before anything starts.
    """

    stores: tuple[Store, ...]
    rates: list[ImportedRate]
    visits: list[Visit]

    @classmethod
    def until(cls, last_day: date) -> Plan:
        """
        Plan up to a day.
        """
        stores = all_stores()
        rates = demo_rates(FIRST_DAY, last_day)
        visits = plan_visits(
            read_purchases(), stores, rate_book(rates), last_day=last_day
        )
        return cls(stores=stores, rates=rates, visits=visits)


class Demo:
    """
    Be one run: the gateway it started, and what came of it.
    """

    def __init__(
        self, options: DemoOptions, folder: DemoFolder, console: Console
    ) -> None:
        self._options = options
        self._folder = folder
        self._console = console
        self._started_s = time.monotonic()
        self._gateway: GatewayProcess | None = None
        self.cards = Cards({}, {})
        self.visits: Sequence[Visit] = ()

    @property
    def address(self) -> str:
        """
        Give the gateway's address.
        """
        return "" if self._gateway is None else self._gateway.address

    async def wait(self) -> None:
        """
        Wait until the gateway ends, which it should not do by itself.
        """
        if self._gateway is not None:
            await self._gateway.wait()
            self._gateway.require_alive()

    async def stop(self) -> None:
        """
        Stop the gateway, if it was started.
        """
        if self._gateway is not None:
            await self._gateway.stop()

    async def run(self) -> Outcome:
        """
        Start, create, replay, check, and show the summary.
        """
        _raise_file_limit()
        scrip = ScripCommand.on(self._folder.data, dict(os.environ))
        with Reporter(self._console) as reporter:
            plan = Plan.until(self._options.last_day)
            self.visits = plan.visits
            reporter.say(
                f"planned {len(plan.visits):,} purchases at {len(plan.stores)} stores "
                f"from {FIRST_DAY} to {self._options.last_day}"
            )
            self._gateway = await GatewayProcess.start(
                scrip, workers=self._options.workers, log=self._folder.server_log
            )
            reporter.say(f"the gateway serves at {self.address}")
            async with _moving_clock(scrip) as clock:
                self.cards = await create_chain(
                    scrip,
                    self._folder,
                    clock,
                    stores=plan.stores,
                    rates=plan.rates,
                    customers={visit.customer for visit in plan.visits},
                    first_day=FIRST_DAY,
                    done=lambda what: reporter.say(f"created {what}"),
                )
                outcome = await self._trade(scrip, plan, clock, reporter)
        show(outcome, self._console)
        await asyncio.to_thread(
            self._folder.summary.write_text, write_json(outcome) + "\n", "utf-8"
        )
        return outcome

    async def _trade(
        self, scrip: ScripCommand, plan: Plan, clock: MovingClock, reporter: Reporter
    ) -> Outcome:
        tally = Tally()
        record = Record(
            plan_stories(
                rate_book(plan.rates),
                self.cards.of_stories,
                last_day=self._options.last_day,
            )
        )
        names = {TillName.of(visit) for visit in plan.visits}
        async with (
            self._fleet(visited_stores(plan.stores, names), tally) as fleet,
            self._fleet(STORY_STORES, Tally()) as story_fleet,
        ):
            desks: dict[TillName, Asked] = {AMIRA: await story_fleet.desk(AMIRA)}
            began_s = time.monotonic()
            replay = Replay(
                plan.visits,
                tills=fleet.tills,
                cards=self.cards.of_customers,
                clock=clock,
                in_flight=self._options.in_flight,
                beside=Player(
                    record,
                    senders=story_fleet.senders,
                    desks=desks,
                    folder=self._folder.path,
                ),
            )
            await replay.run(reporter.replaying(len(plan.visits), tally))
            replay_s = Decimal(time.monotonic() - began_s).quantize(_MILLI)
            reporter.say(
                f"replayed {tally.visits:,} purchases in {replay_s:.1f} s, and played "
                f"{len(record.stories)} stories beside them"
            )
            result = await audit(
                plan.visits,
                tally,
                senders=fleet.senders,
                cards=self.cards.of_customers,
                asked=reporter.counting("asking for each sale", len(tally.sales)),
            )
            reporter.say(f"asked the gateway for {len(tally.sales):,} sales")
            await StoryAudit(record, story_fleet.senders, desks).run()
            reporter.say(f"asked for {len(record.played):,} steps of the stories")
            connections = fleet.connections + story_fleet.connections
            streams = len(fleet.streams)
        books, exceptions = await asyncio.gather(
            scrip.run("books", "check"), list_exceptions(scrip)
        )
        compare_exceptions(record, exceptions)
        reporter.say("checked the books")
        return Outcome(
            tally=tally,
            audit=result,
            stories=record,
            replay_s=replay_s,
            total_s=Decimal(time.monotonic() - self._started_s).quantize(_MILLI),
            connections=connections,
            streams=streams,
            books_clean=books.code == 0,
            books_text=_last_line(books.output or books.errors),
        )

    def _fleet(self, stores: Iterable[Store], tally: Tally) -> Fleet:
        return Fleet(
            stores,
            address=self.address,
            credentials=self._folder.credentials,
            tally=tally,
        )


@asynccontextmanager
async def _moving_clock(scrip: ScripCommand) -> AsyncIterator[MovingClock]:
    clock = await MovingClock.start(scrip)
    try:
        yield clock
    finally:
        await clock.stop()


def _raise_file_limit() -> None:
    """
    Allow as many open files as the system lets us; the gateway inherits it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "said nothing"
