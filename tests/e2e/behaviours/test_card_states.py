"""
What a card's state, product and last day refuse, and what they let pass.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import pytest

from gateway.domain.cards import BlockReason
from tests.support.look import CardRow, Look
from tests.support.tills import MakeCard, Till
from tests.support.told import Told, told

# Blocked for a reason, or with columns changed by the numbers of the schema: state 6 is
# DEACTIVATED. Two days ago is over in every time zone.
_STATES: Final[dict[str, tuple[BlockReason | dict[str, object], Told, str]]] = {
    "lost": (
        BlockReason.LOST,
        Told(result="LOST_CARD", code="41", card="BLOCKED"),
        "LOST_CARD",
    ),
    "stolen": (
        BlockReason.STOLEN,
        Told(result="STOLEN_CARD", code="43", card="BLOCKED"),
        "STOLEN_CARD",
    ),
    "fraud": (
        BlockReason.FRAUD,
        Told(result="RESTRICTED_CARD", code="62", card="BLOCKED"),
        "RESTRICTED_CARD",
    ),
    "customer": (
        BlockReason.CUSTOMER,
        Told(result="RESTRICTED_CARD", code="62", card="BLOCKED"),
        "RESTRICTED_CARD",
    ),
    "deactivated": (
        {"state": 6},
        Told(result="CARD_CLOSED", code="78", card="DEACTIVATED"),
        "CARD_CLOSED",
    ),
    "expired": (
        {"expires_on": date.today() - timedelta(days=2)},  # noqa: DTZ011
        Told(result="EXPIRED_CARD", code="54", card="ACTIVE"),
        "CARD_ALREADY_ACTIVATED",
    ),
}


@pytest.mark.parametrize("name", _STATES)
async def test_a_card_that_cannot_be_used(
    till: Till, card: MakeCard, look: Look, name: str
) -> None:
    """
    Redeem, Load, Activate and GetBalance are refused, and no balance is told.

    An active card that expired reads "already active" to an Activate: state is checked
    before the last day.
    """
    cause, refused, activation = _STATES[name]
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    if isinstance(cause, BlockReason):
        await till.block(plastic, cause)
    else:
        look.gateway.change_card(plastic, **cause)
    before = look.card(plastic)
    redeem = await till.redeem(plastic, 10_00, partial=True)
    load = await till.load(plastic, 10_00)
    activate = await till.activate(plastic, 10_00)
    balance = await till.balance(plastic)
    after = look.card(plastic)

    asked = replace(
        refused,
        requested="10.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        state="DECLINED",
    )
    assert told(redeem) == replace(asked, due="10.00 USD")
    assert told(load) == asked
    assert told(activate).result == activation
    assert told(balance) == replace(refused, card="", state="DECLINED")
    assert before == after == replace(before, balance=70_00)
    assert [told for told in look.rows(plastic) if told[1] != "APPROVED"] == [
        ("REDEEM", refused.result),
        ("LOAD", refused.result),
        ("ACTIVATE", activation),
    ]
    assert not look.postings(redeem) + look.postings(load) + look.postings(activate)
    # Whatever became of the card, what was taken from it goes back to it.
    if name != "deactivated":
        assert told(await till.reverse(sale)).result == "APPROVED"
        assert look.card(plastic) == replace(before, balance=100_00)


async def test_a_card_that_was_not_handed_out(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    A CREATED card cannot even be activated: 78 CARD_NOT_ACTIVE.
    """
    plastic = await card(None, state=1)
    answers = [
        await till.activate(plastic, 10_00),
        await till.load(plastic, 10_00),
        await till.redeem(plastic, 10_00),
    ]

    assert {told(answer).result for answer in answers} == {"CARD_NOT_ACTIVE"}
    assert {told(answer).card for answer in answers} == {"CREATED"}
    assert look.card(plastic) == CardRow("CREATED", balance=0, loads=0)


async def test_what_a_product_does_not_permit(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Redeem where the product permits loads only: 57 NOT_PERMITTED.
    """
    plastic = await card(product="load-only")
    answer = await till.redeem(plastic, 10_00)

    assert told(answer) == Told(
        result="NOT_PERMITTED",
        code="57",
        requested="10.00 USD",
        approved="0.00 USD",
        due="10.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    assert told(await till.load(plastic, 1_00)).available == "101.00 USD"
    assert look.rows(plastic)[1:] == [("REDEEM", "NOT_PERMITTED"), ("LOAD", "APPROVED")]


@pytest.mark.parametrize(
    ("operation", "minor", "result"),
    [
        ("load", 200_00, "APPROVED"),
        ("load", 200_01, "LIMIT_EXCEEDED"),
        ("redeem", 300_00, "APPROVED"),
        ("redeem", 300_01, "LIMIT_EXCEEDED"),
    ],
)
async def test_limits(
    till: Till, card: MakeCard, look: Look, operation: str, minor: int, result: str
) -> None:
    """
    At most 200.00 a load and 300.00 a sale: one cent more is 61 LIMIT_EXCEEDED.
    """
    plastic = await card(150_00, product="limited")
    await till.load(plastic, 150_00)
    before = look.card(plastic)
    answer = await getattr(till, operation)(plastic, minor)

    assert told(answer).result == result
    if result == "LIMIT_EXCEEDED":
        assert told(answer) == Told(
            result="LIMIT_EXCEEDED",
            code="61",
            requested=f"{minor // 100}.01 USD",
            approved="0.00 USD",
            due="0.00 USD" if operation == "load" else f"{minor // 100}.01 USD",
            previous="300.00 USD",
            available="300.00 USD",
            ledger="300.00 USD",
            held="0.00 USD",
            card="ACTIVE",
            state="DECLINED",
        )
        assert look.card(plastic) == before


async def test_the_largest_balance(till: Till, card: MakeCard, look: Look) -> None:
    """
    A balance of 500.00 at most: a load beyond it is 61, one that reaches it is not.
    """
    plastic = await card(200_00, product="limited")
    await till.load(plastic, 199_99)
    beyond = await till.load(plastic, 100_02)
    up_to = await till.load(plastic, 100_01)

    assert (told(beyond).result, told(beyond).code) == ("LIMIT_EXCEEDED", "61")
    assert told(up_to).available == "500.00 USD"
    assert look.card(plastic) == CardRow("ACTIVE", balance=500_00, loads=3)


async def test_a_product_of_fixed_amount(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Activate without an amount loads the fixed one; another amount is 13.
    """
    plastic = await card(None, product="fixed")
    wrong = await till.activate(plastic, 49_99)
    right = await till.activate(plastic)

    assert (told(wrong).result, told(wrong).code) == ("INVALID_AMOUNT", "13")
    assert told(right) == Told(
        result="APPROVED",
        code="00",
        requested="50.00 USD",
        approved="50.00 USD",
        due="0.00 USD",
        previous="0.00 USD",
        available="50.00 USD",
        ledger="50.00 USD",
        held="0.00 USD",
        card="ACTIVE",
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=50_00, loads=1)
