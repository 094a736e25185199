"""
Behaviour 40: a small rest is paid out in cash, and what follows from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.support.look import CardRow, Look
from tests.support.places import Place, new_place
from tests.support.server import Card, Gateway
from tests.support.stores import flush
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    new_id,
    request_of,
)
from tests.support.told import Told, told

_PAID_OUT: Final = Told(
    result="APPROVED",
    code="00",
    requested="8.00 USD",
    approved="8.00 USD",
    due="0.00 USD",
    previous="8.00 USD",
    available="0.00 USD",
    ledger="0.00 USD",
    held="0.00 USD",
    card="ACTIVE",
    cash="8.00 USD",
)
_PAID_BACK: Final = replace(
    _PAID_OUT, previous="0.00 USD", available="8.00 USD", ledger="8.00 USD", cash=""
)
_RULE: Final = """
INSERT INTO cash_out_rule (
    jurisdiction, effective_from, cards, kind, limit_minor, currency, used_percent,
    source
) VALUES
"""


def refused(balance: str, **changes: Any) -> Told:
    """
    Give what is told of a rest that is not paid out.
    """
    declined = Told(
        result="NOT_PERMITTED",
        code="57",
        previous=balance,
        available=balance,
        ledger=balance,
        held="0.00 USD",
        card="ACTIVE",
        state="DECLINED",
    )
    return replace(declined, **changes)


@pytest.fixture
def law(gateway_process: Gateway) -> Iterator[Gateway]:
    """
    Give the gateway, and take all law back afterwards.
    """
    yield gateway_process
    gateway_process.sql("DELETE FROM cash_out_rule")


def place_in(tills: Tills, jurisdiction: str) -> Place:
    """
    Make a store under the law of a part of the USA.
    """
    place = new_place(tills)
    place.change("store", country="US", jurisdiction=jurisdiction)
    return place


async def test_40_a_small_rest_is_paid_out(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    40: Balance 8.00, threshold 10.00: 00, cash_back 8.00, balance 0.00.
    """
    plastic = await card(8_00, product="cash")
    answer = await till.cash_out(plastic)

    assert told(answer) == _PAID_OUT
    assert answer.receipt_text == "Paid out 8.00 USD in cash. Balance: 0.00 USD."
    assert look.card(plastic) == CardRow("ACTIVE", balance=0, loads=1)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", 8_00),
        ("MERCHANT_PAYABLE", "USD", -8_00),
    ]


async def test_40_more_is_not(till: Till, card: MakeCard, look: Look) -> None:
    """
    40: Balance 12.00: 57 NOT_PERMITTED, nothing moves.
    """
    plastic = await card(12_00, product="cash")
    answer = await till.cash_out(plastic)

    assert told(answer) == refused("12.00 USD")
    assert "not paid out in cash here" in answer.receipt_text
    assert look.card(plastic) == CardRow("ACTIVE", balance=12_00, loads=1)
    assert look.postings(answer) == []


async def test_40_at_the_threshold(till: Till, card: MakeCard) -> None:
    """
    40, mirrored: a product's own threshold is included, a cent more is not.
    """
    assert told(await till.cash_out(await card(10_00, product="cash"))).code == "00"
    assert told(await till.cash_out(await card(10_01, product="cash"))).code == "57"


async def test_an_empty_card_has_nothing_to_pay(till: Till, card: MakeCard) -> None:
    """
    A second CashOut under a new id: 51, not "00 with 0.00".
    """
    plastic = await card(8_00, product="cash")
    await till.cash_out(plastic)

    assert told(await till.cash_out(plastic)) == refused(
        "0.00 USD", result="INSUFFICIENT_FUNDS", code="51"
    )


