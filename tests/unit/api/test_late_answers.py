"""
What a till is told of two messages and of offline sales.
"""

from gateway.api.outcomes import outcome
from gateway.api.receipts import receipt_text
from gateway.domain.cards import CardState
from gateway.domain.decide import decide
from gateway.domain.results import CurrentState, Result
from gateway.engine.answers import Answer
from tests.support.late_requests import advice, confirm, late_place
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
    view,
)

TWO = policy(at=late_place(two_message=True))
KIOSK = policy(at=late_place(floor_limit=(50_00, "USD")))


def test_a_credit_that_waits_says_so() -> None:
    """
    On Load, Activate and Refund; a sale is a sale.
    """
    pending = card(0, state=CardState.PENDING, load_count=0)
    loaded, after = done(load(amount(40_00)), card(), rules=TWO)
    activated, _ = done(activate(amount(25_00)), pending, rules=TWO)
    sale, spent = done(redeem(amount(30_00)), card(), rules=TWO)
    back = follow(refund(amount(4_00)), sale, spent, rules=TWO).record
    sure = follow(confirm(), loaded, after, rules=TWO).record
    again = follow(confirm(), loaded, after, rules=TWO, confirmed=True).record

    assert [receipt_text(one) for one in (loaded, activated, sale, back)] == [
        "Loaded 40.00 USD, to be spent once it is confirmed. Balance: 100.00 USD.",
        (
            "Card activated with 25.00 USD, to be spent once it is confirmed. "
            "Balance: 0.00 USD."
        ),
        "Paid 30.00 USD by gift card. Balance: 70.00 USD.",
        (
            "Refunded 4.00 USD to the gift card, to be spent once it is confirmed. "
            "Balance: 70.00 USD."
        ),
    ]
    assert receipt_text(sure) == "Confirmed. Balance: 140.00 USD."
    assert receipt_text(again).startswith("This was confirmed before.")


def test_what_cannot_be_confirmed_says_why() -> None:
    """
    Nothing there, nothing that waits; and what was confirmed is not reversed.
    """
    single, after = done(load(amount(40_00)), card())
    waiting, late = done(load(amount(40_00)), card(), rules=TWO)
    missing = decide(confirm(), view(None), None).record
    wrong = follow(confirm(), single, after).record
    kept = follow(reverse(1), waiting, late, rules=TWO, confirmed=True).record

    assert receipt_text(missing) == "Declined: there is nothing to confirm."
    assert receipt_text(wrong).startswith(
        "Declined: this request does not wait to be confirmed."
    )
    assert receipt_text(kept).startswith(
        "Declined: this kind of request cannot be undone, nor one that was confirmed."
    )


def test_an_offline_sale_says_what_was_not_paid() -> None:
    """
    Approved, nothing due, and the reason beside it; paid in full it is like any other.
    """
    part = decide(advice(amount(20_00)), view(card(5_00), rules=KIOSK), None).record
    none = decide(advice(amount(20_00)), view(card(0), rules=KIOSK), None).record
    full = decide(advice(amount(20_00)), view(card(), rules=KIOSK), None).record
    told = outcome(Answer(part, replayed=False, state=CurrentState.POSTED), KIOSK)

    assert receipt_text(part) == (
        "Paid 5.00 USD by gift card, but not 15.00 USD: the card has not enough money. "
        "Balance: 0.00 USD."
    )
    assert receipt_text(none) == (
        "Nothing was paid by gift card: the card has not enough money. "
        "Balance: 0.00 USD."
    )
    assert receipt_text(full) == "Paid 20.00 USD by gift card. Balance: 80.00 USD."
    assert (told.requested_amount.minor_units, told.approved_amount.minor_units) == (
        20_00,
        5_00,
    )
    assert told.amount_due.minor_units == 0
    assert int(told.exception) == Result.INSUFFICIENT_FUNDS
