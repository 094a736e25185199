"""
Check 10: PINs, the tries on them, and their reset.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.balance import decide_balance
from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.decision import Decision, Facts, View
from gateway.domain.errors import InvariantError
from gateway.domain.ids import CardId
from gateway.domain.pin import check_pin
from gateway.domain.policy import PartyState, Policy
from gateway.domain.results import ActivityType, Channel, Result
from tests.support.pins import (
    RIGHT,
    WRONG,
    ask_balance,
    kept_pin,
    pin_policy,
    proof,
    with_pin,
)
from tests.support.world import (
    NOW,
    amount,
    card,
    cash_out,
    load,
    place,
    policy,
    redeem,
    view,
)

WITH_PIN = [
    pytest.param(redeem(amount(1_00)), id="redeem"),
    pytest.param(load(amount(1_00)), id="load"),
    pytest.param(cash_out(), id="cash_out"),
]


def decided(
    command: MoneyCommand,
    pin: CardPin | None,
    *,
    seen: Card | None = None,
    rules: Policy | None = None,
    **more: Any,
) -> Decision:
    """
    Decide a command on a card whose product asks a PIN for everything.
    """
    seen_by = view(seen or card(), rules=rules or pin_policy(), pin=pin, **more)
    return decide(command, seen_by, None)


@pytest.mark.parametrize("command", WITH_PIN)
def test_a_pin_that_is_needed_and_missing(command: MoneyCommand) -> None:
    """
    PIN_REQUIRED: nothing is compared, nothing counted, the card stays as it is.
    """
    for pin in (kept_pin(), kept_pin(tries=3), None):
        decision = decided(with_pin(command, None), pin)

        assert decision.record.result is Result.PIN_REQUIRED
        assert decision.record.card_seq is None
        assert (decision.card, decision.tries) == (None, ())
        assert not decision.record.balances_shown


@pytest.mark.parametrize("command", WITH_PIN)
def test_a_card_without_a_pin_is_not_used_where_one_is_needed(
    command: MoneyCommand,
) -> None:
    """
    PIN_REQUIRED, whatever was entered: there is nothing it could equal.
    """
    decision = decided(with_pin(command), None)

    assert decision.record.result is Result.PIN_REQUIRED
    assert decision.tries == ()


@pytest.mark.parametrize("command", WITH_PIN)
def test_a_wrong_pin_is_counted_and_changes_the_card(command: MoneyCommand) -> None:
    """
    INCORRECT_PIN: a recorded decline with a card_seq; no money moves, none is shown.
    """
    decision = decided(with_pin(command, WRONG), kept_pin())
    record = decision.record

    assert record.result is Result.INCORRECT_PIN
    assert record.card_seq == card().version + 1
    assert decision.card == card().moved(0, NOW, expires_on=None)
    assert decision.tries == (PinTries(CardId(1), Channel.API, 1, NOW, 1),)
    assert decision.postings == ()
    assert record.balance_before_minor == record.balance_after_minor == 100_00
    assert (record.approval_code, record.balances_shown) == (None, False)


def test_36_the_fourth_finds_it_locked_even_if_it_is_right() -> None:
    """
    36: Wrong three times, 55 each; then 75, nothing compared, nothing counted.
    """
    pin = kept_pin()
    for count in (1, 2, 3):
        decision = decided(with_pin(redeem(amount(1_00)), WRONG), pin)
        assert decision.record.result is Result.INCORRECT_PIN
        assert decision.tries[0].tries == count
        pin = pin.tried(decision.tries[0])

    for digits in (RIGHT, WRONG):
        decision = decided(with_pin(redeem(amount(1_00)), digits), pin)
        assert decision.record.result is Result.PIN_TRIES_EXCEEDED
        assert (decision.card, decision.tries) == (None, ())


@pytest.mark.parametrize("command", WITH_PIN)
def test_a_right_pin_forgives_what_was_wrong_before(command: MoneyCommand) -> None:
    """
    Approved with the tries back at nought; those there ever were stay known.
    """
    rules = pin_policy(rules=policy(products=()))
    seen = card(8_00)
    product = replace(rules.products[seen.product_id], cash_out_limit_minor=10_00)
    rules = replace(rules, products={seen.product_id: product})
    pin = kept_pin(2, wrong_total=9)
    decision = decided(with_pin(command), pin, seen=seen, rules=rules)

    assert decision.record.result is Result.APPROVED
    assert decision.tries == (PinTries(CardId(1), Channel.API, 0, NOW, 9),)
    assert decision.record.card_seq == seen.version + 1
    for untried in (kept_pin(), kept_pin(0, wrong_total=9)):
        again = decided(with_pin(command), untried, seen=seen, rules=rules)
        assert (again.record.result, again.tries) == (Result.APPROVED, ())


@pytest.mark.parametrize("balance", [100_00, 0])
def test_a_right_pin_forgives_also_where_a_later_check_declines(balance: int) -> None:
    """
    51 with the tries back at nought: that changes the card, so it raises its version.
    """
    sale = with_pin(redeem(amount(200_00)))
    decision = decided(sale, kept_pin(2), seen=card(balance))

    assert decision.record.result is Result.INSUFFICIENT_FUNDS
    assert decision.tries[0].tries == 0
    assert decision.card is not None
    assert decision.record.card_seq == decision.card.version == 2
    untried = decided(sale, kept_pin(), seen=card(balance))
    assert (untried.card, untried.record.card_seq) == (None, None)


@pytest.mark.parametrize(
    ("passed_s", "result", "tries"),
    [
        (3_599, Result.PIN_TRIES_EXCEEDED, None),
        (3_600, Result.INCORRECT_PIN, 1),
        (-5, Result.PIN_TRIES_EXCEEDED, None),
    ],
)
def test_the_lock_ends_when_nobody_has_tried_for_so_long(
    passed_s: int, result: Result, tries: int | None
) -> None:
    """
    The count starts anew; a clock that went back unlocks nothing.
    """
    pin = kept_pin(3, NOW - timedelta(seconds=passed_s), wrong_total=7)
    decision = decided(with_pin(redeem(amount(1_00)), WRONG), pin)

    assert decision.record.result is result
    assert [counted.tries for counted in decision.tries] == ([tries] if tries else [])
    assert [counted.wrong_total for counted in decision.tries] == ([8] if tries else [])


def test_a_product_says_how_often_and_for_how_long() -> None:
    """
    Another limit and another time, in force for what was counted before.
    """
    rules = pin_policy(max_tries=1, lock_s=60)
    sale = with_pin(redeem(amount(1_00)))

    locked = decided(sale, kept_pin(1, NOW - timedelta(seconds=59)), rules=rules)
    free = decided(sale, kept_pin(1, NOW - timedelta(seconds=60)), rules=rules)

    assert locked.record.result is Result.PIN_TRIES_EXCEEDED
    assert free.record.result is Result.APPROVED


def test_a_lock_is_of_one_channel() -> None:
    """
    What was tried on the telephone does not lock the tills.
    """
    pin = kept_pin(3, channel=Channel.IVR)
    wrong = decided(with_pin(redeem(amount(1_00)), WRONG), pin)
    phoned = replace(with_pin(redeem(amount(1_00))), channel=Channel.IVR)

    assert wrong.tries == (PinTries(CardId(1), Channel.API, 1, NOW, 1),)
    assert decided(phoned, pin).record.result is Result.PIN_TRIES_EXCEEDED


def test_a_pin_that_nobody_asks_for_is_compared_if_the_card_has_one() -> None:
    """
    Right, it does no harm; wrong, it counts; a card without one ignores it.
    """
    rules, sale = policy(), redeem(amount(1_00))

    for digits, pin, result in (
        (RIGHT, kept_pin(), Result.APPROVED),
        (WRONG, kept_pin(), Result.INCORRECT_PIN),
        (RIGHT, kept_pin(3), Result.PIN_TRIES_EXCEEDED),
        (WRONG, None, Result.APPROVED),
        (None, kept_pin(3), Result.APPROVED),
    ):
        decision = decided(with_pin(sale, digits), pin, rules=rules)
        assert decision.record.result is result


def test_a_product_asks_only_for_what_it_says() -> None:
    """
    A PIN to spend, none to load.
    """
    rules = pin_policy(ActivityType.REDEEM)

    spent = decided(redeem(amount(1_00)), kept_pin(), rules=rules)
    loaded = decided(load(amount(1_00)), kept_pin(), rules=rules)

    assert spent.record.result is Result.PIN_REQUIRED
    assert loaded.record.result is Result.APPROVED


def test_staff_have_no_pin_to_enter() -> None:
    """
    What a person of the staff asks needs none.
    """
    sale = replace(redeem(amount(1_00)), actor="call-centre-7")

    assert decided(sale, kept_pin(3)).record.result is Result.APPROVED


@pytest.mark.parametrize(
    ("seen", "rules", "result"),
    [
        (card(state=CardState.PENDING), None, Result.CARD_NOT_ACTIVE),
        (
            card(state=CardState.BLOCKED, block_reason=BlockReason.LOST),
            None,
            Result.LOST_CARD,
        ),
        (card(expires_on=date(2026, 1, 1)), None, Result.EXPIRED_CARD),
        (card(), pin_policy(rules=policy(accepted=False)), Result.INVALID_CARD),
        (
            card(),
            pin_policy(rules=policy(at=place(terminal=PartyState.SUSPENDED))),
            Result.INVALID_TERMINAL,
        ),
    ],
)
def test_checks_before_the_pin_compare_nothing(
    seen: Card, rules: Policy | None, result: Result
) -> None:
    """
    Who meets an earlier check learns nothing of the PIN, and counts nothing.
    """
    sale = with_pin(redeem(amount(1_00)), WRONG)
    decision = decided(sale, kept_pin(), seen=seen, rules=rules)

    assert decision.record.result is result
    assert decision.tries == ()


def test_an_unknown_card_has_no_pin() -> None:
    """
    14, as without one; and nobody calls the check without a card.
    """
    sale = with_pin(redeem(amount(1_00)))
    decision = decide(sale, view(None, rules=pin_policy()), None)

    assert decision.record.result is Result.INVALID_CARD
    with pytest.raises(InvariantError, match="on a card that is known"):
        check_pin(sale, view(None), Facts(ActivityType.REDEEM, Result.APPROVED))


def test_a_process_without_the_key_never_says_wrong() -> None:
    """
    It is our fault, so nothing is counted against the cardholder.
    """
    sale = redeem(amount(1_00))
    short = replace(proof(), tags={1: proof().tags[1]})

    with pytest.raises(InvariantError, match="no key 2 for PINs"):
        decided(replace(sale, pin=short), kept_pin())


def balance(digits: str | None, pin: CardPin | None, **more: Any) -> Decision:
    """
    Ask for the balance of a card whose product asks a PIN for it.
    """
    seen_by = view(card(), rules=pin_policy(), pin=pin, **more)
    return decide_balance(ask_balance(digits), seen_by)


def test_a_balance_counts_tries_and_changes_no_card() -> None:
    """
    55, 55, 55, 75, with no balance in them; right, it is told and forgives.
    """
    pin = kept_pin()
    for count in (1, 2, 3):
        decision = balance(WRONG, pin)
        assert decision.record.result is Result.INCORRECT_PIN
        assert decision.record.balance_after_minor is None
        assert (decision.card, decision.tries[0].tries) == (None, count)
        pin = pin.tried(decision.tries[0])
    assert balance(RIGHT, pin).record.result is Result.PIN_TRIES_EXCEEDED

    told = balance(RIGHT, kept_pin(2))
    assert told.record.result is Result.APPROVED
    assert told.record.balance_after_minor == 100_00
    assert told.tries[0].tries == 0
    assert balance(None, kept_pin()).record.result is Result.PIN_REQUIRED


def test_a_wrong_pin_is_told_before_a_restriction() -> None:
    """
    10 comes before 11 and after 9.
    """
    seen_by: View = view(
        card(expires_on=date(2026, 1, 1)), rules=pin_policy(), pin=kept_pin()
    )

    expired = decide_balance(ask_balance(WRONG), seen_by)
    assert (expired.record.result, expired.tries) == (Result.EXPIRED_CARD, ())


def test_nothing_of_a_pin_shows() -> None:
    """
    Neither what was entered nor what is kept appears in a text.
    """
    sale = with_pin(redeem(amount(1_00)))
    texts = repr(sale) + repr(ask_balance()) + repr(kept_pin()) + repr(proof())

    for tag in (*proof().tags.values(), kept_pin().tag):
        assert repr(tag) not in texts
        assert tag.hex() not in texts
