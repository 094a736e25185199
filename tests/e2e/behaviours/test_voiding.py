"""
Behaviour 56, first half, and its mirrors: voids on the business day of the original.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from tests.support.look import CardRow, Look
from tests.support.rates import books_time, set_books_time
from tests.support.server import Gateway
from tests.support.tills import (
    MakeCard,
    Till,
    card_maker,
    new_id,
    open_tills,
)
from tests.support.told import Told, told

StartGateway = Callable[..., Gateway]

_VOIDED: Final = Told(
    result="APPROVED",
    code="00",
    requested="30.00 USD",
    approved="30.00 USD",
    due="0.00 USD",
    previous="70.00 USD",
    available="100.00 USD",
    ledger="100.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)


async def test_56_void_a_sale(till: Till, card: MakeCard, look: Look) -> None:
    """
    56: Void in the open batch: both rows are kept, they net to zero; VOIDED.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    void = await till.void(sale)
    asked = await till.transaction(sale)
    replay = await till.redeem(plastic, 30_00, request_id=sale.request_id)

    assert told(void) == _VOIDED
    assert void.original_transaction_id == sale.transaction_id
    assert told(asked) == replace(told(sale), state="VOIDED", replayed=True)
    assert told(replay) == told(asked)
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.rows(plastic)[1:] == [("REDEEM", "APPROVED"), ("VOID", "APPROVED")]
    assert look.postings(void) == [
        ("CARD_LIABILITY", "USD", -30_00),
        ("MERCHANT_PAYABLE", "USD", 30_00),
    ]


async def test_56_void_the_other_operations(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    56: Activate, Load and Refund are undone whole as well.
    """
    pending, plastic = await card(None), await card()
    activated = await till.activate(pending, 25_00)
    load = await till.load(plastic, 40_00)
    sale = await till.redeem(plastic, 30_00)
    back = await till.refund(sale, 12_00)
    voids = [await till.void(one) for one in (activated, load, back)]

    assert [told(void).approved for void in voids] == [
        "25.00 USD",
        "40.00 USD",
        "12.00 USD",
    ]
    assert look.card(pending) == CardRow("PENDING", balance=0, loads=0)
    assert look.card(plastic) == CardRow("ACTIVE", balance=70_00, loads=1)
    assert told(await till.transaction(sale)).state == "POSTED"
    assert look.postings(voids[2]) == [
        ("CARD_LIABILITY", "USD", 12_00),
        ("MERCHANT_PAYABLE", "USD", -12_00),
    ]
    assert told(await till.refund(sale, 30_00)).result == "APPROVED"


async def test_56_the_day_after(start_gateway: StartGateway) -> None:
    """
    56: Void on the next business day: 21 with the hint "use Refund"; and Refund works.

    A Reverse works too: it is for whoever never got an answer, however late.
    """
    gateway = start_gateway()
    async with open_tills(gateway) as tills:
        till, make = await tills("till-1"), card_maker(tills)
        sale = await till.redeem(await make(), 30_00)
        other = await till.redeem(await make(), 30_00)
        set_books_time(gateway, books_time(gateway) + timedelta(days=1))
        void = await till.void(sale)
        back = await till.refund(sale, 30_00)
        undone = await till.reverse(other)

    assert told(void) == replace(
        _VOIDED,
        result="CANNOT_BE_REVERSED",
        code="21",
        approved="0.00 USD",
        available="70.00 USD",
        ledger="70.00 USD",
        state="DECLINED",
    )
    assert "use Refund" in void.receipt_text
    assert (told(back).result, told(undone).result) == ("APPROVED", "APPROVED")


async def test_voids_that_come_too_late(till: Till, card: MakeCard, look: Look) -> None:
    """
    21: what was voided, reversed or refunded; a void, a reversal, a decline.
    """
    plastic = await card()
    voided, reversed_, refunded = [await till.redeem(plastic, 5_00) for _ in range(3)]
    void, reversal = await till.void(voided), await till.reverse(reversed_)
    await till.refund(refunded, 1_00)
    decline = await till.redeem(plastic, 999_00)
    before = look.card(plastic)

    results = {
        name: told(await till.void(original)).result
        for name, original in {
            "voided": voided,
            "reversed": reversed_,
            "refunded": refunded,
            "void": void,
            "reversal": reversal,
            "decline": decline,
        }.items()
    }

    assert results == {
        "voided": "ALREADY_REVERSED",
        "reversed": "ALREADY_REVERSED",
        "refunded": "FURTHER_ACTIVITY_PREVENTS_REVERSAL",
        "void": "CANNOT_BE_REVERSED",
        "reversal": "CANNOT_BE_REVERSED",
        "decline": "CANNOT_BE_REVERSED",
    }
    assert look.card(plastic) == before


async def test_23_reverse_a_void(till: Till, card: MakeCard, look: Look) -> None:
    """
    23: Reverse of a void, and of what was voided: 21; of a declined void: 00.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    void = await till.void(sale)
    again = await till.void(sale)
    of_void, of_sale = await till.reverse(void), await till.reverse(sale)
    of_decline = await till.reverse(again)

    assert told(of_void).result == "CANNOT_BE_REVERSED"
    assert told(of_sale).result == "ALREADY_REVERSED"
    assert of_sale.receipt_text.startswith("Declined: this was undone before.")
    assert (told(of_decline).result, look.postings(of_decline)) == ("APPROVED", [])
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)


