"""
Every order of up to five messages on one hold, against a small model: no difference.

The engine decides each order message by message, on books in memory, and short ones a
second time as one batch. Orders that begin alike share what they began with.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any, cast

import pytest

from gateway.domain.commands import MoneyCommand
from gateway.domain.results import CurrentState
from tests.support import world
from tests.support.held_world import authorize, cancel, capture, increment
from tests.support.hold_model import HoldModel
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
from tests.support.hold_side import Side, holding_lane

# Which letters, and how many of them.
Case = tuple[str, int]


def side_of(terms: Terms) -> Side:
    """
    Open books under a hold's terms.
    """
    return Side.of(holding_lane(terms.tip, LIVES_S), OPENING)


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


def walk(
    side: Side, model: HoldModel, before: str, terms: Terms, case: Case
) -> Iterator[str]:
    """
    Go through all orders that begin like this one, comparing every answer.
    """
    letters, most = case
    here = side.state()
    for letter in letters:
        told, order = deepcopy(model), before + letter
        message = next_message(before, letter, terms)
        wanted = answer(told, message, terms)
        if wanted is None:
            side.books.clock += timedelta(seconds=LIVES_S)
        else:
            assert [wanted] == side.take([command_of(message, terms)]), order
        if len(order) == most:
            side.check_end(told, late="E" in order)
            yield order
        else:
            yield from walk(side, told, order, terms, case)
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
    count = sum(1 for _ in walk(side_of(terms), terms.model(), "", terms, case))

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
        side, model = side_of(terms), terms.model()
        messages = [
            next_message(order[:place], letter, terms)
            for place, letter in enumerate(order)
        ]
        wanted = [answer(model, message, terms) for message in messages]

        commands = [command_of(message, terms) for message in messages]
        assert wanted == side.take(commands), order
        side.check_end(model, late=False)


def test_what_became_of_it() -> None:
    """
    What was reversed is told so; what was captured, cancelled or released stays POSTED.
    """
    states = {}
    for order in ("PU", "PF", "PX", "PFR"):
        side = side_of(TIPPED)
        for place, letter in enumerate(order):
            message = next_message(order[:place], letter, TIPPED)
            side.take([command_of(message, TIPPED)])
        again = command_of(next_message("", "P", TIPPED), TIPPED)
        (replay,) = side.answers([again])
        states[order] = replay.state

    assert states == {
        "PU": CurrentState.REVERSED,
        "PF": CurrentState.POSTED,
        "PX": CurrentState.POSTED,
        "PFR": CurrentState.POSTED,
    }
