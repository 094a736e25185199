"""
What a command that names a hold finds in place of one, as decisions.
"""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.commands import Naming
from gateway.domain.decide import decide
from gateway.domain.ids import MerchantId
from gateway.domain.policy import PartyState, Policy
from gateway.domain.results import Result
from tests.support import world
from tests.support.held_world import (
    ask,
    authorize,
    cancel,
    capture,
    held,
    holding_rules,
    increment,
)
from tests.support.world import amount, card

_STORE = world.place()
_CLOSED = replace(
    world.place(), terminal=replace(_STORE.terminal, state=PartyState.CLOSED)
)


def _at(place: Any, rules: Policy) -> Policy:
    return replace(rules, places={world.TERMINAL: place})


@pytest.mark.parametrize(
    "command", [increment(amount(1_00)), capture(amount(1_00)), capture(), cancel()]
)
def test_what_names_no_hold(command: Naming) -> None:
    """
    An unknown id, a sale, a declined Authorize and an increment are no hold: 25.
    """
    on = held()
    sale, _ = world.done(world.redeem(amount(1_00)), card())
    asked = world.view(card(), rules=holding_rules())
    declined = decide(authorize(amount(500_00)), asked, None).record
    more = ask(increment(amount(1_00), number=9), on).record
    blind = decide(command, world.view(None, rules=holding_rules()), None)
    none = on._replace(hold=None)  # type: ignore[arg-type]
    decisions = [
        ask(command, none, record=sale),
        ask(command, none, record=declined),
        ask(command, on, record=more),
    ]

    assert blind.record.result is Result.ORIGINAL_NOT_FOUND
    assert blind.record.card_id is None
    assert [one.record.result for one in decisions] == [Result.ORIGINAL_NOT_FOUND] * 3


@pytest.mark.parametrize(
    "command", [increment(amount(1_00)), capture(amount(1_00)), cancel()]
)
def test_an_original_without_a_card(command: Naming) -> None:
    """
    An Authorize of an unknown card was declined: 25.
    """
    view = world.view(None, rules=holding_rules())
    record = decide(authorize(amount(1_00)), view, None).record
    original = held().original(record)._replace(hold=None)
    decision = decide(command, view, original)

    assert record.result is Result.INVALID_CARD
    assert decision.record.result is Result.ORIGINAL_NOT_FOUND


@pytest.mark.parametrize(
    "command", [increment(amount(1_00)), capture(amount(1_00)), capture(), cancel()]
)
def test_what_is_refused_before_the_hold(command: Naming) -> None:
    """
    The place (58), the amount (13), the card (14), another card or merchant (25).
    """
    on = held()
    elsewhere = replace(command, card=replace_card(command))
    merchant = replace(_STORE.merchant, merchant_id=MerchantId(2))
    foreign = _at(replace(_STORE, merchant=merchant), holding_rules())
    foreign = replace(foreign, accepted=frozenset({(world.PROGRAM, MerchantId(2))}))
    decided = {
        "INVALID_TERMINAL": ask(command, on, rules=_at(_CLOSED, holding_rules())),
        "INVALID_CARD": ask(
            command, on, rules=replace(holding_rules(), accepted=frozenset())
        ),
    }

    assert {name: one.record.result.name for name, one in decided.items()} == {
        name: name for name in decided
    }
    for refused in (ask(elsewhere, on), ask(command, on, rules=foreign)):
        assert refused.record.result is Result.ORIGINAL_NOT_FOUND
        assert refused.record.original_transaction_id is None


def replace_card(command: Naming) -> Any:
    """
    Give a card number that is not the hold's.
    """
    like = world.redeem(amount(1)).card
    assert like is not None
    assert command.card is None
    return like._replace(number_index=b"\x09" * 32)


@pytest.mark.parametrize("command", [increment(amount(0)), capture(amount(0))])
def test_no_amount_of_nothing(command: Naming) -> None:
    """
    Check 5 comes before the original is looked at.
    """
    assert ask(command, held()).record.result is Result.INVALID_AMOUNT
