"""
Every order of up to five messages on one hold, against a small model: no difference.

The engine decides each order message by message, on books in memory, and short ones a
second time as one batch. Orders that begin alike share what they began with.
"""

import asyncio
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from gateway.domain.cards import Card
from gateway.domain.commands import MoneyCommand
from gateway.domain.holds import HoldState
from gateway.domain.ids import CardId
from gateway.domain.policy import Policy
from gateway.domain.results import ActivityType, CurrentState
from gateway.engine.answers import Answer
from gateway.engine.attempt import Attempt, Done, Hints, RestartError, Tools
from gateway.engine.items import Entry, Item, Sweep
from gateway.engine.policies import Policies
from tests.support import world
from tests.support.engine_world import CONTROLLER, FAR, lane_policy
from tests.support.fake_books import FakeBooks
from tests.support.fake_ports import CountingIds, FakeCodes, FakeFaultPoint, at_once
from tests.support.held_world import authorize, cancel, capture, increment
from tests.support.hold_model import HoldModel, Shown
from tests.support.hold_orders import (
    DINARS,
    EXACT,
    LETTERS,
    LIVES_S,
    OPENING,
    TIPPED,
    Message,
    Terms,
    answer,
    next_message,
    orders,
)

CARD = CardId(1)
# Which letters, and how many of them.
Case = tuple[str, int]


def rules(terms: Terms) -> Policy:
    """
    Give the rules of a hold's terms.
    """
    known = lane_policy()
    program = known.programs[world.PROGRAM]
    product = known.products[world.RELOADABLE]
    return replace(
        known,
        programs={
            world.PROGRAM: replace(program, tip_tolerance_bps=int(terms.tip * 10_000))
        },
        products={
            world.RELOADABLE: replace(
                product,
                permitted=product.permitted | {ActivityType.AUTHORIZE},
                hold_ttl_s=LIVES_S,
            )
        },
    )


def command_of(message: Message, terms: Terms) -> MoneyCommand:
    """
    Give the command of a message.
    """
    minor = message.minor
    asked = None if minor is None else world.amount(minor, terms.currency)
    number, original = message.key, message.original
    if message.kind == "place":
        return authorize(cast("Any", asked), number=number)
    if message.kind == "increment":
        return increment(cast("Any", asked), original, number=number)
    if message.kind == "capture":
        return capture(asked, original, number=number, keep_open=message.keep_open)
    if message.kind == "cancel":
        return cancel(original, number=number)
    return world.reverse(original, number=number, with_card=False)


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
    terms: Terms

    @classmethod
    def of(cls, terms: Terms) -> "Side":
        """
        Open books with one card.
        """
        first = rules(terms)
        books = FakeBooks(first, [opening()], world.NOW)
        tools = Tools(
            books=books,
            policies=Policies(books, first),
            codes=FakeCodes(),
            ids=CountingIds(),
            faults=FakeFaultPoint(),
        )
        return cls(books, tools, terms)

    def take(self, messages: list[Message]) -> list[Shown]:
        """
        Decide messages as one batch.
        """
        nobody = cast("asyncio.Future[Answer]", None)
        entries: list[Entry] = [
            Item(
                caller=CONTROLLER,
                command=command_of(message, self.terms),
                deadline=FAR,
                future=nobody,
            )
            for message in messages
        ]
        return [shown(given) for _, given in self._run(entries).answers]

    def sweep(self) -> None:
        """
        Release what is due, as the clerk asks for it.
        """
        nobody = cast("asyncio.Future[None]", None)
        self._run([Sweep(card_id=CARD, deadline=FAR, future=nobody)])

    def _run(self, entries: list[Entry]) -> Done:
        hints = Hints()
        for _ in range(4):
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
        assert [hold.state.name for hold in holds] == [model.state] * bool(model.state)
        assert len(released) == model.expired
        assert sum(step.held_change_minor for step in steps) == card.held_minor
        for hold in holds:
            if hold.state is HoldState.OPEN:
                assert card.next_hold_expiry is not None
                assert card.next_hold_expiry <= hold.expires_at


def opening() -> Card:
    """
    Give the card that every order begins with.
    """
    return world.card(OPENING, loaded_minor=OPENING)


def walk(side: Side, model: HoldModel, before: str, case: Case) -> Iterator[str]:
    """
    Go through all orders that begin like this one, comparing every answer.
    """
    letters, most = case
    here = side.state()
    for letter in letters:
        told, order = deepcopy(model), before + letter
        message = next_message(before, letter, side.terms)
        wanted = answer(told, message)
        if wanted is None:
            side.books.clock += timedelta(seconds=LIVES_S)
        else:
            assert [wanted] == side.take([message]), order
        if len(order) == most:
            side.check_end(told, late="E" in order)
            yield order
        else:
            yield from walk(side, told, order, case)
        side.go_back(here)
        here = side.state()


@pytest.mark.parametrize(
    ("terms", "case"),
    [(DINARS, (LETTERS, 5)), (TIPPED, (LETTERS, 4)), (EXACT, ("PICRU", 5))],
)
def test_all_orders(terms: Terms, case: Case) -> None:
    """
    Message by message: every answer is the model's, and so are the books in the end.
    """
    count = sum(1 for _ in walk(Side.of(terms), terms.model(), "", case))

    letters, most = case
    assert count == len(letters) ** most


@pytest.mark.parametrize("terms", [DINARS, TIPPED, EXACT])
def test_all_orders_in_one_batch(terms: Terms) -> None:
    """
    All messages at once: no time passes, and the answers are the same.
    """
    for order in orders(4):
        if "E" in order:
            continue
        side, model = Side.of(terms), terms.model()
        messages = [
            next_message(order[:place], letter, terms)
            for place, letter in enumerate(order)
        ]
        wanted = [answer(model, message) for message in messages]

        assert wanted == side.take(messages), order
        side.check_end(model, late=False)


def test_what_became_of_it() -> None:
    """
    What was reversed is told so; what was captured, cancelled or released stays POSTED.
    """
    side = Side.of(TIPPED)
    states = {}
    for order in ("PU", "PF", "PX", "PFR"):
        side = Side.of(TIPPED)
        for place, letter in enumerate(order):
            side.take([next_message(order[:place], letter, TIPPED)])
        again = [
            Item(
                caller=CONTROLLER,
                command=command_of(next_message("", "P", TIPPED), TIPPED),
                deadline=FAR,
                future=cast("asyncio.Future[Answer]", None),
            )
        ]
        ((_, replay),) = side._run(list(again)).answers
        states[order] = replay.state

    assert states == {
        "PU": CurrentState.REVERSED,
        "PF": CurrentState.POSTED,
        "PX": CurrentState.POSTED,
        "PFR": CurrentState.POSTED,
    }
