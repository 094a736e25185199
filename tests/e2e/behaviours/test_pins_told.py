"""
What tells a PIN, and what a locked one keeps closed: behaviour 36 (domain 1.2, 1.7).
"""

from __future__ import annotations

import json

import pytest

from tests.support.holding import authorize, cancel, capture, increment
from tests.support.look import Look
from tests.support.server import Card
from tests.support.tills import MakeCard, Outcome, Till
from tests.support.told import told

RIGHT, WRONG = "493827", "000000"


@pytest.fixture
async def plastic(card: MakeCard) -> Card:
    """
    Make a card of a product that asks a PIN for everything.
    """
    return await card(pin=RIGHT, product="pin")


async def lock(till: Till, plastic: Card) -> None:
    """
    Try a card's PIN wrong as often as its product allows.
    """
    for _ in range(3):
        wrong = await till.redeem(plastic, 1_00, pin=WRONG)
        assert told(wrong).result == "INCORRECT_PIN"


def kept_of(look: Look, outcome: Outcome) -> tuple[bool, bool | None]:
    """
    Read what is kept of a PIN with a transaction: whether it came, and was right.
    """
    ((seen,),) = look.gateway.sql(
        "SELECT convert_from(seen, 'UTF8') FROM transaction WHERE transaction_id = %s",
        outcome.transaction_id,
    )
    came, right, *_ = json.loads(seen)["pin"]
    return came, right


async def test_36_nobody_reads_in_the_books_whether_a_locked_pin_was_right(
    till: Till, plastic: Card, look: Look
) -> None:
    """
    36: While it is locked nothing is compared, so nothing is kept: no way to guess on.
    """
    await lock(till, plastic)

    locked = [await till.redeem(plastic, 1_00, pin=pin) for pin in (WRONG, RIGHT)]

    assert [told(one).result for one in locked] == ["PIN_TRIES_EXCEEDED"] * 2
    assert [kept_of(look, one) for one in locked] == [(True, None)] * 2


async def test_36_what_counts_no_try_compares_no_pin(
    till: Till, plastic: Card, look: Look
) -> None:
    """
    36: What is refused before check 10 neither counts a try nor keeps a verdict.
    """
    refused = [await till.redeem(plastic, 0, pin=pin) for pin in (WRONG, RIGHT)]
    counted = look.gateway.sql(
        "SELECT wrong_total FROM card_pin_try WHERE card_id = %s", plastic.card_id
    )
    compared = [await till.redeem(plastic, 1_00, pin=pin) for pin in (WRONG, RIGHT)]

    assert [told(one).result for one in refused] == ["INVALID_AMOUNT"] * 2
    assert counted == []
    assert [kept_of(look, one) for one in refused] == [(True, None)] * 2
    assert [kept_of(look, one) for one in compared] == [(True, False), (True, True)]


async def test_36_an_increment_does_not_pass_a_locked_pin(
    till: Till, plastic: Card, look: Look
) -> None:
    """
    36: A hold grows without a PIN, but not past its lock; it is captured all the same.
    """
    hold = await authorize(till, plastic, 1_00, pin=RIGHT)
    unlocked = await increment(till, hold, 1_00)
    await lock(till, plastic)

    more = await increment(till, hold, 97_00)
    again = await increment(till, hold, 97_00, card_number=plastic.number)

    assert told(unlocked).result == "APPROVED"
    for one in (more, again):
        assert told(one).result == "PIN_TRIES_EXCEEDED"
        assert told(one).available == ""
        assert kept_of(look, one) == (False, None)
    assert look.card(plastic).held == 2_00
    assert look.gateway.sql(
        "SELECT tries, wrong_total FROM card_pin_try WHERE card_id = %s",
        plastic.card_id,
    ) == [(3, 3)]
    assert told(await capture(till, hold, 1_00, keep_open=True)).result == "APPROVED"
    assert told(await cancel(till, hold)).result == "APPROVED"
