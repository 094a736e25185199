"""
What undoes a hold, or what was taken from one: Reverse, Void and Refund.
"""

from __future__ import annotations

from gateway.domain.cards import BlockReason
from tests.support.holding import (
    ToldHold,
    authorize,
    cancel,
    capture,
    increment,
    told_hold,
)
from tests.support.look import CardRow, Look
from tests.support.staff import Desks
from tests.support.tills import MakeCard, Till, Tills, new_id
from tests.support.told import told


async def test_reverse_a_hold(till: Till, card: MakeCard, look: Look) -> None:
    """
    A reversed Authorize is CANCELLED with all its increments; a repeat is 00 again.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    more = await increment(till, hold, 20_00)
    undone = await till.reverse(hold)
    again = await till.reverse(hold)
    late = await capture(till, hold, 10_00)
    smaller = await till.reverse(more)

    assert (told(undone).code, told(undone).available) == ("00", "100.00 USD")
    assert told(undone).approved == "80.00 USD"
    assert told_hold(undone) == ToldHold(
        "CANCELLED", "80.00 USD", "0.00 USD", "0.00 USD"
    )
    assert (told(again).code, told_hold(again)) == ("00", ToldHold())
    assert told(late).result == "AUTHORIZATION_EXPIRED"
    assert told(smaller).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert told(await till.transaction(hold)).state == "REVERSED"
    assert look.postings(undone) == []
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)


async def test_reverse_a_hold_that_has_ended(till: Till, card: MakeCard) -> None:
    """
    A reversal of a hold that was given up is 00; of one that was captured, 21.
    """
    plastic = await card()
    hold, other = [await authorize(till, plastic, 30_00) for _ in range(2)]
    await cancel(till, hold)
    await capture(till, other, 10_00)
    undone = await till.reverse(hold)
    refused = await till.reverse(other)

    assert (told(undone).code, told(undone).held) == ("00", "0.00 USD")
    assert told(await till.transaction(hold)).state == "REVERSED"
    assert told(refused).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"


async def test_reverse_an_increment(till: Till, card: MakeCard) -> None:
    """
    A reversed increment makes the hold smaller by it; 21 where less is left of it.
    """
    hold = await authorize(till, await card(), 40_00)
    first, second = [await increment(till, hold, 20_00) for _ in range(2)]
    smaller = await till.reverse(first)
    await capture(till, hold, 50_00, keep_open=True)
    refused = await till.reverse(second)

    assert told_hold(smaller) == ToldHold("OPEN", "60.00 USD", "0.00 USD", "60.00 USD")
    assert (told(smaller).approved, told(smaller).held) == ("20.00 USD", "60.00 USD")
    assert told(refused).result == "FURTHER_ACTIVITY_PREVENTS_REVERSAL"
    assert told(await capture(till, hold)).approved == "10.00 USD"


async def test_increments_on_two_cards_are_reversed(
    till: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    What the first card counted is not given back on the second, whatever is rounded.
    """
    old, new = await card(), await card(None)
    hold = await authorize(till, old, 105, "KWD")
    first = await increment(till, hold, 5, "KWD")
    await till.block(old, BlockReason.LOST)
    amira = await Desks(tills)("amira")
    await amira.replace(old, new)
    second = await increment(till, hold, 5, "KWD")
    answers = [await till.reverse(first), await till.reverse(second)]
    ((day,),) = look.gateway.sql(
        "SELECT day_spend_minor FROM card WHERE card_id = %s", new.card_id
    )

    assert [told(one).code for one in (second, *answers)] == ["00"] * 3
    assert day == 0
    assert told_hold(answers[-1]).authorized == "0.105 KWD"


async def test_an_increment_that_was_all_that_is_left(
    till: Till, card: MakeCard
) -> None:
    """
    Undone when exactly it is left, an increment ends the hold, as captured.
    """
    hold = await authorize(till, await card(), 40_00)
    more = await increment(till, hold, 20_00)
    await capture(till, hold, 40_00, keep_open=True)
    undone = await till.reverse(more)

    assert told_hold(undone) == ToldHold(
        "CAPTURED", "40.00 USD", "40.00 USD", "0.00 USD"
    )
    assert told(undone).held == "0.00 USD"


async def test_reverse_a_capture(till: Till, card: MakeCard, look: Look) -> None:
    """
    A reversed capture credits the card; the hold stays as it ended.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    taken = await capture(till, hold, 48_00)
    undone = await till.reverse(taken)
    more = await capture(till, hold, 1_00)

    assert (told(undone).code, told(undone).ledger) == ("00", "100.00 USD")
    assert told_hold(undone) == ToldHold()
    assert told(more).result == "EXCEEDS_AUTHORIZED"
    assert told(await till.transaction(taken)).state == "REVERSED"
    assert look.postings(undone) == [
        ("CARD_LIABILITY", "USD", -48_00),
        ("MERCHANT_PAYABLE", "USD", 48_00),
    ]


async def test_a_cancel_is_not_reversed(till: Till, card: MakeCard) -> None:
    """
    A cancel is never undone (21); a declined one is nothing to undo (00).
    """
    hold = await authorize(till, await card(), 60_00)
    given_up = await cancel(till, hold)
    declined = await cancel(till, hold)

    assert told(await till.reverse(given_up)).result == "CANNOT_BE_REVERSED"
    assert told(await till.reverse(declined)).code == "00"


async def test_a_reversal_that_comes_first(till: Till, card: MakeCard) -> None:
    """
    Each of the four, reversed before it came, is refused when it comes: 21, no hold.
    """
    plastic = await card()
    hold = await authorize(till, plastic, 60_00)
    ids = [new_id() for _ in range(4)]
    undone = [await till.reverse(one) for one in ids]
    late = [
        await authorize(till, plastic, 10_00, request_id=ids[0]),
        await increment(till, hold, 10_00, request_id=ids[1]),
        await capture(till, hold, 10_00, request_id=ids[2]),
        await cancel(till, hold, request_id=ids[3]),
    ]

    assert {told(one).code for one in undone} == {"25"}
    assert {told(one).result for one in late} == {"ALREADY_REVERSED"}
    assert {told_hold(one) for one in late} == {ToldHold()}
    assert told(await till.balance(plastic)).held == "60.00 USD"


async def test_void_a_capture(till: Till, card: MakeCard) -> None:
    """
    A capture is voided on its day like a sale; a hold is not: it is cancelled.
    """
    hold = await authorize(till, await card(), 60_00)
    refused = await till.void(hold)
    taken = await capture(till, hold, 48_00)
    void = await till.void(taken)

    assert told(refused).result == "CANNOT_BE_REVERSED"
    assert (told(void).code, told(void).ledger) == ("00", "100.00 USD")
    assert told(await till.transaction(taken)).state == "VOIDED"


async def test_refund_a_capture(till: Till, card: MakeCard) -> None:
    """
    A capture is refunded like a sale, never above it.
    """
    hold = await authorize(till, await card(), 60_00)
    taken = await capture(till, hold, 48_00)
    back = await till.refund(taken, 40_00)
    too_much = await till.refund(taken, 8_01)
    rest = await till.refund(taken, 8_00)

    assert (told(back).code, told(back).ledger) == ("00", "92.00 USD")
    assert told(too_much).code == "13"
    assert told(rest).ledger == "100.00 USD"
    assert told(await till.transaction(taken)).state == "REFUNDED"
    assert told(await till.refund(hold, 1_00)).result == "CANNOT_BE_REVERSED"
