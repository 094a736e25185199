"""
The engine and a small model of limits agree, whatever is asked, undone and waited for.

The model keeps a list of what was done, and counts by going through it: nothing of it
is shared with the code that counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from currency import Currency
from gateway.domain.ids import LimitSetId, LimitVersionId
from gateway.domain.limits import UNUSED, DayUse, FlowLimits, Limits
from gateway.domain.results import APPROVALS, Result
from gateway.engine.attempt import Attempt
from gateway.engine.hints import Hints, RestartError
from gateway.engine.items import Item
from gateway.engine.policies import Policies
from gateway.engine.tools import Tools
from tests.support import world
from tests.support.engine_world import CONTROLLER, T2, lane_policy, on_second
from tests.support.fake_books import FakeBooks
from tests.support.fake_ports import (
    CountingIds,
    FakeCodes,
    FakeFaultPoint,
    at_once,
)

if TYPE_CHECKING:
    from datetime import date

    from gateway.domain.commands import MoneyCommand
    from gateway.engine.answers import Answer

SET: Final = LimitSetId(1)
USD: Final = Currency.of("USD")
# The programme is in Dubai, the store in Beirut: the two midnights lie apart.
DUBAI: Final = timedelta(hours=4)
BEIRUT: Final = timedelta(hours=2)
RICH: Final = 10**9


@dataclass
class Done:
    """
    One approved load or sale.
    """

    number: int
    flow: str
    minor: int
    at: datetime
    terminal: int
    undone_at: datetime | None = None


@dataclass
class Model:
    """
    What was done, and whether something more may be.
    """

    load: FlowLimits
    spend: FlowLimits
    terminal: FlowLimits
    done: list[Done] = field(default_factory=list)

    def refusal(self, flow: str, minor: int, at: datetime, terminal: int) -> Result:
        """
        Go through the limits in their order.
        """
        limits = self.load if flow == "load" else self.spend
        today = [
            one
            for one in self.done
            if one.flow == flow and self._counts(one, at, DUBAI)
        ]
        total = sum(one.minor for one in today)
        if limits.amount_minor is not None and minor > limits.amount_minor:
            return Result.LIMIT_EXCEEDED
        if limits.day_minor is not None and total + minor > limits.day_minor:
            return Result.LIMIT_EXCEEDED
        if limits.day_count is not None and len(today) >= limits.day_count:
            return Result.COUNT_EXCEEDED
        if limits.window_count is not None:
            since = at - timedelta(seconds=limits.window_s or 0)
            recent = [
                one
                for one in self.done
                if one.flow == flow and one.undone_at is None and one.at > since
            ]
            if len(recent) >= limits.window_count:
                return Result.COUNT_EXCEEDED
        return self._refusal_of_terminal(flow, minor, at, terminal)

    def _refusal_of_terminal(
        self, flow: str, minor: int, at: datetime, terminal: int
    ) -> Result:
        here = [
            one
            for one in self.done
            if one.flow == flow
            and one.terminal == terminal
            and self._counts(one, at, BEIRUT)
        ]
        limits = self.terminal if terminal == 1 else FlowLimits()
        total = sum(one.minor for one in here)
        if limits.day_minor is not None and total + minor > limits.day_minor:
            return Result.LIMIT_EXCEEDED
        if limits.day_count is not None and len(here) >= limits.day_count:
            return Result.COUNT_EXCEEDED
        return Result.APPROVED

    def use_of_card(self, day: date | None) -> DayUse:
        """
        Sum up a day of the card.
        """
        return self._use(day, DUBAI, self.done)

    def use_of_terminal(self, day: date | None) -> DayUse:
        """
        Sum up a business day of the first terminal.
        """
        return self._use(day, BEIRUT, [one for one in self.done if one.terminal == 1])

    def _use(self, day: date | None, zone: timedelta, done: list[Done]) -> DayUse:
        standing = [
            one
            for one in done
            if (one.at + zone).date() == day and self._counts(one, one.at, zone)
        ]
        loads = [one.minor for one in standing if one.flow == "load"]
        spends = [one.minor for one in standing if one.flow == "spend"]
        return DayUse(day, sum(loads), len(loads), sum(spends), len(spends))

    def _counts(self, one: Done, at: datetime, zone: timedelta) -> bool:
        """
        Tell whether it is of this day, and was not undone on its own day.
        """
        day = (one.at + zone).date()
        if day != (at + zone).date():
            return False
        return one.undone_at is None or (one.undone_at + zone).date() != day


class Bench:
    """
    An engine over books in memory, with a card and limits.
    """

    def __init__(self, model: Model, seconds_of_day: int) -> None:
        card_limits = Limits(
            version_id=LimitVersionId(1),
            currency=USD,
            load=model.load,
            spend=model.spend,
        )
        known = lane_policy()
        products = {
            product_id: replace(product, limit_set_id=LimitSetId(2))
            for product_id, product in known.products.items()
        }
        roomy = Limits(
            version_id=LimitVersionId(3),
            currency=USD,
            load=FlowLimits(day_minor=RICH),
        )
        of_terminal = Limits(
            version_id=LimitVersionId(2),
            currency=USD,
            load=model.terminal,
            spend=model.terminal,
        )
        rules = replace(
            known,
            products=products,
            limits={SET: card_limits, LimitSetId(2): roomy},
            terminal_limits={world.TERMINAL: of_terminal},
        )
        begin = world.NOW.replace(hour=0) + timedelta(seconds=seconds_of_day)
        card = replace(world.card(RICH), limit_set_id=SET)
        self.books = FakeBooks(rules, [card], begin)
        self.books.terminal_uses[world.TERMINAL] = UNUSED
        self.tools = Tools(
            books=self.books,
            policies=Policies(self.books, rules),
            codes=FakeCodes(),
            ids=CountingIds(),
            faults=FakeFaultPoint(),
        )

    def run(self, commands: list[MoneyCommand]) -> list[Answer]:
        """
        Run one batch.
        """
        items = [
            Item(caller=CONTROLLER, command=command, deadline=0, future=None)  # type: ignore[arg-type]
            for command in commands
        ]
        hints = Hints()
        while True:
            try:
                done = at_once(Attempt(self.tools, items, hints).run())
            except RestartError as restart:
                if restart.refused:
                    raise
                continue
            by_item = dict(done.answers)
            return [by_item[item] for item in items]


AMOUNTS: Final = st.one_of(st.none(), st.integers(20, 90))
COUNTS: Final = st.one_of(st.none(), st.integers(2, 5))


@st.composite
def flows(draw: st.DrawFn) -> FlowLimits:
    """
    Draw limits, each there or not.
    """
    window = draw(COUNTS)
    return FlowLimits(
        amount_minor=draw(AMOUNTS),
        day_minor=draw(AMOUNTS),
        day_count=draw(COUNTS),
        window_count=window,
        window_s=None if window is None else draw(st.sampled_from([60, 7_200, 86_400])),
    )


STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["load", "redeem"]), st.integers(1, 30)),
        st.tuples(st.sampled_from(["reverse", "void"]), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.sampled_from([1, 59, 60, 7_200, 30_000, 86_400])),
    ),
    min_size=6,
    max_size=25,
)


@settings(max_examples=250, deadline=None)
@given(
    load=flows(),
    spend=flows(),
    terminal=st.builds(FlowLimits, day_minor=AMOUNTS, day_count=COUNTS),
    begin=st.integers(0, 86_399),
    steps=STEPS,
    second=st.lists(st.booleans(), min_size=25, max_size=25),
)
def test_the_engine_and_the_model_agree_on_limits(
    load: FlowLimits,
    spend: FlowLimits,
    terminal: FlowLimits,
    begin: int,
    steps: list[tuple[str, int]],
    second: list[bool],
) -> None:
    """
    Windows, days in two zones, reversals and voids, in batches between waits.
    """
    model = Model(load, spend, terminal)
    bench = Bench(model, begin)
    batch: list[MoneyCommand] = []
    for number, ((kind, value), elsewhere) in enumerate(
        zip(steps, second, strict=False), start=1
    ):
        if kind == "wait":
            _settle(bench, model, batch)
            bench.books.clock += timedelta(seconds=value)
            continue
        command = _command(kind, value, number, model)
        if command is not None:
            batch.append(on_second(command) if elsewhere else command)
        if kind in {"reverse", "void"}:
            _settle(bench, model, batch)
    _settle(bench, model, batch)


def _command(kind: str, value: int, number: int, model: Model) -> MoneyCommand | None:
    if kind == "load":
        return world.load(world.amount(value), number=number)
    if kind == "redeem":
        return world.redeem(world.amount(value), number=number)
    if value >= len(model.done):
        return None
    original = model.done[value]
    make = world.reverse if kind == "reverse" else world.void
    command = make(original.number, number=number)
    if original.terminal == 1:
        return command
    return replace(command, original=command.original._replace(terminal_id=T2))


def _settle(bench: Bench, model: Model, batch: list[MoneyCommand]) -> None:
    """
    Run what waits, and hold each answer to the model.
    """
    if not batch:
        return
    for command, answer in zip(batch, bench.run(batch), strict=True):
        number = int.from_bytes(command.request_id)
        place = int(command.terminal_id)
        at, result = answer.record.host_time, answer.record.result
        original = getattr(command, "original", None)
        if original is None:
            flow = "load" if type(command).__name__ == "Load" else "spend"
            minor = answer.record.requested_minor or 0
            expected = model.refusal(flow, minor, at, place)
            assert result is expected
            if result in APPROVALS:
                model.done.append(Done(number, flow, minor, at, place))
        elif result in APPROVALS and answer.record.effective:
            for one in model.done:
                if one.number == int.from_bytes(original.request_id):
                    one.undone_at = at
    batch.clear()
    uses = bench.books.uses
    assert all(use == model.use_of_card(use.day) for use in uses.values())
    terminal = bench.books.terminal_uses[world.TERMINAL]
    assert terminal == model.use_of_terminal(terminal.day)
