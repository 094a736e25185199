"""
Each answer carries a sentence for the receipt.
"""

from datetime import timedelta
from typing import Any

import pytest

from gateway.api.receipts import receipt_text
from gateway.domain.cards import CardState
from gateway.domain.decide import decide
from gateway.domain.originals import Original, Refunds
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType, Result
from tests.support import world
from tests.support.world import (
    RELOADABLE,
    activate,
    amount,
    card,
    cash_out,
    done,
    follow,
    load,
    policy,
    product,
    redeem,
    refund,
    reverse,
    view,
    void,
)

RULES = policy(products=[product(RELOADABLE, cash_out_limit_minor=10_00)])
FORBIDDEN = policy(products=[product(RELOADABLE, permitted=frozenset())])


def decided(command: Any, seen: Any = None, rules: Any = RULES) -> TransactionRecord:
    """
    Decide a command on the world's card.
    """
    seen = card() if seen is None else seen
    return decide(command, view(seen, rules=rules), None).record


def test_every_result_has_its_sentence() -> None:
    """
    Each decline says why; no two reasons read the same.
    """
    record = decided(redeem(amount(0)))
    declines = [result for result in Result if result > Result.APPROVED_PARTIAL]
    texts = {receipt_text(record._replace(result=result)) for result in declines}

    assert len(texts) == len(declines)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (
            decided(redeem(amount(130_00), allow_partial=True)),
            "Paid 100.00 USD by gift card. Still due: 30.00 USD. Balance: 0.00 USD.",
        ),
        (decided(load(amount(40_00))), "Loaded 40.00 USD. Balance: 140.00 USD."),
        (
            decided(
                activate(amount(25_00)),
                card(0, state=CardState.PENDING, load_count=0),
            ),
            "Card activated with 25.00 USD. Balance: 25.00 USD.",
        ),
        (
            decided(redeem(amount(1000, "JPY"))),
            "Paid 1000 JPY by gift card. Balance: 93.35 USD.",
        ),
        (
            decided(redeem(amount(130_00))),
            "Declined: the card has not enough money. Balance: 100.00 USD.",
        ),
        (
            decided(cash_out(), card(8_00)),
            "Paid out 8.00 USD in cash. Balance: 0.00 USD.",
        ),
        (
            decided(cash_out(), card(12_00)),
            "Declined: this balance is not paid out in cash here. Balance: 12.00 USD.",
        ),
        (
            decided(cash_out(), card(8_00, held_minor=2_00)),
            "Declined: a part of the balance is held for a payment. Balance: 6.00 USD.",
        ),
        (
            decided(cash_out(), card(8_00), FORBIDDEN),
            "Declined: the card does not permit this.",
        ),
        (
            decided(redeem(amount(1_00)), card(8_00), FORBIDDEN),
            "Declined: the card does not permit this.",
        ),
    ],
)
def test_receipts(record: TransactionRecord, text: str) -> None:
    """
    The sentence for a receipt says what was done, in each currency's own digits.
    """
    assert receipt_text(record) == text


def test_refunds_and_voids_say_what_they_did() -> None:
    """
    With the amount, where there is one; and what is in their way in words of their own.
    """
    sale, after = done(redeem(amount(30_00)), card())
    activated, fresh = done(activate(), card(0, state=CardState.PENDING, load_count=0))
    many = Refunds(30_00, 30_00)

    texts = [
        receipt_text(decision.record)
        for decision in (
            follow(refund(amount(4_00)), sale, after),
            follow(refund(amount(4_00)), sale, after, refunds=many),
            follow(refund(amount(4_00, "EUR")), sale, after),
            follow(refund(amount(4_00)), activated, fresh),
            follow(void(), sale, after),
            follow(void(), activated, fresh),
            follow(void(), sale, after, refunds=many),
            follow(void(), sale, after, now=world.NOW + timedelta(days=1)),
            follow(void(), sale, after, undone_by=ActivityType.VOID),
            follow(reverse(1), sale, after, undone_by=ActivityType.VOID),
            decide(refund(amount(4_00)), view(None), None),
            decide(void(), view(None), None),
        )
    ]

    assert [text.replace(" Balance: 70.00 USD.", "") for text in texts] == [
        "Refunded 4.00 USD to the gift card. Balance: 74.00 USD.",
        "Declined: the amount is not valid, or more than is left to refund.",
        "Declined: a refund is in the currency of its sale.",
        "Declined: only an approved sale can be refunded. Balance: 0.00 USD.",
        "Voided: 30.00 USD. Balance: 100.00 USD.",
        "Voided. Balance: 0.00 USD.",
        (
            "Declined: the card was used or the sale refunded since, so this cannot be "
            "undone."
        ),
        (
            "Declined: only what was approved on this business day can be voided; for "
            "an earlier sale use Refund."
        ),
        "Declined: this was undone before.",
        "Declined: this was undone before.",
        "Declined: there is nothing to refund.",
        "Declined: there is nothing to void.",
    ]


def test_a_reversal_of_nothing_says_so() -> None:
    """
    Undoing a declined request is approved and undoes nothing.
    """
    declined = decided(redeem(amount(130_00)))
    undone = decide(
        reverse(1),
        view(card(), number=2),
        Original(declined, reversed=False, later_activity=False),
    ).record
    activated = decide(
        activate(), view(card(0, state=CardState.PENDING, load_count=0)), None
    )
    closed = decide(
        reverse(1),
        view(activated.card, number=2),
        Original(activated.record, reversed=False, later_activity=False),
    ).record

    assert receipt_text(undone) == "Nothing was left to undo."
    assert receipt_text(closed) == "Undone. Balance: 0.00 USD."
