"""
Authorize and IncrementAuthorization, as decisions.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Command
from gateway.domain.decide import decide
from gateway.domain.decision import Decision
from gateway.domain.holds import HoldState
from gateway.domain.ids import RestrictionSetId, RestrictionVersionId
from gateway.domain.policy import PartyState, Policy
from gateway.domain.restrictions import (
    ListedCountry,
    ListRule,
    RefusalReason,
    Restriction,
)
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.held_world import (
    ask,
    authorize,
    capture,
    held,
    holding_rules,
    increment,
)
from tests.support.world import amount, card


def hold(
    command: Command, seen: Card | None = None, rules: Policy | None = None
) -> Decision:
    """
    Decide an Authorize.
    """
    view = world.view(seen or card(), rules=rules or holding_rules())
    return decide(command, view, None)


def test_an_amount_is_held() -> None:
    """
    The ledger stays, available is less by it; nothing is posted; it keeps its rates.
    """
    decision = hold(authorize(amount(10_000, "KWD")))
    record, (placed,) = decision.record, decision.holds

    assert (record.result, record.activity) == (Result.APPROVED, ActivityType.AUTHORIZE)
    assert (record.approved_minor, record.card_minor) == (10_000, 32_52)
    assert (record.balance_after_minor, record.available_after_minor) == (
        100_00,
        67_48,
    )
    assert record.held_after_minor == 32_52
    assert decision.postings == ()
    assert decision.card is not None
    assert decision.card.next_hold_expiry == placed.expires_at
    assert (placed.hold_id, placed.state) == (record.transaction_id, HoldState.OPEN)
    assert (placed.authorized_minor, placed.held_minor) == (10_000, 32_52)
    assert (placed.rate_transaction, placed.applied_rate) == (
        record.rate_transaction,
        record.applied_rate,
    )
    assert decision.step is not None
    assert decision.step.held_change_minor == 32_52
    assert placed.expires_at == world.NOW + timedelta(days=7)


@pytest.mark.parametrize(
    ("asked_s", "lives_s"), [(None, 600), (60, 60), (600, 600), (601, 600)]
)
def test_a_request_may_only_shorten(asked_s: int | None, lives_s: int) -> None:
    """
    A hold lives as long as its product lets it, unless the request asks for less.
    """
    decision = hold(
        authorize(amount(1), live_s=asked_s), None, holding_rules(hold_ttl_s=600)
    )

    assert decision.holds[0].expires_at == world.NOW + timedelta(seconds=lives_s)


def test_the_first_end_is_kept() -> None:
    """
    A card is looked at when the first of its holds ends.
    """
    first = held(amount(1_00))
    later = hold(authorize(amount(1_00), number=9), first.card)
    sooner = hold(authorize(amount(1_00), live_s=60, number=9), first.card)

    assert later.card is not None
    assert sooner.card is not None
    assert later.card.next_hold_expiry == first.hold.expires_at
    assert sooner.card.next_hold_expiry == world.NOW + timedelta(seconds=60)


def test_in_part() -> None:
    """
    With allow_partial what the card pays for is held; nothing is never held.
    """
    part = hold(authorize(amount(5_000, "KWD"), allow_partial=True), card(10_00))
    whole = hold(authorize(amount(10_00), allow_partial=True), card(10_00))
    results = [
        hold(authorize(amount(130_00))).record.result,
        hold(authorize(amount(5_00), allow_partial=True), card(0)).record.result,
        hold(authorize(amount(2, "KWD"), allow_partial=True), card(0)).record.result,
    ]

    assert part.record.result is Result.APPROVED_PARTIAL
    assert (part.holds[0].authorized_minor, part.holds[0].card_minor) == (3_075, 10_00)
    assert whole.record.result is Result.APPROVED
    assert results == [Result.INSUFFICIENT_FUNDS] * 3


def test_a_part_that_is_worth_nothing() -> None:
    """
    What is left may be too little for one unit of the sale's currency: 51.
    """
    yen = amount(10_000, "JPY")
    rules = holding_rules(rates={"JPY": "2"})
    decision = hold(authorize(yen, allow_partial=True), card(1_00), rules)

    assert decision.record.result is Result.INSUFFICIENT_FUNDS
    assert decision.holds == ()


_STORE = world.place()
_CLOSED = replace(
    world.place(), terminal=replace(_STORE.terminal, state=PartyState.CLOSED)
)


def _at(place: Any, rules: Policy) -> Policy:
    return replace(rules, places={world.TERMINAL: place})


@pytest.mark.parametrize(
    ("command", "seen", "rules", "result", "shown"),
    [
        (amount(1), card(), _at(_CLOSED, holding_rules()), "INVALID_TERMINAL", False),
        (amount(0), card(), holding_rules(), "INVALID_AMOUNT", False),
        (amount(1), None, holding_rules(), "INVALID_CARD", False),
        (amount(1), card(), world.policy(), "NOT_PERMITTED", False),
        (
            amount(1),
            card(state=CardState.BLOCKED, block_reason=BlockReason.STOLEN),
            holding_rules(),
            "STOLEN_CARD",
            False,
        ),
        (
            amount(1),
            card(expires_on=date(2020, 1, 1)),
            holding_rules(),
            "EXPIRED_CARD",
            False,
        ),
        (
            amount(1, "GBP"),
            card(),
            holding_rules(),
            "CURRENCY_NOT_SUPPORTED",
            True,
        ),
        (amount(100_00, "LBP"), card(), holding_rules(), "INVALID_AMOUNT", True),
        (
            amount(50_01),
            card(),
            holding_rules(max_redeem_minor=50_00),
            "LIMIT_EXCEEDED",
            True,
        ),
    ],
)
def test_what_is_not_held(
    command: Any, seen: Card | None, rules: Policy, result: str, shown: bool
) -> None:
    """
    The checks are a Redeem's, in its order; a decline holds nothing.
    """
    decision = decide(authorize(command), world.view(seen, rules=rules), None)

    assert decision.record.result.name == result
    assert decision.record.balances_shown is shown
    assert (decision.holds, decision.step, decision.card) == ((), None, None)


def test_more_is_held_at_the_rate_of_the_hold() -> None:
    """
    An increment grows the hold to the worth of the whole, whatever the rate is now.
    """
    on = held(amount(10_000, "KWD"))
    rules = holding_rules(rates={"KWD": "3.3"})
    decision = ask(increment(amount(1, "KWD")), on, rules=rules)
    more = ask(increment(amount(4, "KWD"), number=5), on, rules=rules)
    record, (grown,) = more.record, more.holds

    assert decision.record.result is Result.INVALID_AMOUNT
    assert (record.approved_minor, record.card_minor) == (4, 1)
    assert record.rate_transaction == on.record.rate_transaction
    assert record.original_transaction_id == on.record.transaction_id
    assert (grown.authorized_minor, grown.card_minor) == (10_004, 32_53)
    assert grown.expires_at == on.hold.expires_at
    assert more.step is not None
    assert (more.step.transaction_id, more.step.held_change_minor) == (
        record.transaction_id,
        1,
    )


def test_increments_are_new_money() -> None:
    """
    What the card, its product and its restrictions say is asked again, then the hold.
    """
    on = held()
    blocked: dict[str, Any] = {
        "state": CardState.BLOCKED,
        "block_reason": BlockReason.LOST,
    }
    ended = on._replace(hold=replace(on.hold, state=HoldState.EXPIRED))
    most = on._replace(
        hold=replace(on.hold, authorized_minor=MAX_MINOR_UNITS, rate_transaction=None)
    )
    one = increment(amount(1))
    decided = {
        "NOT_PERMITTED": ask(one, on, rules=world.policy()),
        "LOST_CARD": ask(one, on, **blocked),
        "EXPIRED_CARD": ask(one, on, expires_on=date(2020, 1, 1)),
        "CURRENCY_NOT_SUPPORTED": ask(increment(amount(1, "EUR")), on),
        "LIMIT_EXCEEDED": ask(one, on, rules=holding_rules(max_redeem_minor=60_00)),
        "INVALID_AMOUNT": ask(one, most),
        "AUTHORIZATION_EXPIRED": ask(one, ended),
        "INSUFFICIENT_FUNDS": ask(increment(amount(40_01)), on),
    }

    assert {name: one.record.result.name for name, one in decided.items()} == {
        name: name for name in decided
    }
    assert not decided["LOST_CARD"].record.balances_shown
    assert decided["INSUFFICIENT_FUNDS"].record.balances_shown


def test_a_restricted_card_holds_no_more() -> None:
    """
    Check 11 refuses an Authorize and an increment; a capture is not asked.
    """
    on = held()
    set_id, version = RestrictionSetId(5), RestrictionVersionId(50)
    away = Restriction.of(version, [ListedCountry(ListRule.DENY, "LB")], ())
    rules = replace(holding_rules(), restrictions={set_id: away})
    seen = replace(on.card, restriction_set_id=set_id)
    placing = decide(authorize(amount(1)), world.view(seen, rules=rules), None)
    more = ask(increment(amount(1)), on, rules=rules, restriction_set_id=set_id)
    taken = ask(capture(), on, rules=rules, restriction_set_id=set_id)

    assert placing.record.refusal is RefusalReason.COUNTRY
    assert more.record.result is Result.RESTRICTED_CARD
    assert taken.record.result is Result.APPROVED
