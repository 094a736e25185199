"""
Void decides as domain 1.2, 1.6 and behaviour 56 say; and what it means to a Reverse.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import CardRef, MoneyCommand, Naming
from gateway.domain.decide import decide
from gateway.domain.originals import Refunds
from gateway.domain.policy import PartyState
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import (
    activate,
    amount,
    card,
    done,
    follow,
    load,
    policy,
    redeem,
    refund,
    reverse,
    undo,
    view,
    void,
)

PENDING = card(0, state=CardState.PENDING, load_count=0)
ONE_TIME = card(30_00, product_id=world.ONE_TIME)


def given_back(seen: Card = ONE_TIME) -> tuple[TransactionRecord, Card, Card]:
    """
    Refund a sale of all a card had: the refund, the card after, and before it.
    """
    sale, empty = done(redeem(amount(30_00)), seen)
    back = follow(refund(amount(30_00)), sale, empty)
    assert back.card is not None
    return back.record, back.card, empty


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        (redeem(amount(30_00)), card()),
        (redeem(amount(10_000, "KWD")), card()),
        (load(amount(40_00)), card()),
        (activate(amount(25_00)), PENDING),
        (activate(), PENDING),
    ],
)
def test_the_whole_operation_is_undone(command: MoneyCommand, seen: Card) -> None:
    """
    A void has the effect of a reversal: 00, the card as before, all accounts net zero.
    """
    record, after = done(command, seen)
    made = decide(command, view(seen), None)

    decision = follow(void(), record, after)
    undone, back = decision.record, decision.card

    assert back is not None
    assert (undone.activity, undone.effective) == (ActivityType.VOID, True)
    assert undone.result is Result.APPROVED
    assert undone.original_transaction_id == record.transaction_id
    assert undone.approved_minor == record.approved_minor
    assert undone.rounding == record.rounding
    assert (back.balance_minor, back.state, back.load_count) == (
        seen.balance_minor,
        seen.state,
        seen.load_count,
    )
    assert [-posting.amount_minor for posting in decision.postings] == [
        posting.amount_minor for posting in made.postings
    ]


@pytest.mark.parametrize("command", [void(), reverse(1, with_card=False)])
def test_a_refund_is_undone(command: Naming) -> None:
    """
    Void and Reverse of a refund debit it; a one-time card is empty for good again.
    """
    record, after, empty = given_back()

    decision = follow(command, record, after)
    back = decision.card

    assert back is not None
    assert decision.record.result is Result.APPROVED
    assert (after.state, back.state) == (CardState.ACTIVE, CardState.DEPLETED)
    assert back == replace(empty, version=back.version)


def test_a_refund_that_is_undone_keeps_other_states() -> None:
    """
    What is left, a reloadable product or a block keep the card from being DEPLETED.
    """
    record, after, _ = given_back()
    reloadable, full, _ = given_back(card(30_00))
    more = replace(after, balance_minor=30_01)
    blocked = replace(after, state=CardState.BLOCKED, block_reason=BlockReason.LOST)
    cases = [(record, more), (reloadable, full), (record, blocked)]

    ends = [follow(void(), refunded, seen).card for refunded, seen in cases]

    assert [end.state for end in ends if end] == [
        CardState.ACTIVE,
        CardState.ACTIVE,
        CardState.BLOCKED,
    ]


@pytest.mark.parametrize("command", [void(), reverse(1, with_card=False)])
def test_a_refund_that_was_spent(command: Naming) -> None:
    """
    21, and nothing changes, when the card no longer has what was given back.
    """
    record, after, _ = given_back()
    _, poor = done(redeem(amount(1)), after)

    decision = follow(command, record, poor)

    assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert decision.card is None


@pytest.mark.parametrize("command", [void(), reverse(1, with_card=False)])
def test_a_sale_with_refunds_stands(command: Naming) -> None:
    """
    Refunded, also in part: 21 to both.
    """
    sale, after = done(redeem(amount(30_00)), card())

    decision = follow(command, sale, after, refunds=Refunds(1, 1))

    assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert decision.record.balances_shown


@pytest.mark.parametrize("by", [ActivityType.REVERSAL, ActivityType.VOID])
def test_what_was_undone_is_not_voided(by: ActivityType) -> None:
    """
    Void of a reversed or voided original: 21.
    """
    sale, after = done(redeem(amount(30_00)), card())

    record = follow(void(), sale, after, undone_by=by).record

    assert (record.result, record.effective) == (Result.ALREADY_REVERSED, None)
    assert record.balances_shown


def test_a_reverse_finds_a_void() -> None:
    """
    Reverse of what was voided: 21; of what was reversed: 00, and nothing to undo.
    """
    sale, after = done(redeem(amount(30_00)), card())
    command = reverse(1, with_card=False)

    voided = follow(command, sale, after, undone_by=ActivityType.VOID).record
    reversed_ = follow(command, sale, after, undone_by=ActivityType.REVERSAL).record

    assert (voided.result, voided.balances_shown) == (Result.ALREADY_REVERSED, True)
    assert (reversed_.result, reversed_.effective) == (Result.APPROVED, False)


def test_what_undoes_is_not_voided() -> None:
    """
    Void of a reversal or a void, and Reverse of a void: 21.
    """
    sale, after = done(redeem(amount(30_00)), card())
    reversal = undo(sale, after).record
    voiding = follow(void(), sale, after).record

    results = [
        follow(void(), reversal, after).record.result,
        follow(void(), voiding, after).record.result,
        follow(reverse(1, with_card=False), voiding, after).record.result,
    ]

    assert results == [Result.CANNOT_BE_REVERSED] * 3


def test_a_void_that_was_declined_can_be_reversed_away() -> None:
    """
    Reverse of a declined Void: 00, nothing to undo.
    """
    sale, after = done(redeem(amount(30_00)), card())
    declined = follow(void(), sale, after, refunds=Refunds(1, 1)).record

    record = follow(reverse(1, with_card=False), declined, after).record

    assert (record.result, record.effective) == (Result.APPROVED, False)


def test_a_decline_is_not_voided() -> None:
    """
    Void of what was declined: 21, and the balance is not told.
    """
    known = decide(redeem(amount(200_00)), view(card()), None).record
    unknown = decide(redeem(amount(1_00)), view(None), None).record

    told = follow(void(), known, card()).record
    blind = follow(void(), unknown, None).record

    assert (told.result, told.balances_shown) == (Result.CANNOT_BE_REVERSED, False)
    assert (blind.result, blind.card_id) == (Result.CANNOT_BE_REVERSED, None)


def test_the_day_is_over() -> None:
    """
    56: on the next business day, or in another batch, 21; before the cut-off 00.
    """
    sale, after = done(redeem(amount(30_00)), card())
    # Midnight in Beirut is 22:00 UTC.
    last, next_day = timedelta(hours=9, minutes=59), timedelta(hours=10)

    results = [
        follow(void(), sale, after, now=world.NOW + last).record.result,
        follow(void(), sale, after, now=world.NOW + next_day).record.result,
        follow(void(), sale._replace(batch_no=2), after).record.result,
    ]

    assert results == [
        Result.APPROVED,
        Result.CANNOT_BE_REVERSED,
        Result.CANNOT_BE_REVERSED,
    ]


def test_an_activation_after_which_the_card_was_used() -> None:
    """
    As a Reverse of it: 21.
    """
    record, after = done(activate(amount(25_00)), PENDING)

    decided = follow(void(), record, after, followed=True).record

    assert decided.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL


def test_nothing_is_told_without_an_original() -> None:
    """
    25 where there is none or the card is another's; 14, 58 as for a Reverse.
    """
    sale, after = done(redeem(amount(30_00)), card())
    stranger = replace(void(), card=CardRef(b"\x09" * 32, "9999"))
    closed = policy(at=world.place(terminal=PartyState.SUSPENDED))

    missing = decide(void(with_card=True), view(None), None).record
    other = follow(stranger, sale, after).record
    left = follow(void(), sale, after, rules=policy(accepted=False)).record
    shut = follow(void(), sale, after, rules=closed).record

    assert [missing.result, other.result, left.result, shut.result] == [
        Result.ORIGINAL_NOT_FOUND,
        Result.ORIGINAL_NOT_FOUND,
        Result.INVALID_CARD,
        Result.INVALID_TERMINAL,
    ]
    assert {missing.card_id, other.card_id, left.card_id, shut.card_id} == {None}
    assert (other.requested_minor, other.original_transaction_id) == (None, None)
