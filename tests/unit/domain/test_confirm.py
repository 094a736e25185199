"""
Terminals that send two messages: what waits, and what Confirm decides (domain 1.7).
"""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.cards import BlockReason, CardState
from gateway.domain.commands import CardRef, MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.decision import Decision, Facts, waits
from gateway.domain.ids import MerchantId, ProductId
from gateway.domain.policy import PartyState
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.late_requests import confirm, late_place
from tests.support.world import (
    activate,
    amount,
    card,
    cash_out,
    done,
    follow,
    load,
    place,
    policy,
    product,
    redeem,
    refund,
    reverse,
    view,
    void,
)

TWO = policy(at=late_place(two_message=True))
PENDING = card(0, state=CardState.PENDING, load_count=0)
SMALL = ProductId(9)


def sold(command: MoneyCommand, balance: int = 100_00, **card_is: Any) -> Any:
    """
    Do something at a terminal that sends two messages.
    """
    return done(command, card(balance, **card_is), rules=TWO)


def test_26_an_unconfirmed_load_raises_the_ledger_only() -> None:
    """
    26: available = ledger - unconfirmed; Confirm frees it and moves no money.
    """
    record, after = sold(load(amount(40_00)))
    decision = follow(confirm(), record, after, rules=TWO)
    confirmed, freed = decision.record, decision.card

    assert record.unconfirmed
    assert (after.balance_minor, after.available_minor) == (140_00, 100_00)
    assert freed is not None
    assert (freed.balance_minor, freed.available_minor) == (140_00, 140_00)
    assert (confirmed.result, confirmed.effective) == (Result.APPROVED, True)
    assert (confirmed.card_seq, confirmed.card_minor) == (after.version + 1, 0)
    assert (confirmed.requested_minor, confirmed.approved_minor) == (40_00, 40_00)
    assert confirmed.original_transaction_id == record.transaction_id
    assert confirmed.balances_shown
    assert not confirmed.unconfirmed
    assert decision.postings == ()


@pytest.mark.parametrize(
    ("command", "seen", "waiting"),
    [
        (activate(amount(25_00)), PENDING, 25_00),
        (activate(), PENDING, 0),
        (load(amount(100, "JPY")), card(), 67),
        (redeem(amount(30_00)), card(), 0),
        (redeem(amount(300_00), allow_partial=True), card(), 0),
        (cash_out(), card(5_00, product_id=SMALL), 0),
    ],
)
def test_every_approval_waits_and_only_credits_are_kept_back(
    command: MoneyCommand, seen: Any, waiting: int
) -> None:
    """
    A debit reduces ledger and available at once; a credit only the ledger.
    """
    small = product(SMALL, cash_out_limit_minor=10_00)
    rules = policy(at=late_place(two_message=True), products=[small])
    record, after = done(command, seen, rules=rules)
    decision = follow(confirm(), record, after, rules=rules)

    assert record.unconfirmed
    assert after.unconfirmed_minor == waiting
    assert decision.record.result is Result.APPROVED
    assert (decision.card is None) == (waiting == 0)
    if decision.card is not None:
        assert decision.card.unconfirmed_minor == 0


def test_a_refund_waits_like_a_load() -> None:
    """
    What is given back can be spent once it is confirmed, or taken away whole.
    """
    sale, after = sold(redeem(amount(30_00)))
    back = follow(refund(amount(10_00)), sale, after, rules=TWO)
    assert back.card is not None

    confirmed = follow(confirm(), back.record, back.card, rules=TWO)
    undone = follow(reverse(1), back.record, back.card, rules=TWO)

    assert back.record.unconfirmed
    assert (back.card.balance_minor, back.card.available_minor) == (80_00, 70_00)
    assert confirmed.card is not None
    assert confirmed.card.available_minor == 80_00
    assert undone.card is not None
    assert (undone.card.balance_minor, undone.card.unconfirmed_minor) == (70_00, 0)


@pytest.mark.parametrize("command", [reverse(1, with_card=False), void()])
def test_an_unconfirmed_load_is_taken_back_whatever_was_spent(command: Any) -> None:
    """
    Nobody could spend it, so ledger and unconfirmed fall by it and available stays.
    """
    record, after = sold(load(amount(40_00)))
    _, spent = done(redeem(amount(100_00)), after)
    decision = follow(command, record, spent, rules=TWO)

    assert (spent.balance_minor, spent.available_minor) == (40_00, 0)
    assert decision.record.effective
    assert decision.card is not None
    assert (decision.card.balance_minor, decision.card.unconfirmed_minor) == (0, 0)
    assert decision.exception is None


def test_26_reverse_after_confirm() -> None:
    """
    26: Reverse after Confirm: 21. Void still can: somebody asked for it.
    """
    record, after = sold(load(amount(40_00)))
    after = after.moved(0, world.NOW, expires_on=None, unconfirmed_minor=-40_00)
    reversal = follow(reverse(1), record, after, rules=TWO, confirmed=True)
    voided = follow(void(), record, after, rules=TWO, confirmed=True)
    late = follow(
        reverse(1),
        record,
        after,
        rules=TWO,
        confirmed=True,
        undone_by=ActivityType.VOID,
    )

    assert reversal.record.result is Result.CANNOT_BE_REVERSED
    assert reversal.record.balances_shown
    assert (reversal.card, reversal.exception) == (None, None)
    assert voided.record.effective
    assert voided.card is not None
    assert voided.card.balance_minor == 100_00
    assert late.record.result is Result.ALREADY_REVERSED


