"""
One card, its holds and the engine, on books in memory: the side that a model judges.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast

from gateway.domain.cards import Card
from gateway.domain.commands import MoneyCommand
from gateway.domain.holds import HoldState
from gateway.domain.ids import CardId
from gateway.domain.policy import Policy
from gateway.domain.results import ActivityType
from gateway.engine.answers import Answer
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Done, Hints, RestartError
from gateway.engine.items import Entry, Item, Sweep
from gateway.engine.policies import Policies
from gateway.engine.tools import Tools
from tests.support import world
from tests.support.engine_world import CONTROLLER, FAR, lane_policy
from tests.support.fake_books import FakeBooks
from tests.support.fake_ports import CountingIds, FakeCodes, FakeFaultPoint, at_once
from tests.support.hold_model import HoldModel, Shown

CARD = CardId(1)
# What a batch may learn, and start again with, before it is answered.
_MOST_ATTEMPTS = 4


def holding_lane(
    tip: Fraction, lives_s: int, *, version: int = 1, kwd: str = world.R1["KWD"]
) -> Policy:
    """
    Give a lane's rules under which holds live so long and captures may take a tip.
    """
    rates = (world.R1 | {"KWD": kwd}).items()
    known = lane_policy(version, rates=rates)
    program = known.programs[world.PROGRAM]
    product = known.products[world.RELOADABLE]
    return replace(
        known,
        programs={world.PROGRAM: replace(program, tip_tolerance_bps=int(tip * 10_000))},
        products={
            world.RELOADABLE: replace(
                product,
                permitted=product.permitted | {ActivityType.AUTHORIZE},
                hold_ttl_s=lives_s,
            )
        },
    )


def shown(given: Answer) -> Shown:
    """
    Read an answer in the model's words.
    """
    record, step = given.record, given.step
    balances = None
    if record.balances_shown:
        balances = (
            record.available_after_minor,
            record.balance_after_minor,
            record.held_after_minor,
        )
    hold = None
    if step is not None:
        hold = (
            step.state.name,
            step.authorized_minor,
            step.captured_minor,
            step.held_minor,
        )
    return Shown(
        record.result.name,
        record.approved_minor,
        cast("Any", balances),
        hold,
        given.replayed,
    )


@dataclass
class Side:
    """
    The books in memory, and what has been asked of them.
    """

    books: FakeBooks
    tools: Tools

    @classmethod
    def of(cls, first: Policy, balance_minor: int) -> "Side":
        """
        Open books with one card.
        """
        card = world.card(balance_minor, loaded_minor=balance_minor)
        books = FakeBooks(first, [card], world.NOW)
        tools = Tools(
            books=books,
            policies=Policies(books, first),
            codes=FakeCodes(),
            ids=CountingIds(),
            faults=FakeFaultPoint(),
        )
        return cls(books, tools)

    def take(self, commands: Sequence[MoneyCommand]) -> list[Shown]:
        """
        Decide commands as one batch.
        """
        return [shown(given) for given in self.answers(commands)]

    def answers(self, commands: Sequence[MoneyCommand]) -> list[Answer]:
        """
        Decide commands as one batch, and give the answers as they are.
        """
        nobody = cast("asyncio.Future[Answer]", None)
        entries: list[Entry] = [
            Item(
                caller=CONTROLLER,
                command=command,
                deadline=FAR,
                future=nobody,
            )
            for command in commands
        ]
        return [given for _, given in self._run(entries).answers]

    def sweep(self) -> None:
        """
        Release what is due, as the clerk asks for it.
        """
        nobody = cast("asyncio.Future[None]", None)
        self._run([Sweep(card_id=CARD, deadline=FAR, future=nobody)])

    def _run(self, entries: list[Entry]) -> Done:
        hints = Hints()
        for _ in range(_MOST_ATTEMPTS):
            try:
                return at_once(Attempt(self.tools, entries, hints).run())
            except RestartError as restart:
                if restart.refused:
                    raise
        message = "the batch kept changing"
        raise AssertionError(message)

    def state(self) -> dict[str, Any]:
        """
        Take a copy of all that may change; what is in it never does.
        """
        kept: dict[str, Any] = {}
        for name, value in vars(self.books).items():
            if isinstance(value, dict):
                kept[name] = {
                    key: list(one) if isinstance(one, list) else one
                    for key, one in value.items()
                }
            elif isinstance(value, set):
                kept[name] = set(value)
            elif isinstance(value, list):
                kept[name] = list(value)
        return {**kept, "clock": self.books.clock}

    def go_back(self, state: dict[str, Any]) -> None:
        """
        Go on from such a copy.
        """
        for name, value in state.items():
            setattr(self.books, name, value)

    def check_end(self, model: HoldModel, *, late: bool) -> None:
        """
        Sweep where something may be late, and compare what is left with the model.
        """
        if late:
            self.sweep()
        card: Card = self.books.cards[CARD]
        holds = list(self.books.holds.values())
        released = [
            record
            for record in self.books.records.values()
            if record.activity is ActivityType.RELEASE and record.request_id is None
        ]
        steps = self.books.steps.values()
        assert (card.balance_minor, card.held_minor) == (model.balance, model.held)
        assert sum(hold.held_minor for hold in holds) == card.held_minor
        assert [hold.state.name for hold in holds] == [h.state for h in model.holds]
        assert len(released) == model.expired
        assert sum(step.held_change_minor for step in steps) == card.held_minor
        for hold in holds:
            if hold.state is HoldState.OPEN:
                assert card.next_hold_expiry is not None
                assert card.next_hold_expiry <= hold.expires_at
