"""
A hold does not grow past a locked PIN.
"""

from datetime import date, timedelta
from typing import Any

from gateway.domain.decide import decide
from gateway.domain.explain import explain
from gateway.domain.explanation import CheckNumber, CheckOutcome
from gateway.domain.recall import Recorded
from gateway.domain.results import ActivityType, Channel, Result
from tests.support.held_world import ask, authorize, capture, held, increment
from tests.support.held_world import holding_rules as rules_of_holds
from tests.support.pins import RIGHT, WRONG, kept_pin, pin_policy, with_pin
from tests.support.world import NOW, amount, card, view


def locked_rules(*activities: ActivityType) -> Any:
    """
    Give rules under which holds need a PIN, unless other activities are named.
    """
    return pin_policy(*activities, rules=rules_of_holds())


def test_an_increment_asks_for_no_pin_but_does_not_pass_a_locked_one() -> None:
    """
    75 while the lock lasts: nothing compared, counted or shown. A capture is not asked.
    """
    rules, on = locked_rules(), held()
    more = increment(amount(1))
    late = NOW + timedelta(hours=1)

    free = ask(more, on, rules=rules, pin=kept_pin(2))
    shut = ask(more, on, rules=rules, pin=kept_pin(3))
    other = ask(more, on, rules=rules, pin=kept_pin(3, channel=Channel.IVR))
    decayed = ask(more, on, rules=rules, pin=kept_pin(3), now=late)
    taken = ask(capture(), on, rules=rules, pin=kept_pin(3))

    assert shut.record.result is Result.PIN_TRIES_EXCEEDED
    assert (shut.tries, shut.card, shut.holds) == ((), None, ())
    assert not shut.record.balances_shown
    for one in (free, other, decayed, taken):
        assert (one.record.result, one.tries) == (Result.APPROVED, ())


def test_an_increment_where_no_pin_is_needed() -> None:
    """
    A lock is of no account to a product that asks none for holds, or a card without.
    """
    on, more = held(), increment(amount(1))
    unasked = ask(more, on, rules=locked_rules(ActivityType.REDEEM), pin=kept_pin(3))
    without = ask(more, on, rules=locked_rules(), pin=None)

    assert unasked.record.result is without.record.result is Result.APPROVED


def test_a_locked_pin_comes_after_the_last_day() -> None:
    """
    10 comes after 9, and before the currency and the hold.
    """
    on, rules = held(), locked_rules()
    expired = ask(
        increment(amount(1)),
        on,
        rules=rules,
        pin=kept_pin(3),
        expires_on=date(2020, 1, 1),
    )
    euros = ask(increment(amount(1, "EUR")), on, rules=rules, pin=kept_pin(3))

    assert expired.record.result is Result.EXPIRED_CARD
    assert euros.record.result is Result.PIN_TRIES_EXCEEDED


def test_an_explanation_tells_what_locked_it() -> None:
    """
    The tries before, and where the product locks.
    """
    on, rules = held(), locked_rules()
    shut = ask(increment(amount(1)), on, rules=rules, pin=kept_pin(3))
    found = explain(
        Recorded(
            record=shut.record,
            policy=rules,
            cards={on.card.card_id: on.card},
            original=on.record,
        )
    )
    last = found.checks[-1]
    told = {value.name: value.text for value in last.values}

    assert found.differences == ()
    assert found.decided_by is last.number is CheckNumber.PIN
    assert last.outcome is CheckOutcome.REFUSED
    assert last.result is Result.PIN_TRIES_EXCEEDED
    assert (told["sent"], told["wrong before"], told["locks at"]) == ("no", "3", "3")


def test_an_authorize_still_asks_for_one() -> None:
    """
    What an increment is spared, the placing of its hold is not.
    """
    seen = view(card(), rules=locked_rules(), pin=kept_pin())

    placed = [
        decide(with_pin(authorize(amount(1)), digits), seen, None).record.result
        for digits in (None, WRONG, RIGHT)
    ]

    assert placed == [Result.PIN_REQUIRED, Result.INCORRECT_PIN, Result.APPROVED]
