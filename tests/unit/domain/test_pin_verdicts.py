"""
What is kept of a PIN: what check 10 found, and nothing where it compared nothing.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import gateway.domain
from gateway.domain.cards import BlockReason, CardState
from gateway.domain.commands import Redeem
from gateway.domain.decide import decide
from gateway.domain.decision import Decision, View
from gateway.domain.explain import explain
from gateway.domain.policy import PartyState
from gateway.domain.recall import Recorded
from gateway.domain.results import Result
from tests.support.pins import RIGHT, WRONG, kept_pin, pin_policy, with_pin
from tests.support.world import amount, card, place, policy, redeem, view

BLOCKED = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)
SHUT = policy(at=place(terminal=PartyState.SUSPENDED))
# By what a PIN is not come to, or not compared.
UNCOMPARED: dict[Result, Callable[[Redeem], tuple[Redeem, View]]] = {
    Result.INVALID_TERMINAL: lambda sale: (sale, seeing(rules=SHUT)),
    Result.INVALID_AMOUNT: lambda sale: (replace(sale, amount=amount(0)), seeing()),
    Result.LOST_CARD: lambda sale: (sale, seeing(BLOCKED)),
    Result.EXPIRED_CARD: lambda sale: (
        sale,
        seeing(card(expires_on=date(2020, 1, 1))),
    ),
    Result.PIN_TRIES_EXCEEDED: lambda sale: (sale, seeing(tries=3)),
}


def seeing(seen: Any = None, *, tries: int = 0, rules: Any = None) -> View:
    """
    Look at a card whose product asks a PIN for everything.
    """
    pin = kept_pin(tries)
    return view(seen or card(), rules=pin_policy(rules=rules), pin=pin)


def verdict(decision: Decision) -> bool | None:
    """
    Read what is kept of a PIN: whether it was right.
    """
    assert decision.record.seen is not None
    right: bool | None = json.loads(decision.record.seen)["pin"][1]
    return right


@pytest.mark.parametrize("result", UNCOMPARED)
def test_what_is_not_compared_leaves_no_trace_of_the_pin(result: Result) -> None:
    """
    A right and a wrong one leave the same row, to the octet.
    """
    asked = UNCOMPARED[result]
    rows = [
        decide(*asked(with_pin(redeem(amount(1_00)), digits)), None)
        for digits in (RIGHT, WRONG)
    ]

    assert rows[0].record.result is result
    assert rows[0] == rows[1]
    assert verdict(rows[0]) is None


@pytest.mark.parametrize(("tries", "price"), [(0, 1_00), (2, 1_00), (0, 999_00)])
def test_what_check_10_found_is_kept(tries: int, price: int) -> None:
    """
    Whatever the later checks say; wrong is what the result says too.
    """
    for digits in (RIGHT, WRONG):
        sale = with_pin(redeem(amount(price)), digits)
        assert verdict(decide(sale, seeing(tries=tries), None)) is (digits == RIGHT)


def test_a_pin_is_compared_in_one_place() -> None:
    """
    A second compare would be a way to guess that nobody counts.
    """
    folder = Path(gateway.domain.__path__[0])
    comparing = [
        path.name
        for path in folder.glob("*.py")
        if "compare_digest" in path.read_text(encoding="utf-8")
    ]

    assert comparing == ["pin.py"]
    assert (folder / "pin.py").read_text(encoding="utf-8").count("compare_digest") == 1


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("result", UNCOMPARED)
def test_an_older_row_is_explained_all_the_same(result: Result, right: bool) -> None:
    """
    An older release kept a verdict where nothing was compared; nothing follows from it.
    """
    command, seen = UNCOMPARED[result](with_pin(redeem(amount(1_00)), RIGHT))
    record = decide(command, seen, None).record
    kept = json.loads(record.seen or b"")
    kept["pin"][1] = right
    older = record._replace(seen=json.dumps(kept).encode())

    found = explain(
        Recorded(record=older, policy=seen.policy, cards={card().card_id: card()})
    )

    assert found.differences == ()
    assert found.checks[-1].result is result
