"""
Behaviour 47 and its mirrors: refunds, linked to a sale and never above it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from scrip.v1 import card_pb2
from tests.support.look import CardRow, Look
from tests.support.rates import books_time, load_rates, set_books_time
from tests.support.server import Gateway
from tests.support.stores import flush
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    card_maker,
    new_id,
    open_tills,
)
from tests.support.told import Told, told

StartGateway = Callable[..., Gateway]

_REFUNDED: Final = Told(
    result="APPROVED",
    code="00",
    requested="12.00 USD",
    approved="12.00 USD",
    due="0.00 USD",
    previous="70.00 USD",
    available="82.00 USD",
    ledger="82.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)
_DECLINED: Final = replace(
    _REFUNDED,
    approved="0.00 USD",
    available="70.00 USD",
    ledger="70.00 USD",
    state="DECLINED",
)


async def test_47_a_refund_in_part(till: Till, card: MakeCard, look: Look) -> None:
    """
    47: 12.00 of 30.00 come back; the sale stays POSTED; the merchant is owed less.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    back = await till.refund(sale, 12_00)

    assert told(back) == _REFUNDED
    assert back.original_transaction_id == sale.transaction_id
    assert back.receipt_text == (
        "Refunded 12.00 USD to the gift card. Balance: 82.00 USD."
    )
    assert told(await till.transaction(sale)).state == "POSTED"
    assert look.card(plastic) == CardRow("ACTIVE", balance=82_00, loads=1)
    assert look.postings(back) == [
        ("CARD_LIABILITY", "USD", -12_00),
        ("MERCHANT_PAYABLE", "USD", 12_00),
    ]


async def test_47_at_the_rate_of_the_sale(start_gateway: StartGateway) -> None:
    """
    47: Redeem JPY 10000 (66.50), refunds under a new table: 22.16, 22.17, 22.17.

    A further refund of 1: 13. The sale is REFUNDED.
    """
    gateway = start_gateway()
    look = Look(gateway)
    async with open_tills(gateway) as tills:
        till = await tills("till-1")
        plastic = await card_maker(tills)()
        sale = await till.redeem(plastic, 10_000, "JPY")
        since = books_time(gateway) + timedelta(hours=1)
        load_rates(gateway, {"JPY": "0.0099"}, since)
        set_books_time(gateway, since + timedelta(minutes=1))
        new = await till.redeem(plastic, 100, "JPY")
        parts = [await till.refund(sale, p, "JPY") for p in (3_333, 3_333, 3_334)]
        state = told(await till.transaction(sale)).state
        beyond = await till.refund(sale, 1, "JPY")

    assert (told(sale).debit, told(new).debit) == ("66.50 USD", "0.99 USD")
    assert [told(part).debit for part in parts] == [
        "22.16 USD",
        "22.17 USD",
        "22.17 USD",
    ]
    tables = {part.conversion.rate_table_version for part in (sale, *parts)}
    assert tables == {1}
    assert new.conversion.rate_table_version == 2
    assert {part.conversion.transaction_rate_to_usd for part in parts} == {"0.00665"}
    assert look.postings(parts[0]) == [
        ("CARD_LIABILITY", "USD", -22_16),
        ("FX_CLEARING", "USD", 22_16),
        ("FX_CLEARING", "JPY", -3_333),
        ("MERCHANT_PAYABLE", "JPY", 3_333),
    ]
    assert state == "REFUNDED"
    assert told(beyond) == Told(
        result="INVALID_AMOUNT",
        code="13",
        requested="1 JPY",
        approved="0 JPY",
        due="0 JPY",
        previous="99.01 USD",
        available="99.01 USD",
        ledger="99.01 USD",
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )


