"""
Behaviours 51 and 52: sales that were made offline and are told later.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.domain.results import Result
from tests.support.look import CardRow, Look
from tests.support.stream_till import streaming
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, Tills, new_id
from tests.support.told import Outcome, Told, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PAID = Told(
    result="APPROVED",
    code="00",
    requested="20.00 USD",
    approved="20.00 USD",
    due="0.00 USD",
    previous="100.00 USD",
    available="80.00 USD",
    ledger="80.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)
_UNPAID = Told(
    result="APPROVED",
    code="00",
    requested="20.00 USD",
    approved="0.00 USD",
    due="0.00 USD",
)
_SALES = 40


def why(answer: Outcome) -> int:
    """
    Give what kept an Advice from being paid in full, as the contract numbers it.
    """
    return int(answer.exception)


@pytest.fixture(params=["unary", "stream"])
async def kiosk(request: pytest.FixtureRequest, tills: Tills) -> AsyncIterator[Till]:
    """
    Give a kiosk with a floor limit of 50.00, call by call and over one stream.
    """
    single = await tills("kiosk")
    if request.param == "unary":
        yield single
        return
    async with streaming(single) as over_stream:
        yield over_stream


async def test_51_what_the_card_has_not_is_the_merchants_risk(
    kiosk: Till, card: MakeCard, look: Look
) -> None:
    """
    51: Advice 20.00, the card has 5.00: accepted, 5.00 debited, 15.00 an exception.
    """
    plastic = await card(5_00)
    answer = await kiosk.advice(plastic, 20_00)

    assert told(answer) == replace(
        _PAID,
        approved="5.00 USD",
        previous="5.00 USD",
        available="0.00 USD",
        ledger="0.00 USD",
    )
    assert why(answer) == Result.INSUFFICIENT_FUNDS
    assert "not 15.00 USD" in answer.receipt_text
    assert look.card(plastic) == CardRow("ACTIVE", balance=0, loads=1)
    assert look.postings(answer) == [
        ("CARD_LIABILITY", "USD", 5_00),
        ("MERCHANT_PAYABLE", "USD", -5_00),
    ]
    assert look.exceptions(plastic) == [
        ("ADVICE_NOT_PAID", "INSUFFICIENT_FUNDS", 15_00, answer.transaction_id)
    ]


async def test_51_within_funds_and_floor_limit(
    kiosk: Till, card: MakeCard, look: Look
) -> None:
    """
    51: Paid in full it is a sale like any other; told twice, it is debited once.
    """
    plastic, request_id = await card(), new_id()
    first = await kiosk.advice(plastic, 20_00, request_id=request_id)
    again = await kiosk.advice(plastic, 20_00, request_id=request_id)
    other = await kiosk.advice(plastic, 20_01, request_id=request_id)

    assert told(first) == _PAID
    assert why(first) == 0
    assert told(again) == replace(_PAID, replayed=True)
    assert again.transaction_id == first.transaction_id
    assert told(other).code == "94"
    assert look.card(plastic) == CardRow("ACTIVE", balance=80_00, loads=1)
    assert look.exceptions(plastic) == []


async def test_51_above_the_floor_limit(
    kiosk: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    51: Above the terminal's floor limit the card pays up to it; without one, nothing.
    """
    plastic = await card()
    above = await kiosk.advice(plastic, 80_00)
    none = await (await tills("till-1")).advice(plastic, 20_00)

    assert (told(above).approved, why(above)) == (
        "50.00 USD",
        Result.LIMIT_EXCEEDED,
    )
    assert (told(none).approved, why(none)) == ("0.00 USD", Result.LIMIT_EXCEEDED)
    assert look.card(plastic) == CardRow("ACTIVE", balance=50_00, loads=1)
    assert [row[1:] for row in look.exceptions(plastic)] == [
        ("LIMIT_EXCEEDED", 20_00, none.transaction_id),
        ("LIMIT_EXCEEDED", 30_00, above.transaction_id),
    ]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": 4, "block_reason": 1}, Result.LOST_CARD),
        ({"state": 4, "block_reason": 3}, Result.RESTRICTED_CARD),
        ({"expires_on": "2020-01-01"}, Result.EXPIRED_CARD),
    ],
)
async def test_51_a_card_that_cannot_pay(
    kiosk: Till,
    card: MakeCard,
    look: Look,
    changed: dict[str, object],
    reason: Result,
) -> None:
    """
    51: Blocked or expired since: 00, nothing debited, all of it an exception.
    """
    plastic = await card(**changed)
    answer = await kiosk.advice(plastic, 20_00)

    assert told(answer) == _UNPAID
    assert why(answer) == reason
    assert look.exceptions(plastic) == [
        ("ADVICE_NOT_PAID", reason.name, 20_00, answer.transaction_id)
    ]
    assert look.postings(answer) == []


async def test_51_an_unknown_card(kiosk: Till, look: Look) -> None:
    """
    51: 00 and an exception; reversed, the exception is over.
    """
    answer = await kiosk.advice(UNKNOWN_NUMBER, 20_00)
    rows = look.gateway.sql(_EXCEPTION, answer.transaction_id)
    undone = await kiosk.reverse(answer)
    again = await kiosk.reverse(answer)

    assert told(answer) == _UNPAID
    assert why(answer) == Result.INVALID_CARD
    assert rows == [(1, Result.INVALID_CARD, 20_00, "USD")]
    assert told(undone) == told(again) == _UNPAID
    assert told(await kiosk.transaction(answer)).state == "REVERSED"


