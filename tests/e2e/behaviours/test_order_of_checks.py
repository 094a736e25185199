"""
A request with two faults gets the answer of the check that comes first (domain 1.2).

Each pair here meets in one request. Identity, readability and keys come before all of
these: see test_places.py and test_bad_input.py.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import pytest

from tests.support.look import Look
from tests.support.places import new_place
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, Tills, new_id
from tests.support.told import Told, told

_LOST: Final = {"state": 4, "block_reason": 1}
_OVER: Final = {"expires_on": date.today() - timedelta(days=2)}  # noqa: DTZ011


def said(answer: object) -> tuple[str, str]:
    """
    Give result and code.
    """
    found = told(answer)  # type: ignore[arg-type]
    return found.result, found.code


@pytest.mark.parametrize("operation", ["activate", "load", "redeem"])
async def test_4_before_5(tills: Tills, operation: str) -> None:
    """
    A suspended terminal (58) before a zero amount (13) of an unknown card (14).

    The terminal before its store and merchant (03), these before the amount.
    """
    place = new_place(tills)
    place.change("terminal", state=2)
    place.change("store", state=2)
    place.change("merchant", state=3)
    ask = getattr(place.till, operation)
    terminal = await ask(UNKNOWN_NUMBER, 0)
    place.change("terminal", state=1)
    store = await ask(UNKNOWN_NUMBER, 0)
    place.change("store", state=1)
    merchant = await ask(UNKNOWN_NUMBER, 0)
    place.change("merchant", state=1)
    amount = await ask(UNKNOWN_NUMBER, 0)

    assert said(terminal) == ("INVALID_TERMINAL", "58")
    assert said(store) == said(merchant) == ("INVALID_MERCHANT", "03")
    assert said(amount) == ("INVALID_AMOUNT", "13")


@pytest.mark.parametrize("operation", ["activate", "load", "redeem"])
async def test_5_before_6(till: Till, operation: str) -> None:
    """
    Zero, or wrong digits (13), before an unknown card (14); that before the currency.
    """
    ask = getattr(till, operation)

    assert said(await ask(UNKNOWN_NUMBER, 0)) == ("INVALID_AMOUNT", "13")
    assert said(await ask(UNKNOWN_NUMBER, 10_00, "KWD", exponent=2)) == (
        "INVALID_AMOUNT",
        "13",
    )
    assert said(await ask(UNKNOWN_NUMBER, 0, "ZZZ")) == ("INVALID_AMOUNT", "13")
    assert said(await ask(UNKNOWN_NUMBER, 10_00, "ZZZ")) == ("INVALID_CARD", "14")


async def test_5_before_all_of_the_card(till: Till, card: MakeCard) -> None:
    """
    A zero amount (13) before: not permitted, lost, expired, already active.
    """
    lost = await card(**_LOST)
    over = await card(**_OVER)
    load_only = await card(product="load-only")

    assert said(await till.redeem(lost, 0)) == ("INVALID_AMOUNT", "13")
    assert said(await till.load(over, 0)) == ("INVALID_AMOUNT", "13")
    assert said(await till.redeem(load_only, 0)) == ("INVALID_AMOUNT", "13")
    assert said(await till.activate(load_only, 0)) == ("INVALID_AMOUNT", "13")


@pytest.mark.parametrize("operation", ["activate", "load", "redeem"])
async def test_6_before_7_and_8(tills: Tills, card: MakeCard, operation: str) -> None:
    """
    A programme that is not accepted (14) before all that the card would be refused for.

    And it is told like an unknown card: nothing shows that it exists.
    """
    outsider = await tills("outsider")
    lost = await card(product="load-only", **_LOST)
    unknown = await getattr(outsider, operation)(UNKNOWN_NUMBER, 10_00)
    foreign = await getattr(outsider, operation)(lost, 10_00)

    assert said(foreign) == ("INVALID_CARD", "14")
    assert told(foreign) == told(unknown)
    assert foreign.receipt_text == unknown.receipt_text
    assert said(await outsider.balance(lost)) == ("INVALID_CARD", "14")


async def test_7_before_8(till: Till, card: MakeCard) -> None:
    """
    Not permitted, not reloadable (57) before the card's state (78, 41).
    """
    pending = await card(None, product="load-only")
    lost = await card(product="one-time", **_LOST)

    assert said(await till.redeem(pending, 10_00)) == ("NOT_PERMITTED", "57")
    assert said(await till.load(lost, 10_00)) == ("CARD_NOT_RELOADABLE", "57")


async def test_8_before_9(till: Till, card: MakeCard) -> None:
    """
    The card's state (41, 12, 78) before its last day (54).
    """
    lost = await card(**_LOST, **_OVER)
    over = await card(**_OVER)
    pending = await card(None, **_OVER)

    assert said(await till.redeem(lost, 10_00)) == ("LOST_CARD", "41")
    assert said(await till.balance(lost)) == ("LOST_CARD", "41")
    assert said(await till.activate(over, 10_00)) == ("CARD_ALREADY_ACTIVATED", "12")
    assert said(await till.redeem(pending, 10_00)) == ("CARD_NOT_ACTIVE", "78")
    assert said(await till.activate(pending, 10_00)) == ("EXPIRED_CARD", "54")


async def test_9_before_12(till: Till, card: MakeCard) -> None:
    """
    The card's last day (54) before the currency (57) and the limit (61).
    """
    over = await card(product="limited", **_OVER)

    assert said(await till.redeem(over, 10_00, "GBP")) == ("EXPIRED_CARD", "54")
    assert said(await till.load(over, 999_00)) == ("EXPIRED_CARD", "54")


async def test_12_before_14_and_16(till: Till, card: MakeCard) -> None:
    """
    The currency (57) before limits (61) and funds (51); 13 converted before both.
    """
    plastic = await card(10_00, product="limited")

    assert said(await till.redeem(plastic, 99_999_00, "GBP", partial=True)) == (
        "CURRENCY_NOT_SUPPORTED",
        "57",
    )
    assert said(await till.redeem(plastic, 100_00, "LBP")) == ("INVALID_AMOUNT", "13")


async def test_14_before_16(till: Till, card: MakeCard) -> None:
    """
    The limit (61) before the funds (51, and 10 where part would do).
    """
    plastic = await card(10_00, product="limited")

    assert said(await till.redeem(plastic, 300_01)) == ("LIMIT_EXCEEDED", "61")
    assert said(await till.redeem(plastic, 300_01, partial=True)) == (
        "LIMIT_EXCEEDED",
        "61",
    )
    assert said(await till.redeem(plastic, 300_00)) == ("INSUFFICIENT_FUNDS", "51")


async def test_a_reversal_at_a_suspended_terminal(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    Reverse: the terminal (58) before the original (25), and then no tombstone is left.
    """
    place, plastic, original = new_place(tills), await card(), new_id()
    place.change("terminal", state=2)
    answer = await place.till.reverse(original)
    place.change("terminal", state=1)
    sale = await place.till.redeem(plastic, 30_00, request_id=original)

    assert told(answer) == Told(result="INVALID_TERMINAL", code="58", state="DECLINED")
    assert told(sale).result == "APPROVED"
    assert look.debits(plastic) == (1, 30_00)


async def test_a_reversal_asks_for_the_card_before_the_original(
    till: Till, card: MakeCard
) -> None:
    """
    Reverse: another card's number (25) before "is a reversal itself" (21).
    """
    plastic, other = await card(), await card()
    undone = await till.reverse(await till.redeem(plastic, 30_00))

    assert said(await till.reverse(undone, card_number=other.number)) == (
        "ORIGINAL_NOT_FOUND",
        "25",
    )
    assert said(await till.reverse(undone, card_number=plastic.number)) == (
        "CANNOT_BE_REVERSED",
        "21",
    )
