"""
Behaviours 27, 28 and 29 and their mirrors: an amount is held, captured, given up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from tests.support.holding import (
    ToldHold,
    authorize,
    cancel,
    capture,
    increment,
    told_hold,
)
from tests.support.look import CardRow, Look
from tests.support.server import Gateway
from tests.support.tills import MakeCard, Till, new_id
from tests.support.told import Told, told

_HELD: Final = Told(
    result="APPROVED",
    code="00",
    requested="60.00 USD",
    approved="60.00 USD",
    due="0.00 USD",
    previous="100.00 USD",
    available="40.00 USD",
    ledger="100.00 USD",
    held="60.00 USD",
    card="ACTIVE",
)
_OPEN: Final = ToldHold("OPEN", "60.00 USD", "0.00 USD", "60.00 USD")
_CAPTURED: Final = Told(
    result="APPROVED",
    code="00",
    requested="48.00 USD",
    approved="48.00 USD",
    due="0.00 USD",
    previous="40.00 USD",
    available="52.00 USD",
    ledger="52.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)


@pytest.fixture
def tips(gateway_process: Gateway) -> Iterator[None]:
    """
    Let captures exceed their holds by a fifth, for one test.
    """
    change = "UPDATE program SET tip_tolerance_bps = %s"
    gateway_process.sql(change, 2_000)
    yield
    gateway_process.sql(change, 0)


async def test_27_hold(till: Till, card: MakeCard, look: Look) -> None:
    """
    27: Authorize 60.00; available 40.00, ledger 100.00; a Redeem of 50.00 is 51.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    too_much = await till.redeem(plastic, 50_00)
    rest = await till.redeem(plastic, 50_00, partial=True)

    assert told(hold) == _HELD
    assert told_hold(hold) == _OPEN
    assert hold.hold.expires_at.seconds - hold.host_time.seconds == 7 * 86_400
    assert look.postings(hold) == []
    assert (told(too_much).result, told(too_much).code) == ("INSUFFICIENT_FUNDS", "51")
    assert told(rest).approved == "40.00 USD"
    assert look.card(plastic) == CardRow("ACTIVE", balance=60_00, loads=1, held=60_00)


async def test_27_hold_in_part(till: Till, card: MakeCard) -> None:
    """
    27: With allow_partial what is available is held (10); without it nothing (51).
    """
    plastic = await card()
    refused = await authorize(till, plastic, 130_00)
    part = await authorize(till, plastic, 130_00, partial=True)
    nothing = await authorize(till, plastic, 5_00, partial=True)

    assert told(refused).code == "51"
    assert told_hold(refused) == ToldHold()
    assert (told(part).code, told(part).approved) == ("10", "100.00 USD")
    assert (told(part).due, told(part).available) == ("30.00 USD", "0.00 USD")
    assert told_hold(part).authorized == "100.00 USD"
    assert told(nothing).code == "51"


async def test_27_a_balance_leaves_out_what_is_held(till: Till, card: MakeCard) -> None:
    """
    27: GetBalance tells what is held and what is available.
    """
    plastic = await card()
    await authorize(till, plastic, 60_00)
    balance = told(await till.balance(plastic))

    assert (balance.available, balance.ledger) == ("40.00 USD", "100.00 USD")
    assert balance.held == "60.00 USD"


async def test_28_capture(till: Till, card: MakeCard, look: Look) -> None:
    """
    28: Capture 48.00 of 60.00: ledger 52.00, the hold is gone, 12.00 are free at once.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    taken = await capture(till, hold, 48_00)

    assert told(taken) == _CAPTURED
    assert told_hold(taken) == ToldHold(
        "CAPTURED", "60.00 USD", "48.00 USD", "0.00 USD"
    )
    assert taken.original_transaction_id == hold.transaction_id
    assert look.card(plastic) == CardRow("ACTIVE", balance=52_00, loads=1)
    assert look.rows(plastic)[1:] == [
        ("AUTHORIZE", "APPROVED"),
        ("CAPTURE", "APPROVED"),
    ]
    assert look.postings(taken) == [
        ("CARD_LIABILITY", "USD", 48_00),
        ("MERCHANT_PAYABLE", "USD", -48_00),
    ]


async def test_28_several_captures(till: Till, card: MakeCard) -> None:
    """
    28: With keep_open the rest stays held; without an amount all that is left is taken.

    Then there is nothing more (61).
    """
    hold = await authorize(till, await card(), 60_00)
    first = await capture(till, hold, 20_00, keep_open=True)
    second = await capture(till, hold, 15_00, keep_open=True)
    last = await capture(till, hold)
    more = await capture(till, hold, 1_00)

    assert told_hold(first) == ToldHold("OPEN", "60.00 USD", "20.00 USD", "40.00 USD")
    assert told(second).held == "25.00 USD"
    assert (told(last).requested, told(last).approved) == ("25.00 USD", "25.00 USD")
    assert told_hold(last).state == "CAPTURED"
    assert (told(last).available, told(last).ledger) == ("40.00 USD", "40.00 USD")
    assert (told(more).result, told(more).code) == ("EXCEEDS_AUTHORIZED", "61")


async def test_28_the_whole_is_kept_open_by_nothing(till: Till, card: MakeCard) -> None:
    """
    28: A hold of which nothing is left has ended, also where it was to be kept open.
    """
    hold = await authorize(till, await card(), 60_00)
    taken = await capture(till, hold, 60_00, keep_open=True)

    assert told_hold(taken).state == "CAPTURED"


async def test_29_capture_too_much(till: Till, card: MakeCard, look: Look) -> None:
    """
    29: Capture 61.00 of 60.00: 61; nothing moves, the hold stays and can be captured.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    too_much = await capture(till, hold, 61_00)
    before = look.card(plastic)
    taken = await capture(till, hold, 60_00)

    assert told(too_much) == replace(
        _HELD,
        result="EXCEEDS_AUTHORIZED",
        code="61",
        requested="61.00 USD",
        approved="0.00 USD",
        due="61.00 USD",
        previous="40.00 USD",
        state="DECLINED",
    )
    assert before == CardRow("ACTIVE", balance=100_00, loads=1, held=60_00)
    assert told(taken).code == "00"