_EXCEPTION = """
SELECT kind, reason, amount_minor, currency FROM exception_item
WHERE transaction_id = %s
"""


async def test_51_in_a_currency_without_a_rate(
    kiosk: Till, card: MakeCard, look: Look
) -> None:
    """
    51: No rate for it: 00, and all of it an exception. In dinars, at the host's rate.
    """
    plastic = await card(10_00)
    pounds = await kiosk.advice(plastic, 20_00, "GBP")
    dinars = await kiosk.advice(plastic, 5_000, "KWD")

    assert why(pounds) == Result.CURRENCY_NOT_SUPPORTED
    assert (told(dinars).approved, why(dinars)) == (
        "3.075 KWD",
        Result.INSUFFICIENT_FUNDS,
    )
    assert look.card(plastic).balance == 0
    assert [row[1:3] for row in look.exceptions(plastic)] == [
        ("INSUFFICIENT_FUNDS", 1_925),
        ("CURRENCY_NOT_SUPPORTED", 20_00),
    ]


async def test_51_what_cannot_be_a_sale_is_declined(
    kiosk: Till, card: MakeCard, look: Look
) -> None:
    """
    51: An amount of nothing: 13, no exception.
    """
    plastic = await card()
    answer = await kiosk.advice(plastic, 0)

    assert told(answer).code == "13"
    assert look.exceptions(plastic) == []


@pytest.mark.parametrize("in_order", [True, False])
async def test_52_a_reversal_before_its_sale(
    kiosk: Till, card: MakeCard, look: Look, *, in_order: bool
) -> None:
    """
    52: In order or not, the card and the open exceptions end the same.
    """
    plastic, sale = await card(5_00), new_id()
    if in_order:
        advice = await kiosk.advice(plastic, 20_00, request_id=sale)
        reversal = await kiosk.reverse(sale)
    else:
        reversal = await kiosk.reverse(sale)
        advice = await kiosk.advice(plastic, 20_00, request_id=sale)

    assert (told(advice).code, told(reversal).code) == (
        ("00", "00") if in_order else ("21", "25")
    )
    assert look.card(plastic) == CardRow("ACTIVE", balance=5_00, loads=1)
    assert look.exceptions(plastic) == []
    assert len(look.exceptions(plastic, closed=True)) == int(in_order)


async def test_52_many_sales_in_any_order_days_late(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    52: A day's sales over one stream, all at once, some twice: each is debited once.

    The last of them find the card empty, whichever they are: what was sold is what was
    debited and what stands as an exception.
    """
    plastic, ids = await card(), [new_id() for _ in range(_SALES)]
    late = {"local_time": "2026-03-01T10:00:00+02:00"}
    async with streaming(await tills("kiosk")) as stream:
        answers = await asyncio.gather(
            *(
                stream.advice(plastic, 3_00, request_id=one, till=late)
                for one in (*ids, *reversed(ids))
            )
        )

    paid = {answer.request_id: answer.approved_amount.minor_units for answer in answers}
    open_rows = look.exceptions(plastic)
    assert {answer.response_code for answer in answers} == {"00"}
    assert {answer.till.local_time for answer in answers} == {late["local_time"]}
    assert sum(paid.values()) == 100_00
    assert look.card(plastic) == CardRow("ACTIVE", balance=0, loads=1)
    assert sum(row[2] for row in open_rows) == _SALES * 3_00 - 100_00


async def test_52_refund_and_void_of_an_advice(
    kiosk: Till, card: MakeCard, look: Look
) -> None:
    """
    52: What was debited can be refunded, and no more; a void closes the exception.
    """
    plastic = await card(5_00)
    answer = await kiosk.advice(plastic, 20_00)
    more = await kiosk.refund(answer, 5_01)
    back = await kiosk.refund(answer, 2_00)
    await kiosk.void(back)
    voided = await kiosk.void(answer)

    assert (told(more).code, told(back).code, told(voided).code) == ("13", "00", "00")
    assert look.card(plastic) == CardRow("ACTIVE", balance=5_00, loads=1)
    assert look.exceptions(plastic) == []


async def test_25_an_exception_is_opened_once(
    till: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    25: Reverse Load 40.00 when 10.00 is left: 21 and one exception, however often.

    Once the money is back the load can be reversed, and the exception is over.
    """
    plastic, other = await card(), await tills("till-2")
    load = await till.load(plastic, 40_00)
    sale = await till.redeem(plastic, 130_00)
    answers = await asyncio.gather(
        till.reverse(load),
        till.reverse(load),
        other.reverse(load, original_terminal_id="t-1"),
    )
    opened = look.exceptions(plastic)
    await till.reverse(sale)
    undone = await till.reverse(load)

    assert {answer.response_code for answer in answers} == {"21"}
    assert opened == [
        (
            "LOAD_NOT_REVERSED",
            "FURTHER_ACTIVITY_PREVENTS_REVERSAL",
            40_00,
            load.transaction_id,
        )
    ]
    assert undone.response_code == "00"
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert look.exceptions(plastic) == []
    assert look.exceptions(plastic, closed=True) == opened