async def test_a_one_time_card_is_depleted_and_comes_back(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    DEPLETED at zero; its reversal credits what was debited, and it can be used again.
    """
    plastic = await card(8_00, product="cash-once")
    paid = await till.cash_out(plastic)
    undone = await till.reverse(paid)
    again = await till.reverse(paid)
    sold = await till.redeem(plastic, 1_00)

    assert told(paid) == replace(_PAID_OUT, card="DEPLETED")
    assert told(undone) == _PAID_BACK
    assert undone.original_transaction_id == paid.transaction_id
    assert told(again).approved == "0.00 USD"
    assert told(sold).available == "7.00 USD"
    assert look.card(plastic) == CardRow("ACTIVE", balance=7_00, loads=1)


async def test_56_void_a_cash_out(till: Till, card: MakeCard, look: Look) -> None:
    """
    56: A cash-out is voided like a sale; then neither voided nor reversed again.
    """
    plastic = await card(8_00, product="cash-once")
    paid = await till.cash_out(plastic)
    void = await till.void(paid)
    again, reversal = await till.void(paid), await till.reverse(paid)

    assert told(void) == _PAID_BACK
    assert void.original_transaction_id == paid.transaction_id
    assert told(await till.transaction(paid)).state == "VOIDED"
    assert told(again).result == told(reversal).result == "ALREADY_REVERSED"
    assert look.card(plastic) == CardRow("ACTIVE", balance=8_00, loads=1)
    assert look.postings(void) == [
        ("CARD_LIABILITY", "USD", -8_00),
        ("MERCHANT_PAYABLE", "USD", 8_00),
    ]


async def test_a_cash_out_is_not_refunded(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    21: A refund is of a sale; the sale before the cash-out is refunded all the same.
    """
    plastic = await card(50_00, product="cash-once")
    sale = await till.redeem(plastic, 42_00)
    paid = await till.cash_out(plastic)
    refused = await till.refund(paid, 8_00)
    emptied = look.card(plastic)
    back = await till.refund(sale, 2_00)
    again = await till.cash_out(plastic)

    assert told(refused).result == "CANNOT_BE_REVERSED"
    assert emptied == CardRow("DEPLETED", balance=0, loads=1)
    assert told(back).available == "2.00 USD"
    assert told(again).available == "0.00 USD"
    assert look.card(plastic) == CardRow("DEPLETED", balance=0, loads=1)
    assert told(await till.void(back)).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"


async def test_24_undo_an_activation_after_a_cash_out(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    24: Paid out since: 21 to both; once that is undone, the activation can be.
    """
    plastic = await card(None, product="cash")
    activated = await till.activate(plastic, 8_00)
    paid = await till.cash_out(plastic)
    refused = [await till.void(activated), await till.reverse(activated)]
    await till.void(paid)
    undone = await till.void(activated)

    later = "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert [told(each).result for each in refused] == [later, later]
    assert told(undone).result == "APPROVED"
    assert look.card(plastic) == CardRow("PENDING", balance=0, loads=0)


async def test_a_reversal_that_comes_first(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    Reverse of a CashOut never seen: 25; the late CashOut gets 21 and no cash.
    """
    plastic, request_id = await card(8_00, product="cash"), new_id()
    first = await till.reverse(request_id)
    late = await till.cash_out(plastic, request_id=request_id)

    assert told(first).result == "ORIGINAL_NOT_FOUND"
    assert told(late).result == "ALREADY_REVERSED"
    assert look.card(plastic) == CardRow("ACTIVE", balance=8_00, loads=1)


async def test_the_same_request_is_paid_once(
    gateway_process: Gateway, till: Till, card: MakeCard, look: Look
) -> None:
    """
    Retried, also after FLUSHALL and after the reversal: one debit, the first answer.
    """
    plastic, other = await card(8_00, product="cash"), await card(8_00, product="cash")
    request = request_of("CashOut", card_number=plastic.number)
    first = (await till.send("CashOut", request)).outcome
    flush(gateway_process.redis_url)
    again = (await till.send("CashOut", request)).outcome
    reused = await till.cash_out(other, request_id=first.request_id)
    redeem = await till.redeem(plastic, 8_00, request_id=first.request_id)
    await till.reverse(first)
    undone = (await till.send("CashOut", request)).outcome

    assert told(first) == _PAID_OUT
    assert told(again) == replace(_PAID_OUT, replayed=True)
    assert again.transaction_id == first.transaction_id
    assert told(undone) == replace(_PAID_OUT, replayed=True, state="REVERSED")
    assert [told(reused).result, told(redeem).result] == ["DUPLICATE", "DUPLICATE"]
    assert look.debits(plastic) == (1, 8_00)
    assert look.card(other).balance == 8_00


async def test_in_parallel(pair: Tills, pair_card: MakeCard, pair_look: Look) -> None:
    """
    Of 20 at once, under ids of their own over two workers, one is paid; the rest 51.
    """
    plastic = await pair_card(8_00, product="cash")
    first, second = await pair("till-1", worker=1), await pair("till-2", worker=2)
    answers = await asyncio.gather(
        *(till.cash_out(plastic) for _ in range(10) for till in (first, second))
    )

    codes = sorted(told(answer).code for answer in answers)
    assert codes == ["00", *["51"] * 19]
    assert pair_look.debits(plastic) == (1, 8_00)


async def test_against_a_redeem(
    pair: Tills, pair_card: MakeCard, pair_look: Look
) -> None:
    """
    A sale and a cash-out of the same money at once: the money goes once.
    """
    for _ in range(5):
        plastic = await pair_card(8_00, product="cash")
        first, second = await pair("till-1", worker=1), await pair("till-2", worker=2)
        sold, paid = await asyncio.gather(
            first.redeem(plastic, 8_00), second.cash_out(plastic)
        )

        assert sorted([told(sold).code, told(paid).code]) == ["00", "51"]
        assert pair_look.debits(plastic) == (1, 8_00)


async def test_a_law_is_in_force_with_the_next_batch(
    law: Gateway, tills: Tills, card: MakeCard
) -> None:
    """
    California pays less than 15.00 from its day on, below 10.00 before; 57 elsewhere.
    """
    plastic = await card(14_99, product="cash-by-law")
    california, nevada = place_in(tills, "US-CA"), place_in(tills, "US-NV")
    before = await california.till.cash_out(plastic)
    law.sql(
        f"{_RULE} ('US-CA', '2016-01-01', 1, 1, 1000, 'USD', NULL, 'old'), "
        "('US-CA', current_date + 300, 1, 4, NULL, NULL, NULL, 'to come')"
    )
    old = await california.till.cash_out(plastic)
    law.sql(f"{_RULE} ('US-CA', '2024-04-01', 1, 1, 1500, 'USD', NULL, 'new')")
    elsewhere = await nevada.till.cash_out(plastic)
    new = await california.till.cash_out(plastic)

    assert [told(before), told(old), told(elsewhere)] == [refused("14.99 USD")] * 3
    assert told(new).cash == "14.99 USD"


async def test_a_law_by_what_is_used(
    law: Gateway, tills: Tills, card: MakeCard
) -> None:
    """
    Massachusetts: 90 % of the one load is used. What is undone is not used.
    """
    law.sql(f"{_RULE} ('US-MA', '2003-04-01', 2, 3, NULL, NULL, 90, 'law')")
    till = place_in(tills, "US-MA").till
    plastic = await card(200_00, product="cash-once")
    await till.redeem(plastic, 179_99)
    early = await till.cash_out(plastic)
    sale = await till.redeem(plastic, 1)
    await till.reverse(sale)
    undone = await till.cash_out(plastic)
    await till.redeem(plastic, 1)
    paid = await till.cash_out(plastic)

    assert [told(early).code, told(undone).code] == ["57", "57"]
    assert (told(paid).cash, told(paid).card) == ("20.00 USD", "DEPLETED")


async def test_the_store_must_take_the_cards_currency(
    tills: Tills, card: MakeCard
) -> None:
    """
    Cash is paid in the card's currency: where the store has none of it, 57.
    """
    place = new_place(tills, currencies=("EUR",))
    plastic = await card(8_00, product="cash")

    assert told(await place.till.cash_out(plastic)) == refused(
        "8.00 USD", result="CURRENCY_NOT_SUPPORTED"
    )


@pytest.mark.parametrize(
    ("product", "columns", "result"),
    [
        ("usd", {}, "NOT_PERMITTED"),
        ("usd", {"state": 4, "block_reason": 1}, "NOT_PERMITTED"),
        ("cash", {"state": 4, "block_reason": 1}, "LOST_CARD"),
        ("cash", {"state": 6}, "CARD_CLOSED"),
        ("cash", {"state": 6, "expires_on": "2020-01-01"}, "CARD_CLOSED"),
        ("cash", {"expires_on": "2020-01-01"}, "EXPIRED_CARD"),
    ],
)
async def test_earlier_checks_tell_no_balance(
    till: Till, card: MakeCard, product: str, columns: dict[str, Any], result: str
) -> None:
    """
    The product, the state and the last day come before the rest, in this order.
    """
    plastic: Card = await card(8_00, product=product, **columns)
    answer = await till.cash_out(plastic)

    assert told(answer).result == result
    assert not answer.HasField("available_balance")


async def test_an_unknown_card_is_not_known(till: Till) -> None:
    """
    14, like every operation.
    """
    assert told(await till.cash_out(UNKNOWN_NUMBER)).result == "INVALID_CARD"
