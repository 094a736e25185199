"""
Reverse, Void and Refund of holds and captures, as decisions; and the end by time.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.cards import CardState
from gateway.domain.decision import Decision
from gateway.domain.errors import InvariantError
from gateway.domain.holds import HoldState
from gateway.domain.record import TransactionRecord
from gateway.domain.release import expire, first_expiry, is_due
from gateway.domain.results import ActivityType, Channel, Result
from tests.support import world
from tests.support.held_world import (
    Held,
    ask,
    cancel,
    capture,
    held,
    holding_rules,
    increment,
)
from tests.support.world import amount, card


def undo(on: Held, record: TransactionRecord | None = None) -> Decision:
    """
    Reverse what placed a hold, or another record about it.
    """
    return ask(world.reverse(1, with_card=False), on, record=record)


def grown(minor: int = 20_00) -> tuple[Held, TransactionRecord]:
    """
    Hold 60.00 and then more.
    """
    on = held()
    more = ask(increment(amount(minor)), on)
    return on.after(more), more.record


def taken(on: Held, minor: int, *, keep_open: bool = True) -> tuple[Held, Decision]:
    """
    Capture a part.
    """
    decision = ask(capture(amount(minor), keep_open=keep_open), on)
    return on.after(decision), decision


def test_a_placing_is_undone_with_all_that_grew() -> None:
    """
    The hold is CANCELLED, all that it kept is free, nothing is posted.
    """
    on, _ = grown()
    decision = undo(on)
    record, after = decision.record, decision.card

    assert after is not None
    assert (record.activity, record.effective) == (ActivityType.REVERSAL, True)
    assert (record.approved_minor, record.card_minor) == (80_00, 80_00)
    assert (after.held_minor, after.balance_minor) == (0, 100_00)
    assert decision.holds[0].state is HoldState.CANCELLED
    assert decision.postings == ()


def test_a_placing_in_another_currency() -> None:
    """
    The reversal's row has the conversion of what was held.
    """
    on = held(amount(10_000, "KWD"))
    record = undo(on).record

    assert (record.approved_minor, record.card_minor) == (10_000, 32_52)
    assert record.rate_transaction == on.record.rate_transaction
    assert record.rounding == on.record.rounding


@pytest.mark.parametrize("state", [HoldState.CANCELLED, HoldState.EXPIRED])
def test_a_placing_whose_hold_has_ended(state: HoldState) -> None:
    """
    Nothing is left to free; it counts as undone all the same.
    """
    on = held()
    ended = Held(
        on.record, replace(on.hold, state=state), replace(on.card, held_minor=0)
    )
    decision = undo(ended)

    assert decision.record.effective
    assert (decision.record.approved_minor, decision.record.card_minor) == (0, 0)
    assert decision.record.card_seq == ended.card.version + 1
    assert (decision.holds, decision.step) == ((), None)


@pytest.mark.parametrize("keep_open", [True, False])
def test_a_placing_of_which_something_was_captured(keep_open: bool) -> None:
    """
    21, whether or not the hold is open.
    """
    on, _ = taken(held(), 10_00, keep_open=keep_open)
    record = undo(on).record

    assert record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert (record.effective, record.approval_code) == (None, None)
    assert record.balances_shown


@pytest.mark.parametrize(
    ("captured", "result", "state"),
    [
        (0, Result.APPROVED, HoldState.OPEN),
        (59_99, Result.APPROVED, HoldState.OPEN),
        (60_00, Result.APPROVED, HoldState.CAPTURED),
        (60_01, Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL, None),
    ],
)
def test_an_increment_is_undone(
    captured: int, result: Result, state: HoldState | None
) -> None:
    """
    The hold is smaller by it; 21 where less is left, and ended where nothing is.
    """
    on, more = grown()
    if captured:
        on, _ = taken(on, captured)
    decision = undo(on, more)

    assert decision.record.result is result
    if state is not None:
        assert decision.card is not None
        assert decision.holds[0].state is state
        assert decision.holds[0].authorized_minor == 60_00
        assert decision.record.card_minor == 20_00
        assert decision.card.held_minor == 60_00 - captured


def test_an_increment_of_a_hold_that_has_ended() -> None:
    """
    Nothing is left of it: 21.
    """
    on, more = grown()
    decision = undo(on.after(ask(cancel(), on)), more)

    assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL


def test_a_capture_is_undone_and_its_hold_stays() -> None:
    """
    The card is credited; what the hold keeps and how it ended stays as it is.
    """
    on, first = taken(held(), 20_00)
    decision = undo(on, first.record)

    assert decision.card is not None
    assert (decision.card.balance_minor, decision.card.held_minor) == (100_00, 40_00)
    assert (decision.holds, decision.step) == ((), None)
    assert len(decision.postings) == 2


def test_what_is_no_operation_is_not_undone() -> None:
    """
    A cancel is never reversed (21), nor voided; a hold is not voided.
    """
    on = held()
    given_up = ask(cancel(), on)
    results = [
        undo(on.after(given_up), given_up.record).record.result,
        ask(world.void(), on.after(given_up), record=given_up.record).record.result,
        ask(world.void(), on).record.result,
    ]

    assert results == [Result.CANNOT_BE_REVERSED] * 3


def test_a_capture_is_voided_and_refunded() -> None:
    """
    Like a sale; a hold is not refunded.
    """
    on, first = taken(held(), 20_00, keep_open=False)
    void = ask(world.void(), on, record=first.record)
    back = ask(world.refund(amount(5_00)), on, record=first.record)
    refused = ask(world.refund(amount(5_00)), on)

    assert (void.record.result, void.record.card_minor) == (Result.APPROVED, 20_00)
    assert back.card is not None
    assert back.card.balance_minor == 85_00
    assert refused.record.result is Result.CANNOT_BE_REVERSED


def test_a_single_use_card_is_active_again() -> None:
    """
    The capture that emptied it is undone.
    """
    on = held(amount(60_00), card(60_00, product_id=world.ONE_TIME))
    on, first = taken(on, 60_00)
    decision = undo(on, first.record)

    assert on.card.state is CardState.DEPLETED
    assert decision.card is not None
    assert decision.card.state is CardState.ACTIVE


def test_a_hold_ends_by_time() -> None:
    """
    From its last moment on: a row that nobody asked for, by the system.
    """
    on, _ = taken(held(), 20_00)
    end = on.hold.expires_at
    decision = expire(
        on.hold, world.view(on.card, rules=holding_rules(), now=end, number=9)
    )
    record, after = decision.record, decision.card

    assert not is_due(on.hold, end - timedelta(microseconds=1))
    assert is_due(on.hold, end)
    assert not is_due(decision.holds[0], end)
    assert after is not None
    assert (record.request_id, record.channel) == (None, Channel.SYSTEM)
    assert (record.activity, record.card_minor) == (ActivityType.RELEASE, 40_00)
    assert record.original_transaction_id == on.record.transaction_id
    assert (after.held_minor, after.balance_minor) == (0, 80_00)
    assert first_expiry([on.hold, decision.holds[0]]) == end
    assert first_expiry(decision.holds) is None


def test_a_hold_ends_on_a_card() -> None:
    """
    Without its card there is no end to write.
    """
    with pytest.raises(InvariantError):
        expire(held().hold, world.view(None, rules=holding_rules()))