async def test_24_void_an_activation_after_a_sale(till: Till, card: MakeCard) -> None:
    """
    24: 21 while the card was used since; once that sale is voided it can be.
    """
    plastic = await card(None)
    activated = await till.activate(plastic, 25_00)
    sale = await till.redeem(plastic, 5_00)
    refused = await till.void(activated)
    await till.void(sale)

    assert told(refused).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert told(await till.void(activated)).card == "PENDING"


async def test_25_void_a_load_that_is_spent(till: Till, card: MakeCard) -> None:
    """
    25: 21, and nothing changes.
    """
    plastic = await card()
    load = await till.load(plastic, 40_00)
    await till.redeem(plastic, 130_00)
    answer = await till.void(load)

    assert told(answer).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert told(answer).available == "10.00 USD"


async def test_nothing_to_void(till: Till, card: MakeCard, look: Look) -> None:
    """
    25 and no tombstone; also where another card is named.
    """
    original = new_id()
    early = await till.void(original)
    between = look.key(original)
    plastic, other = await card(), await card()
    sale = await till.redeem(plastic, 30_00, request_id=original)
    wrong = await till.void(sale, card_number=other.number)
    right = await till.void(sale, card_number=plastic.number)

    not_found = Told(result="ORIGINAL_NOT_FOUND", code="25", state="DECLINED")
    assert told(early) == told(wrong) == not_found
    assert between == "nothing"
    assert told(right) == _VOIDED


async def test_15_16_void_again(till: Till, card: MakeCard, look: Look) -> None:
    """
    15, 16: The same void twice: one undoing; its id with another original: 94.
    """
    plastic = await card()
    sale, other = await till.redeem(plastic, 30_00), await till.redeem(plastic, 1_00)
    first = await till.void(sale)
    again = await till.void(sale, request_id=first.request_id)
    reused = await till.void(other, request_id=first.request_id)

    assert told(again) == replace(told(first), replayed=True)
    assert again.transaction_id == first.transaction_id
    assert told(reused).result == "DUPLICATE"
    assert look.card(plastic).balance == 99_00


async def test_20_21_reversed_before_it_came(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    20, 21: A void that was given up before it arrived is never done: the sale stands.
    """
    plastic, void = await card(), new_id()
    sale = await till.redeem(plastic, 30_00)
    given_up = await till.reverse(void)
    late = await till.void(sale, request_id=void)

    assert told(given_up).code == "25"
    assert told(late) == Told(result="ALREADY_REVERSED", code="21", state="DECLINED")
    assert told(await till.transaction(sale)).state == "POSTED"
