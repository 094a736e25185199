"""
Each answer carries a sentence for the receipt.
"""

from typing import Any

import pytest

from gateway.api.receipts import receipt_text
from gateway.domain.cards import CardState
from gateway.domain.decide import decide
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result
from gateway.domain.reverse import Original
from tests.support.world import (
    RELOADABLE,
    activate,
    amount,
    card,
    cash_out,
    load,
    policy,
    product,
    redeem,
    reverse,
    view,
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
