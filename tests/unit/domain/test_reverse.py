"""
Reverse decides as domain 1.6 and the behaviours of domain 2 say.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from currency import MAX_MINOR_UNITS
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import Activate, CardRef, MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.ids import ProductId
from gateway.domain.policy import PartyState
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result, ReversalReason
from tests.support import world
from tests.support.world import (
    activate,
    amount,
    balanced,
    card,
    done,
    load,
    policy,
    product,
    redeem,
    reverse,
    undo,
    view,
)

OTHER = ProductId(9)


def pending(**changes: Any) -> Card:
    """
    Make a card that waits for its activation.
    """
    return card(0, **({"state": CardState.PENDING, "load_count": 0} | changes))


def declined(command: MoneyCommand, seen: Card | None) -> TransactionRecord:
    """
    Decide a request that is expected to be declined.
    """
    decision = decide(command, view(seen), None)
    assert decision.card is None
    return decision.record


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        (redeem(amount(30_00)), card()),
        (redeem(amount(10_000, "KWD")), card()),
        (redeem(amount(200_00), allow_partial=True), card()),
        (load(amount(40_00)), card()),
        (load(amount(100, "JPY")), card()),
        (activate(amount(25_00)), pending()),
        (activate(), pending()),
        (activate(), pending(product_id=world.FIXED)),
    ],
)
def test_14_the_whole_effect_is_undone_at_the_originals_amounts(
    command: MoneyCommand, seen: Card
) -> None:
    """
    Reverse: 00; balance, loads and state as before; every account nets to zero.
    """
    record, after = done(command, seen)
    sale = decide(command, view(seen), None)

    decision = undo(record, after, rules=policy(rates=[world.rate("KWD", "9.9")]))
    reversal, back = decision.record, decision.card

    assert back is not None
    assert (reversal.result, reversal.effective) == (Result.APPROVED, True)
    assert (back.balance_minor, back.load_count, back.state) == (
        seen.balance_minor,
        seen.load_count,
        seen.state,
    )
    assert (back.version, reversal.card_seq) == (3, 3)
    assert reversal.original_transaction_id == record.transaction_id
    assert (reversal.approved_minor, reversal.card_minor, reversal.rounding) == (
        record.approved_minor,
        record.card_minor,
        record.rounding,
    )
    assert (reversal.rate_transaction, reversal.rate_table_version) == (
        record.rate_transaction,
        record.rate_table_version,
    )
    assert reversal.requested_minor == record.requested_minor
    assert (reversal.requested_exponent or 0) == (record.requested_exponent or 0)
    assert reversal.approval_code is not None
    assert reversal.balances_shown
    assert reversal.reason == ReversalReason.TIMEOUT
    assert balanced(decision.postings)
    assert len(decision.postings) == len(sale.postings)
    for before, undone in zip(sale.postings, decision.postings, strict=True):
        assert undone.amount_minor == -before.amount_minor
        assert (undone.account, undone.owner_id) == (before.account, before.owner_id)
        assert undone.transaction_id == reversal.transaction_id


def test_19_what_is_reversed_already_is_reversed() -> None:
    """
    Reversed before, under whatever id: 00 again, no posting, the card untouched.
    """
    record, _ = done(redeem(amount(30_00)), card())

    decision = undo(record, card(), undone=True)

    assert decision.record.result is Result.APPROVED
    assert (decision.record.effective, decision.record.card_seq) == (False, None)
    assert (decision.card, decision.postings) == (None, ())
    assert decision.record.available_after_minor == 100_00
    assert decision.record.balances_shown
    assert decision.record.approval_code is not None


def test_20_an_id_never_seen() -> None:
    """
    25, with nothing of any card but the number that was sent.
    """
    decision = decide(reverse(7), view(None), None)
    record = decision.record

    assert record.result is Result.ORIGINAL_NOT_FOUND
    assert (record.card_id, record.card_number_index) == (None, world.NUMBER_INDEX)
    assert (record.original_transaction_id, record.effective) == (None, None)
    assert decision.card is None


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        (redeem(amount(200_00)), card()),
        (redeem(amount(0)), card()),
        (redeem(amount(1_00)), card(state=CardState.BLOCKED)),
        (redeem(amount(1_00)), None),
    ],
)
def test_22_a_declined_original_has_nothing_to_undo(
    command: MoneyCommand, seen: Card | None
) -> None:
    """
    00 without a posting; a balance that the decline hid stays hidden.
    """
    decision = undo(declined(command, seen), seen)

    assert decision.record.result is Result.APPROVED
    assert decision.record.effective is False
    assert (decision.card, decision.postings) == (None, ())
    assert not decision.record.balances_shown


@pytest.mark.parametrize("with_card", [True, False])
def test_23_a_reversal_is_not_reversed(*, with_card: bool) -> None:
    """
    21 CANNOT_BE_REVERSED, whether it undid something or not, with a card or without.
    """
    record, after = done(redeem(amount(30_00)), card())
    effective = undo(record, after).record
    empty = decide(reverse(7, with_card=False), view(None), None).record

    for reversal, seen in [(effective, card()), (empty, None)]:
        decision = undo(reversal, seen, command=reverse(100, with_card=with_card))

        assert decision.record.result is Result.CANNOT_BE_REVERSED
        assert decision.card is None
        assert decision.record.approval_code is None
        assert decision.record.balances_shown == (seen is not None)


def test_24_an_activation_that_was_followed_stands() -> None:
    """
    Followed by a Redeem: 21; without later activity: PENDING at 0.00.
    """
    record, after = done(activate(amount(25_00)), pending())

    refused = undo(record, after, followed=True)
    undone = undo(record, after)

    assert refused.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
    assert refused.card is None
    assert refused.record.balances_shown
    assert undone.card is not None
    assert (undone.card.state, undone.card.balance_minor) == (CardState.PENDING, 0)


@pytest.mark.parametrize(
    ("balance", "held", "result"),
    [
        (40_00, 0, Result.APPROVED),
        (10_00, 0, Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL),
        (60_00, 20_01, Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL),
    ],
)
def test_25_a_load_whose_money_is_spent_stands(
    balance: int, held: int, result: Result
) -> None:
    """
    Reverse Load 40.00 with less than that available: 21, and nothing changes.
    """
    record, _ = done(load(amount(40_00)), card())

    decision = undo(record, card(balance, held_minor=held))

    assert decision.record.result is result
    assert (decision.card is None) == (result is not Result.APPROVED)


def test_an_activation_with_money_that_is_gone_stands() -> None:
    """
    Also without later activity of its own the money must be there (21).
    """
    record, after = done(activate(amount(25_00)), pending())

    decision = undo(record, replace(after, balance_minor=24_99))

    assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL


def test_a_depleted_card_lives_again() -> None:
    """
    Spent to zero and reversed, a one-time card is ACTIVE and holds its value.
    """
    seen = card(product_id=world.ONE_TIME)
    record, depleted = done(redeem(amount(100_00)), seen)

    back = undo(record, depleted).card

    assert depleted.state is CardState.DEPLETED
    assert back is not None
    assert (back.state, back.balance_minor) == (CardState.ACTIVE, 100_00)


@pytest.mark.parametrize(
    "state", [CardState.BLOCKED, CardState.DEACTIVATED, CardState.REPLACED]
)
@pytest.mark.parametrize(
    "command", [activate(amount(25_00)), load(amount(25_00)), redeem(amount(1_00))]
)
def test_checks_7_to_11_are_skipped_and_the_state_stays(
    command: MoneyCommand, state: CardState
) -> None:
    """
    The money comes back to a blocked or closed card; it stays blocked or closed.

    But for an activation: a block came after it, and as long as it stands that does.
    """
    start = pending() if isinstance(command, Activate) else card()
    record, after = done(command, start)
    reason = BlockReason.LOST if state is CardState.BLOCKED else None
    stopped = replace(after, state=state, block_reason=reason)

    decision = undo(record, stopped)

    if isinstance(command, Activate) and state is CardState.BLOCKED:
        assert decision.record.result is Result.FURTHER_ACTIVITY_PREVENTS_REVERSAL
        assert decision.card is None
        return
    assert decision.record.result is Result.APPROVED
    assert decision.card is not None
    assert (decision.card.state, decision.card.block_reason) == (state, reason)
    assert decision.card.balance_minor == start.balance_minor
    assert decision.record.balances_shown


def test_expiry_and_product_do_not_stop_a_reversal() -> None:
    """
    A sale on a card that has expired since, of a product that permits nothing now.
    """
    record, after = done(redeem(amount(30_00)), card())
    sealed = policy(products=[product(world.RELOADABLE, permitted=frozenset())])

    decision = undo(record, replace(after, expires_on=date(2020, 1, 1)), rules=sealed)

    assert decision.record.result is Result.APPROVED
    assert decision.card is not None
    assert decision.card.expires_on == date(2020, 1, 1)


def test_limits_do_not_stop_a_reversal_but_all_bounds_do() -> None:
    """
    Check 14 is skipped; check 13 is not: no balance lies above 10^15.
    """
    record, after = done(redeem(amount(30_00)), card())
    low = policy(products=[product(world.RELOADABLE, max_balance_minor=1)])
    brim = replace(after, balance_minor=MAX_MINOR_UNITS - 30_00)
    full = replace(after, balance_minor=MAX_MINOR_UNITS - 29_99)

    assert undo(record, after, rules=low).record.result is Result.APPROVED
    assert undo(record, brim).record.balance_after_minor == MAX_MINOR_UNITS
    refused = undo(record, full)
    assert refused.record.result is Result.INVALID_AMOUNT
    assert (refused.card, refused.postings) == (None, ())


def test_the_last_day_goes_with_the_activation_that_set_it() -> None:
    """
    A last day counted from activation is undone; a card's own one is kept.
    """
    rules = policy(products=[product(OTHER, validity_days=30)])
    own = date(2027, 1, 1)
    counted, first = done(activate(), pending(product_id=OTHER), rules=rules)
    printed, second = done(activate(), pending(expires_on=own))

    undone = undo(counted, first, rules=rules).card
    kept = undo(printed, second).card

    assert first.expires_on == (world.NOW + timedelta(days=30)).date()
    assert undone is not None
    assert undone.expires_on is None
    assert kept is not None
    assert kept.expires_on == own


def test_another_card_than_the_originals() -> None:
    """
    The card is optional; sent and different: 25, nothing written or told.
    """
    record, after = done(redeem(amount(30_00)), card())
    unknown = declined(redeem(amount(30_00)), None)
    other = replace(reverse(1), card=CardRef(b"\x08" * 32, "9999"))

    for original, seen in [(record, after), (unknown, None)]:
        decision = undo(original, seen, command=other)

        assert decision.record.result is Result.ORIGINAL_NOT_FOUND
        assert decision.card is None
        assert decision.record.original_transaction_id is None
        assert decision.record.requested_minor is None
        assert decision.record.card_id is None
        assert not decision.record.balances_shown
        assert undo(original, seen, command=reverse(1)).record.result is Result.APPROVED


@pytest.mark.parametrize(
    ("place", "result"),
    [
        (world.place(terminal=PartyState.SUSPENDED), Result.INVALID_TERMINAL),
        (world.place(store=PartyState.CLOSED), Result.INVALID_MERCHANT),
        (world.place(merchant=PartyState.SUSPENDED), Result.INVALID_MERCHANT),
    ],
)
def test_check_4_comes_first(place: Any, result: Result) -> None:
    """
    A suspended place gets its 58 or 03, with or without an original, and no more.
    """
    record, after = done(redeem(amount(30_00)), card())
    rules = policy(at=place)

    found = undo(record, after, rules=rules).record
    missing = decide(reverse(7), view(None, rules=rules), None).record

    assert found.result is missing.result is result
    assert (found.card_id, found.original_transaction_id) == (None, None)
    assert not found.balances_shown


def test_a_programme_that_is_no_longer_accepted_here() -> None:
    """
    Check 6 holds for reversals: 14, and nothing of the card is told.
    """
    record, after = done(redeem(amount(30_00)), card())

    decision = undo(record, after, rules=policy(accepted=False))

    assert decision.record.result is Result.INVALID_CARD
    assert decision.card is None
    assert (decision.record.card_id, decision.record.card_last_four) == (None, None)
    assert not decision.record.balances_shown


@pytest.mark.parametrize("place", [None, world.place(terminal=PartyState.CLOSED)])
def test_34_a_reversal_does_not_tell_that_a_card_exists(place: Any) -> None:
    """
    A sale refused before check 6 and reversed reads like that of a number nobody has.
    """
    asked = redeem(amount(0 if place is None else 1_00))
    answers = []
    for seen in (card(), None):
        foreign = policy(at=place, accepted=False)
        refused = decide(asked, view(seen, rules=foreign), None).record
        found = seen if refused.card_id is not None else None
        again = undo(refused, found, rules=policy(accepted=False)).record
        answers.append((refused, again))

    assert answers[0] == answers[1]
    assert answers[0][1].result is Result.APPROVED