@pytest.mark.usefixtures("tips")
async def test_29_a_tip_within_the_tolerance(till: Till, card: MakeCard) -> None:
    """
    29: Where the programme allows 20 %, 72.00 of 60.00 are taken, 72.01 are not (61).
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    too_much = await capture(till, hold, 72_01)
    taken = await capture(till, hold, 72_00)

    assert told(too_much).result == "EXCEEDS_AUTHORIZED"
    assert (told(taken).code, told(taken).ledger) == ("00", "28.00 USD")
    assert told_hold(taken) == ToldHold(
        "CAPTURED", "60.00 USD", "72.00 USD", "0.00 USD"
    )


@pytest.mark.usefixtures("tips")
async def test_29_a_tip_needs_funds(till: Till, card: MakeCard) -> None:
    """
    29: The tip is paid from what is available: 51 where that is too little.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 95_00)
    too_much = await capture(till, hold, 100_01)
    taken = await capture(till, hold, 100_00)

    assert (told(too_much).code, told(taken).code) == ("51", "00")
    assert told(taken).ledger == "0.00 USD"


async def test_hold_more(till: Till, card: MakeCard) -> None:
    """
    An increment makes the hold larger, within what is available (51).
    """
    hold = await authorize(till, await card(), 60_00)
    more = await increment(till, hold, 30_00)
    too_much = await increment(till, hold, 10_01)
    other_currency = await increment(till, hold, 5_00, "EUR")
    taken = await capture(till, hold)

    assert (told(more).approved, told(more).held) == ("30.00 USD", "90.00 USD")
    assert told_hold(more) == ToldHold("OPEN", "90.00 USD", "0.00 USD", "90.00 USD")
    assert more.hold.expires_at == hold.hold.expires_at
    assert told(too_much).code == "51"
    assert told(other_currency).result == "CURRENCY_NOT_SUPPORTED"
    assert told(taken).approved == "90.00 USD"


async def test_give_up(till: Till, card: MakeCard, look: Look) -> None:
    """
    A cancel frees all; whatever names the hold afterwards gets 12, a second cancel too.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    given_up = await cancel(till, hold)
    later = [
        await cancel(till, hold),
        await capture(till, hold, 1_00),
        await increment(till, hold, 1_00),
    ]
    replay = await cancel(till, hold, request_id=given_up.request_id)

    assert told_hold(given_up) == ToldHold(
        "CANCELLED", "60.00 USD", "0.00 USD", "0.00 USD"
    )
    assert (told(given_up).available, told(given_up).held) == ("100.00 USD", "0.00 USD")
    assert [told(one).result for one in later] == ["AUTHORIZATION_EXPIRED"] * 3
    assert [told(one).code for one in later] == ["12"] * 3
    assert (told(replay).code, told(replay).replayed) == ("00", True)
    assert told_hold(replay) == told_hold(given_up)
    assert look.rows(plastic)[2] == ("RELEASE", "APPROVED")
    assert look.postings(given_up) == []


async def test_give_up_the_rest(till: Till, card: MakeCard) -> None:
    """
    What was captured before a cancel stays captured.
    """
    hold = await authorize(till, await card(), 60_00)
    await capture(till, hold, 20_00, keep_open=True)
    given_up = await cancel(till, hold)

    assert told_hold(given_up) == ToldHold(
        "CANCELLED", "60.00 USD", "20.00 USD", "0.00 USD"
    )
    assert (told(given_up).available, told(given_up).ledger) == (
        "80.00 USD",
        "80.00 USD",
    )


async def test_what_is_no_hold(till: Till, card: MakeCard) -> None:
    """
    A sale, an increment, a declined Authorize and an unknown id are no hold: 25.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 10_00)
    hold = await authorize(till, plastic, 10_00)
    more = await increment(till, hold, 5_00)
    declined = await authorize(till, plastic, 500_00)
    named = (sale, more, declined, new_id())
    captures = [await capture(till, one, 1_00) for one in named]
    cancels = [await cancel(till, one) for one in named]
    increments = [await increment(till, one, 1_00) for one in named]

    results = {told(one).result for one in (*captures, *cancels, *increments)}
    assert results == {"ORIGINAL_NOT_FOUND"}


async def test_holds_are_asked_what_sales_are(till: Till, card: MakeCard) -> None:
    """
    An Authorize is refused where a Redeem is: product, state, amount, limit.
    """
    asked = {
        "57": await authorize(till, await card(product="load-only"), 1_00),
        "78": await authorize(till, await card(None), 1_00),
        "13": await authorize(till, await card(), 0),
        "61": await authorize(till, await card(product="limited"), 300_01),
        "41": await authorize(till, await card(state=4, block_reason=1), 1_00),
    }

    assert {code: told(one).code for code, one in asked.items()} == {
        code: code for code in asked
    }