async def test_47_more_than_is_left(till: Till, card: MakeCard, look: Look) -> None:
    """
    47: What was refunded before counts; undone, it is refundable again.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    first = await till.refund(sale, 20_00)
    beyond = await till.refund(sale, 12_00)
    await till.reverse(first)
    again = await till.refund(sale, 12_00)

    assert told(beyond) == replace(
        _DECLINED,
        result="INVALID_AMOUNT",
        code="13",
        previous="90.00 USD",
        available="90.00 USD",
        ledger="90.00 USD",
    )
    assert beyond.receipt_text.startswith("Declined: the amount is not valid, or more")
    assert look.postings(beyond) == []
    assert told(again) == _REFUNDED


async def test_47_of_a_part_that_was_approved(till: Till, card: MakeCard) -> None:
    """
    47: Of KWD 3.075 approved for a sale of 5.000, 3.075 can be refunded: all of 10.00.
    """
    plastic = await card(10_00)
    sale = await till.redeem(plastic, 5_000, "KWD", partial=True)
    beyond = await till.refund(sale, 3_076, "KWD")
    back = await till.refund(sale, 3_075, "KWD")

    assert told(beyond).code == "13"
    assert (told(back).debit, told(back).available) == ("10.00 USD", "10.00 USD")


async def test_47_less_than_a_cent(till: Till, card: MakeCard) -> None:
    """
    47: A refund that converts to nothing: 13, as for a sale.
    """
    sale = await till.redeem(await card(), 1_000_000_00, "LBP")

    assert told(sale).debit == "11.16 USD"
    assert told(await till.refund(sale, 100_00, "LBP")).code == "13"


@pytest.mark.parametrize(
    ("minor", "currency", "exponent", "code"),
    [
        (0, "USD", 2, "13"),
        (-1_00, "USD", 2, "13"),
        (1_000, "USD", 3, "13"),
        (1_00, "EUR", 2, "57"),
        (1_00, "ZZZ", 2, "57"),
    ],
)
async def test_amounts_that_are_none_of_the_sales(
    till: Till, card: MakeCard, minor: int, currency: str, exponent: int, code: str
) -> None:
    """
    A refund is above zero, with the currency's digits, and in the sale's currency.
    """
    sale = await till.redeem(await card(), 30_00)

    answer = await till.refund(sale, minor, currency, exponent=exponent)

    assert told(answer).code == code


@pytest.mark.parametrize(
    ("state", "reason", "result", "ends"),
    [
        (4, card_pb2.BLOCK_REASON_LOST, "APPROVED", "BLOCKED"),
        (6, None, "CARD_CLOSED", "DEACTIVATED"),
    ],
)
async def test_32_the_state_of_the_card(
    till: Till,
    card: MakeCard,
    look: Look,
    state: int,
    reason: int | None,
    result: str,
    ends: str,
) -> None:
    """
    32: A blocked card takes a refund and stays blocked; a closed one declines: 78.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    if reason is None:
        look.gateway.change_card(plastic, state=state)
    else:
        await till.block(plastic, reason)
    answer = await till.refund(sale, 12_00)

    balance = 82_00 if result == "APPROVED" else 70_00
    assert told(answer).result == result
    assert told(answer).card == ends
    assert look.card(plastic) == CardRow(ends, balance=balance, loads=1)


