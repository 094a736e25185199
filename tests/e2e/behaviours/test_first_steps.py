"""
Behaviours 1 to 7: balances, activation, loads.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.look import CardRow, Look
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, money
from tests.support.told import Told, amount, told


async def test_1_balance_of_an_unknown_number(till: Till, look: Look) -> None:
    """
    1: GetBalance on an unknown number: 14 INVALID_CARD, no balance field, no row.
    """
    before = look.footprint()
    answer = await till.balance(UNKNOWN_NUMBER)

    assert told(answer) == Told(result="INVALID_CARD", code="14", state="DECLINED")
    assert before == look.footprint()


async def test_2_the_balance_of_a_pending_card(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    2: GetBalance on a PENDING card: 78 CARD_NOT_ACTIVE, no balance field, no row.
    """
    plastic = await card(None)
    before = look.footprint()
    answer = await till.balance(plastic)

    assert told(answer) == Told(result="CARD_NOT_ACTIVE", code="78", state="DECLINED")
    assert before == look.footprint()


async def test_2_a_pending_card_cannot_be_used(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    2: Load and Redeem on a PENDING card: 78 CARD_NOT_ACTIVE, balance unchanged.
    """
    plastic = await card(None)
    loaded = await till.load(plastic, 10_00)
    spent = await till.redeem(plastic, 10_00, partial=True)

    declined = Told(
        result="CARD_NOT_ACTIVE",
        code="78",
        requested="10.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        card="PENDING",
        state="DECLINED",
    )
    assert told(loaded) == declined
    assert told(spent) == replace(declined, due="10.00 USD")
    assert look.card(plastic) == CardRow("PENDING", balance=0, loads=0)
    assert look.rows(plastic) == [
        ("LOAD", "CARD_NOT_ACTIVE"),
        ("REDEEM", "CARD_NOT_ACTIVE"),
    ]
    assert look.postings(loaded) == look.postings(spent) == []


async def test_3_activate(till: Till, card: MakeCard, look: Look) -> None:
    """
    3: Activate a PENDING card with 25.00: 00, available 25.00, ACTIVE.
    """
    plastic = await card(None)
    answer = await till.activate(plastic, 25_00)

    assert told(answer) == Told(
        result="APPROVED",
        code="00",
        requested="25.00 USD",
        approved="25.00 USD",
        due="0.00 USD",
        previous="0.00 USD",
        available="25.00 USD",
        ledger="25.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=25_00, loads=1)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", -25_00),
        ("MERCHANT_RECEIVABLE", "USD", 25_00),
    ]


async def test_3_activate_without_an_amount(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    3: Activate without an amount: 00, ACTIVE with 0.00 and no posting.
    """
    plastic = await card(None)
    answer = await till.activate(plastic)

    assert told(answer) == Told(
        result="APPROVED",
        code="00",
        previous="0.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=0, loads=0)
    assert look.postings(answer) == []


async def test_4_activate_twice(till: Till, card: MakeCard, look: Look) -> None:
    """
    4: Activate it again under a new id: 12 CARD_ALREADY_ACTIVATED; balance 25.00.
    """
    plastic = await card(25_00)
    answer = await till.activate(plastic, 25_00)

    assert told(answer) == Told(
        result="CARD_ALREADY_ACTIVATED",
        code="12",
        requested="25.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=25_00, loads=1)
    assert look.rows(plastic) == [
        ("ACTIVATE", "APPROVED"),
        ("ACTIVATE", "CARD_ALREADY_ACTIVATED"),
    ]
    assert look.postings(answer) == []


async def test_5_load(till: Till, card: MakeCard, look: Look) -> None:
    """
    5: Load 40.00: 00, previous 100.00, available 140.00.
    """
    plastic = await card()
    answer = await till.load(plastic, 40_00)

    assert told(answer) == Told(
        result="APPROVED",
        code="00",
        requested="40.00 USD",
        approved="40.00 USD",
        due="0.00 USD",
        previous="100.00 USD",
        available="140.00 USD",
        ledger="140.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=140_00, loads=2)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", -40_00),
        ("MERCHANT_RECEIVABLE", "USD", 40_00),
    ]


@pytest.mark.parametrize(
    ("minor", "currency", "exponent"),
    [
        (0, "USD", 2),
        (-5_00, "USD", 2),
        (10_005, "USD", 3),
        (15, "JPY", 1),
        (10_00, "KWD", 2),
        (10**15 + 1, "USD", 2),
    ],
)
async def test_6_invalid_amounts(
    till: Till,
    card: MakeCard,
    look: Look,
    minor: int,
    currency: str,
    exponent: int,
) -> None:
    """
    6: Load 0, -5.00, 10.005 USD or 1.5 JPY: 13 INVALID_AMOUNT; no posting, no change.

    So are KWD with two digits and more than 10^15, and so are all of them as the first
    amount of an Activate and in a Redeem. Each is recorded.
    """
    plastic, pending = await card(), await card(None)
    before = look.footprint()
    wrong = money(minor, currency, exponent)
    loaded = await till.ask("Load", card_number=plastic.number, amount=wrong)
    spent = await till.ask("Redeem", card_number=plastic.number, amount=wrong)
    activated = await till.ask(
        "Activate", card_number=pending.number, initial_amount=wrong
    )
    after = look.footprint()

    nothing = amount(money(0, currency, exponent))
    declined = Told(
        result="INVALID_AMOUNT",
        code="13",
        requested=amount(wrong),
        approved=nothing,
        due=nothing,
        state="DECLINED",
    )
    assert told(loaded) == declined
    assert told(activated) == declined
    assert told(spent) == replace(declined, due=amount(wrong) if minor > 0 else nothing)
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.card(pending) == CardRow("PENDING", balance=0, loads=0)
    assert look.rows(pending) == [("ACTIVATE", "INVALID_AMOUNT")]
    assert after.transactions == before.transactions + 3
    assert after.keys == before.keys + 3
    assert after.postings == before.postings
    assert after.cards == before.cards


async def test_7_a_one_time_card_takes_one_load(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    7: Load on a one-time card after its first load: 57 CARD_NOT_RELOADABLE.
    """
    plastic = await card(0, product="one-time")
    first = await till.load(plastic, 20_00)
    second = await till.load(plastic, 20_00)

    assert told(first).available == "20.00 USD"
    assert told(second) == Told(
        result="CARD_NOT_RELOADABLE",
        code="57",
        requested="20.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=20_00, loads=1)
    assert look.postings(second) == []
