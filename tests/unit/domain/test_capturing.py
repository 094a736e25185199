"""
Capture and CancelAuthorization, as decisions.
"""

from dataclasses import replace
from typing import Any

import pytest

from currency import MAX_MINOR_UNITS, Currency
from gateway.domain.cards import BlockReason, CardState
from gateway.domain.errors import InvariantError
from gateway.domain.holding import recorded_id
from gateway.domain.holds import HoldState
from gateway.domain.record import Account
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.held_world import (
    ask,
    cancel,
    capture,
    held,
    holding_rules,
)
from tests.support.world import amount, card


def test_a_capture_takes_a_part_and_frees_the_rest() -> None:
    """
    48.00 of 60.00: debited and posted like a sale, 12.00 are free in the same row.
    """
    on = held()
    decision = ask(capture(amount(48_00)), on)
    record, (ended,), after = decision.record, decision.holds, decision.card

    assert after is not None
    assert (record.activity, record.card_minor) == (ActivityType.CAPTURE, 48_00)
    assert (after.balance_minor, after.held_minor) == (52_00, 0)
    assert (ended.state, ended.captured_minor) == (HoldState.CAPTURED, 48_00)
    assert decision.step is not None
    assert decision.step.held_change_minor == -60_00
    assert [(one.account, one.amount_minor) for one in decision.postings] == [
        (Account.CARD_LIABILITY, 48_00),
        (Account.MERCHANT_PAYABLE, -48_00),
    ]


def test_captures_are_rounded_as_a_sum() -> None:
    """
    Each part debits what the sum so far is worth, less what was debited before.
    """
    on = held(amount(10_000, "JPY"))
    debits, roundings = [], []
    for number, yen in enumerate((3_333, 3_333, 3_334), start=3):
        command = capture(amount(yen, "JPY"), keep_open=True, number=number)
        decision = ask(command, on, rules=holding_rules(rates={"JPY": "0.007"}))
        debits.append(decision.record.card_minor)
        roundings.append(decision.record.rounding)
        on = on.after(decision)

    assert debits == [22_16, 22_17, 22_17]
    assert sum(debits) == 66_50
    assert roundings[-1] == 0
    assert on.hold.state is HoldState.CAPTURED
    assert on.card.held_minor == 0


def test_without_an_amount_all_is_taken() -> None:
    """
    It is all that is left, which the row says was asked for.
    """
    on = held()
    first = ask(capture(amount(20_00), keep_open=True), on)
    rest = ask(capture(number=5), on.after(first))

    assert first.holds[0].state is HoldState.OPEN
    assert (rest.record.requested_minor, rest.record.approved_minor) == (40_00, 40_00)
    assert rest.record.requested_exponent == Currency.of("USD").exponent


@pytest.mark.parametrize(
    ("tip_bps", "minor", "result"),
    [
        (0, 60_01, Result.EXCEEDS_AUTHORIZED),
        (2_000, 72_00, Result.APPROVED),
        (2_000, 72_01, Result.EXCEEDS_AUTHORIZED),
        (10_000, 100_00, Result.APPROVED),
        (10_000, 100_01, Result.INSUFFICIENT_FUNDS),
    ],
)
def test_tips(tip_bps: int, minor: int, result: Result) -> None:
    """
    Beyond the hold a programme may allow a part of it, if there is money for it.
    """
    decision = ask(capture(amount(minor)), held(), rules=holding_rules(tip_bps=tip_bps))

    assert decision.record.result is result
    if decision.card is not None:
        assert decision.card.balance_minor == 100_00 - minor


def test_a_capture_beyond_all_bounds() -> None:
    """
    No sum of captures lies beyond what can be counted: 13, before what the hold says.
    """
    decision = ask(capture(amount(MAX_MINOR_UNITS)), _part_captured())

    assert decision.record.result is Result.INVALID_AMOUNT


def _part_captured() -> Any:
    on = held()
    return on.after(ask(capture(amount(10_00), keep_open=True), on))


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (HoldState.CAPTURED, Result.EXCEEDS_AUTHORIZED),
        (HoldState.CANCELLED, Result.AUTHORIZATION_EXPIRED),
        (HoldState.EXPIRED, Result.AUTHORIZATION_EXPIRED),
    ],
)
def test_a_hold_that_has_ended(state: HoldState, result: Result) -> None:
    """
    Nothing is captured of it, with an amount or without; a cancel is 12 each time.
    """
    on = held()
    ended = on._replace(hold=replace(on.hold, state=state))
    captures = [ask(capture(asked), ended) for asked in (None, amount(1_00))]

    assert [one.record.result for one in captures] == [result, result]
    assert ask(cancel(), ended).record.result is Result.AUTHORIZATION_EXPIRED


def test_a_cancel_frees_what_is_left() -> None:
    """
    It posts nothing and approves no amount; the row says what became free.
    """
    on = _part_captured()
    decision = ask(cancel(), on)
    record, after = decision.record, decision.card

    assert after is not None
    assert (record.activity, record.approved_minor) == (ActivityType.RELEASE, 0)
    assert (record.card_minor, after.held_minor) == (50_00, 0)
    assert (after.balance_minor, decision.postings) == (90_00, ())
    assert decision.holds[0].state is HoldState.CANCELLED


def test_another_currency() -> None:
    """
    A hold is captured in its own currency: 57.
    """
    decision = ask(capture(amount(1_00, "EUR")), held())

    assert decision.record.result is Result.CURRENCY_NOT_SUPPORTED
    assert decision.record.balances_shown


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (CardState.ACTIVE, CardState.DEPLETED),
        (CardState.BLOCKED, CardState.BLOCKED),
    ],
)
def test_a_single_use_card_is_used_up(state: CardState, after: CardState) -> None:
    """
    The capture of all makes an active one DEPLETED; a block stays.
    """
    on = held(amount(60_00), card(60_00, product_id=world.ONE_TIME))
    block = BlockReason.LOST if state is CardState.BLOCKED else None
    decision = ask(capture(), on, state=state, block_reason=block)

    assert decision.card is not None
    assert (decision.card.balance_minor, decision.card.state) == (0, after)


def test_what_is_not_recorded_changes_no_hold() -> None:
    """
    A decision that changes a hold needs the id of its row.
    """
    view = world.view(card())
    bare = view._replace(stamp=view.stamp._replace(transaction_id=None))

    with pytest.raises(InvariantError):
        recorded_id(bare)