async def test_an_emptied_card_lives_again(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    DEPLETED by its sale, ACTIVE by the refund, DEPLETED when that is undone.
    """
    plastic = await card(30_00, product="one-time")
    sale = await till.redeem(plastic, 30_00)
    emptied = look.card(plastic).state
    back = await till.refund(sale, 30_00)
    filled = look.card(plastic)
    undone = await till.reverse(back)

    assert emptied == "DEPLETED"
    assert filled == CardRow("ACTIVE", balance=30_00, loads=1)
    assert told(undone).result == "APPROVED"
    assert look.card(plastic) == CardRow("DEPLETED", balance=0, loads=1)
    assert told(await till.transaction(back)).state == "REVERSED"


async def test_originals_that_are_no_sale(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    21: a load, a decline, a refund, a reversal, what was reversed or voided.
    """
    plastic = await card()
    load = await till.load(plastic, 5_00)
    decline = await till.redeem(plastic, 999_00)
    sale = await till.redeem(plastic, 10_00)
    back = await till.refund(sale, 5_00)
    reversed_, voided = [await till.redeem(plastic, 10_00) for _ in range(2)]
    reversal = await till.reverse(reversed_)
    void = await till.void(voided)
    before = look.card(plastic)

    results = {
        name: told(await till.refund(original, 1_00)).result
        for name, original in {
            "load": load,
            "decline": decline,
            "refund": back,
            "reversal": reversal,
            "void": void,
            "reversed": reversed_,
            "voided": voided,
        }.items()
    }

    assert results == {
        **dict.fromkeys(
            ("load", "decline", "refund", "reversal", "void"), "CANNOT_BE_REVERSED"
        ),
        **dict.fromkeys(("reversed", "voided"), "ALREADY_REVERSED"),
    }
    assert look.card(plastic) == before


async def test_nothing_to_refund(till: Till, card: MakeCard, look: Look) -> None:
    """
    25 and no tombstone: the sale that comes later is done, and refunded then.
    """
    original = new_id()
    early = await till.refund(original, 12_00)
    between = look.key(original)
    sale = await till.redeem(await card(), 30_00, request_id=original)

    assert told(early) == Told(
        result="ORIGINAL_NOT_FOUND",
        code="25",
        requested="12.00 USD",
        approved="0.00 USD",
        due="0.00 USD",
        state="DECLINED",
    )
    assert between == "nothing"
    assert told(sale).result == "APPROVED"
    assert told(await till.refund(sale, 12_00)) == _REFUNDED


async def test_another_card_is_named(till: Till, card: MakeCard) -> None:
    """
    25 where the card sent is not the sale's; with the sale's own it is done.
    """
    plastic, other = await card(), await card()
    sale = await till.redeem(plastic, 30_00)
    wrong = await till.refund(sale, 12_00, card_number=other.number)
    unknown = await till.refund(sale, 12_00, card_number=UNKNOWN_NUMBER)
    right = await till.refund(sale, 12_00, card_number=plastic.number)

    assert told(wrong).code == told(unknown).code == "25"
    assert wrong.original_transaction_id == ""
    assert told(right) == _REFUNDED


async def test_for_another_terminal(tills: Tills, card: MakeCard) -> None:
    """
    Another till of the same store may refund, when it names the terminal.
    """
    one, other = await tills("till-1"), await tills("till-2")
    sale = await one.redeem(await card(), 30_00)
    missed = await other.refund(sale, 12_00)
    back = await other.refund(sale, 12_00, original_terminal_id="t-1")

    assert told(missed).code == "25"
    assert told(back) == _REFUNDED
    assert back.terminal_id == "t-2"


async def test_15_16_refund_again(till: Till, card: MakeCard, look: Look) -> None:
    """
    15, 16: The same refund twice, also after FLUSHALL: one credit; other content: 94.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    first = await till.refund(sale, 12_00)
    flush(look.gateway.redis_url)
    again = await till.refund(sale, 12_00, request_id=first.request_id)
    other = await till.refund(sale, 13_00, request_id=first.request_id)

    assert told(again) == replace(_REFUNDED, replayed=True)
    assert again.transaction_id == first.transaction_id
    assert told(other).result == "DUPLICATE"
    assert look.card(plastic) == CardRow("ACTIVE", balance=82_00, loads=1)


async def test_20_21_reversed_before_it_came(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    20, 21: A refund that was given up before it arrived is never done.
    """
    plastic, refund = await card(), new_id()
    sale = await till.redeem(plastic, 30_00)
    given_up = await till.reverse(refund)
    late = await till.refund(sale, 12_00, request_id=refund)

    assert told(given_up).code == "25"
    assert told(late) == Told(result="ALREADY_REVERSED", code="21", state="DECLINED")
    assert look.card(plastic) == CardRow("ACTIVE", balance=70_00, loads=1)


async def test_25_reverse_a_refund_that_is_spent(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    25: Reverse of a refund whose money is spent: 21, and nothing changes.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 100_00)
    back = await till.refund(sale, 40_00)
    await till.redeem(plastic, 30_00)
    answer = await till.reverse(back)

    assert told(answer).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert look.card(plastic) == CardRow("ACTIVE", balance=10_00, loads=1)
    assert told(await till.transaction(back)).state == "POSTED"


async def test_reverse_a_sale_that_was_refunded(till: Till, card: MakeCard) -> None:
    """
    21 while a refund stands, also of a part; when it is undone the sale can be.
    """
    sale = await till.redeem(await card(), 30_00)
    back = await till.refund(sale, 1)
    refused = await till.reverse(sale)
    await till.reverse(back)
    undone = await till.reverse(sale)

    assert told(refused).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert told(undone).available == "100.00 USD"