@pytest.mark.parametrize("undone_by", [ActivityType.REVERSAL, ActivityType.VOID])
def test_26_confirm_after_reverse(undone_by: ActivityType) -> None:
    """
    26: Confirm after Reverse or Void: 21, also where it was confirmed before.
    """
    record, after = sold(load(amount(40_00)))
    for confirmed in (False, True):
        decision = follow(
            confirm(),
            record,
            after,
            rules=TWO,
            undone_by=undone_by,
            confirmed=confirmed,
        )

        assert decision.record.result is Result.ALREADY_REVERSED
        assert decision.record.effective is None
        assert decision.card is None


def test_confirmed_again_it_is_confirmed() -> None:
    """
    Under another id: 00, nothing changes, and it is not effective.
    """
    record, after = sold(load(amount(40_00)))
    decision = follow(confirm(), record, after, rules=TWO, confirmed=True)

    assert decision.record.result is Result.APPROVED
    assert (decision.record.effective, decision.record.card_seq) == (False, None)
    assert decision.record.approved_minor == 40_00
    assert decision.card is None


def refused(decision: Decision) -> Result:
    """
    Give the result of a decision that changes nothing.
    """
    assert (decision.card, decision.postings, decision.exception) == (None, (), None)
    assert decision.record.effective is None
    return decision.record.result


def test_what_never_waited_cannot_be_confirmed() -> None:
    """
    One message was enough, or it was declined: 21. A decline still hides its balance.
    """
    record, after = done(load(amount(40_00)), card())
    declined = decide(redeem(amount(200_00)), view(card(), rules=TWO), None).record
    blocked = card(state=CardState.BLOCKED, block_reason=BlockReason.LOST)
    lost = decide(redeem(amount(2_00)), view(blocked, rules=TWO), None).record
    known = follow(confirm(), record, after)
    hidden = follow(confirm(), lost, blocked, rules=TWO)

    assert refused(known) is Result.CANNOT_BE_REVERSED
    assert known.record.balances_shown
    assert refused(follow(confirm(), declined, card())) is Result.CANNOT_BE_REVERSED
    assert refused(hidden) is Result.CANNOT_BE_REVERSED
    assert not hidden.record.balances_shown


def test_nothing_to_confirm() -> None:
    """
    25 for what is not there; another card, another merchant: 25 and told nothing.
    """
    record, after = sold(load(amount(40_00)))
    other = replace(confirm(), card=CardRef(b"\x09" * 32, "9999"))
    theirs = record._replace(merchant_id=MerchantId(9))

    missing = decide(confirm(), view(None, rules=TWO), None)
    wrong = follow(other, record, after, rules=TWO)
    foreign = follow(confirm(), theirs, after, rules=TWO)

    for decision in (missing, wrong, foreign):
        assert refused(decision) is Result.ORIGINAL_NOT_FOUND
        assert decision.record.card_id is None
        assert decision.record.original_transaction_id is None


def test_the_place_and_the_programme_are_checked_first() -> None:
    """
    58 and 03 before all; 14 where the programme is accepted no more.
    """
    record, after = sold(load(amount(40_00)))
    suspended = policy(at=place(terminal=PartyState.SUSPENDED))

    closed = follow(confirm(), record, after, rules=suspended)
    strange = follow(confirm(), record, after, rules=policy(accepted=False))

    assert refused(closed) is Result.INVALID_TERMINAL
    assert refused(strange) is Result.INVALID_CARD


def test_a_confirmation_stands_for_good() -> None:
    """
    Reverse or Void of a Confirm: 21.
    """
    record, after = sold(load(amount(40_00)))
    confirmed = follow(confirm(), record, after, rules=TWO)
    assert confirmed.card is not None
    for command in (reverse(1, with_card=False), void()):
        decision = follow(command, confirmed.record, confirmed.card, rules=TWO)

        assert refused(decision) is Result.CANNOT_BE_REVERSED


@pytest.mark.parametrize(
    ("activity", "facts", "expected"),
    [
        (ActivityType.CAPTURE, {}, True),
        (ActivityType.AUTHORIZE, {}, False),
        (ActivityType.RELEASE, {}, False),
        (ActivityType.TRANSFER_BALANCE_FROM, {}, False),
        (ActivityType.REDEEM, {"offline": True}, False),
        (ActivityType.REDEEM, {"approved": False}, False),
    ],
)
def test_what_waits(
    activity: ActivityType, facts: dict[str, Any], *, expected: bool
) -> None:
    """
    Money that moved between card and merchant waits; a hold and an Advice do not.
    """
    told = Facts(activity, Result.APPROVED, approved=True)._replace(**facts)

    assert waits(late_place(two_message=True), told) is expected
    assert not waits(place(), told)
