"""
Behaviour 26: terminals that confirm what was approved.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.domain.cards import BlockReason
from tests.support.holding import authorize, capture
from tests.support.look import CardRow, Look
from tests.support.staff import Desks
from tests.support.stream_till import streaming
from tests.support.tills import MakeCard, Till, Tills, new_id
from tests.support.told import Told, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LOADED = Told(
    result="APPROVED",
    code="00",
    requested="40.00 USD",
    approved="40.00 USD",
    due="0.00 USD",
    previous="100.00 USD",
    available="100.00 USD",
    ledger="140.00 USD",
    held="0.00 USD",
    card="ACTIVE",
)
_CONFIRMED = replace(_LOADED, available="140.00 USD")
_ROUNDS = 10


@pytest.fixture(params=["unary", "stream"])
async def pos(request: pytest.FixtureRequest, tills: Tills) -> AsyncIterator[Till]:
    """
    Give a till of two messages, with calls of their own and over one stream.
    """
    single = await tills("two-message")
    if request.param == "unary":
        yield single
        return
    async with streaming(single) as over_stream:
        yield over_stream


async def test_26_a_load_counts_once_it_is_confirmed(
    pos: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: Load 40.00 unconfirmed, Redeem 120.00: 51; available 100.00, ledger 140.00.

    After Confirm 140.00 are available.
    """
    plastic = await card()
    load = await pos.load(plastic, 40_00)
    before = look.card(plastic)
    other = await tills("till-1")
    refused = await other.redeem(plastic, 120_00)
    confirmed = await pos.confirm(load)
    after = look.card(plastic)
    sale = await other.redeem(plastic, 120_00)

    assert told(load) == _LOADED
    assert before == CardRow("ACTIVE", balance=140_00, loads=2, unconfirmed=40_00)
    assert told(refused).result == "INSUFFICIENT_FUNDS"
    assert (told(refused).available, told(refused).ledger) == (
        "100.00 USD",
        "140.00 USD",
    )
    assert told(confirmed) == _CONFIRMED
    assert confirmed.original_transaction_id == load.transaction_id
    assert after == CardRow("ACTIVE", balance=140_00, loads=2)
    assert look.postings(confirmed) == []
    assert told(sale).result == "APPROVED"


async def test_26_confirm_after_reverse(pos: Till, card: MakeCard, look: Look) -> None:
    """
    26: Confirm after Reverse: 21. The reversal took ledger and unconfirmed down.
    """
    plastic = await card()
    load = await pos.load(plastic, 40_00)
    undone = await pos.reverse(load)
    late = await pos.confirm(load)

    assert (told(undone).previous, told(undone).available, told(undone).ledger) == (
        "100.00 USD",
        "100.00 USD",
        "100.00 USD",
    )
    assert (told(late).result, told(late).code) == ("ALREADY_REVERSED", "21")
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)


async def test_26_reverse_after_confirm(pos: Till, card: MakeCard, look: Look) -> None:
    """
    26: Reverse after Confirm: 21, nothing changes; Void still undoes it.
    """
    plastic = await card()
    load = await pos.load(plastic, 40_00)
    await pos.confirm(load)
    refused = await pos.reverse(load)
    between = look.card(plastic)
    voided = await pos.void(load)

    assert (told(refused).result, told(refused).code) == ("CANNOT_BE_REVERSED", "21")
    assert between == CardRow("ACTIVE", balance=140_00, loads=2)
    assert told(voided).result == "APPROVED"
    assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)
    assert told(await pos.transaction(load)).state == "VOIDED"


async def test_26_a_sale_reduces_both_at_once(
    pos: Till, card: MakeCard, look: Look
) -> None:
    """
    26: A Redeem is spent before its Confirm, which changes nothing of the card.
    """
    plastic = await card()
    sale = await pos.redeem(plastic, 30_00)
    before = look.footprint()
    confirmed = await pos.confirm(sale)
    after = look.footprint()

    assert (told(sale).available, told(sale).ledger) == ("70.00 USD", "70.00 USD")
    assert told(confirmed).approved == "30.00 USD"
    assert told(confirmed).available == "70.00 USD"
    assert (after.cards, after.postings) == (before.cards, before.postings)
    assert told(await pos.reverse(sale)).result == "CANNOT_BE_REVERSED"


async def test_26_confirm_is_repeated(pos: Till, card: MakeCard, look: Look) -> None:
    """
    26: The same Confirm is replayed; under another id it is 00 again and moves nothing.
    """
    plastic = await card()
    load = await pos.load(plastic, 40_00)
    first = await pos.confirm(load)
    replayed = await pos.confirm(load, request_id=first.request_id)
    before = look.footprint()
    again = await pos.confirm(load)
    after = look.footprint()

    assert told(replayed) == replace(_CONFIRMED, replayed=True)
    assert replayed.transaction_id == first.transaction_id
    assert told(again) == replace(_CONFIRMED, previous="140.00 USD")
    assert again.transaction_id != first.transaction_id
    assert (after.cards, after.postings) == (before.cards, before.postings)
    assert look.card(plastic) == CardRow("ACTIVE", balance=140_00, loads=2)


async def test_26_nothing_to_confirm(
    pos: Till, tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: 25 for what is not there, and no tombstone; 21 for what waits for nothing.
    """
    plastic, original = await card(), new_id()
    missing = await pos.confirm(original)
    load = await pos.load(plastic, 40_00, request_id=original)
    declined = await pos.redeem(plastic, 999_00)
    one = await tills("till-1")
    single = await one.load(plastic, 1_00)

    assert (told(missing).result, told(missing).code) == ("ORIGINAL_NOT_FOUND", "25")
    assert look.key(original, "t-5") == "request"
    assert told(load).result == "APPROVED"
    for answer in (await pos.confirm(declined), await one.confirm(single)):
        assert (told(answer).result, told(answer).code) == ("CANNOT_BE_REVERSED", "21")


async def test_26_confirm_for_another_terminal(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: Another till of the store may confirm, when it names the terminal.
    """
    pos, other = await tills("two-message"), await tills("till-2")
    plastic = await card()
    load = await pos.load(plastic, 40_00)
    confirmed = await other.confirm(load, original_terminal_id="t-5")

    assert told(confirmed) == _CONFIRMED
    assert look.card(plastic).unconfirmed == 0


async def test_26_an_activation_and_a_refund_wait(
    pos: Till, card: MakeCard, look: Look
) -> None:
    """
    26: What Activate and Refund credit cannot be spent before it is confirmed either.
    """
    plastic = await card(None)
    activated = await pos.activate(plastic, 25_00)
    empty = await pos.redeem(plastic, 5_00)
    await pos.confirm(activated)
    sale = await pos.redeem(plastic, 5_00)
    back = await pos.refund(sale, 5_00)
    between = look.card(plastic)
    await pos.confirm(back)

    assert (told(activated).available, told(activated).ledger) == (
        "0.00 USD",
        "25.00 USD",
    )
    assert told(empty).result == "INSUFFICIENT_FUNDS"
    assert between == CardRow("ACTIVE", balance=25_00, loads=1, unconfirmed=5_00)
    assert look.card(plastic) == CardRow("ACTIVE", balance=25_00, loads=1)


async def test_26_two_reversals_and_a_confirmation_at_once(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: Whoever comes first wins whole: confirmed and standing, or reversed once.
    """
    pos, other = await tills("two-message"), await tills("till-1")
    for _ in range(_ROUNDS):
        plastic = await card()
        load = await pos.load(plastic, 40_00)
        confirmed, *reversals = await asyncio.gather(
            other.confirm(load, original_terminal_id="t-5"),
            pos.reverse(load),
            other.reverse(load, original_terminal_id="t-5"),
        )
        codes = [answer.response_code for answer in reversals]
        if confirmed.response_code == "00":
            assert codes == ["21", "21"]
            assert look.card(plastic) == CardRow("ACTIVE", balance=140_00, loads=2)
        else:
            assert (confirmed.response_code, codes) == ("21", ["00", "00"])
            assert look.card(plastic) == CardRow("ACTIVE", balance=100_00, loads=1)


async def test_26_a_batch_of_both_messages(tills: Tills, card: MakeCard) -> None:
    """
    26: In one batch each sees what the one before it did.
    """
    pos = await tills("two-message")
    async with streaming(pos) as stream:
        plastic = await card()
        load = await stream.load(plastic, 40_00)
        answers = await asyncio.gather(
            stream.confirm(load), stream.confirm(load), stream.redeem(plastic, 140_00)
        )

    assert [answer.response_code for answer in answers] == ["00", "00", "00"]


async def test_26_what_nobody_confirms_appears_after_a_day(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: Nothing expires by itself; after 24 hours the list of exceptions names it.
    """
    pos = await tills("two-message")
    plastic = await card()
    load, sale = await pos.load(plastic, 40_00), await pos.redeem(plastic, 1_00)
    confirmed = await pos.load(plastic, 2_00)
    await pos.confirm(confirmed)
    listed = look.exceptions(plastic)
    tomorrow = timedelta(hours=24, minutes=1)
    later = look.exceptions(plastic, later=tomorrow)
    late = await pos.confirm(load)
    after = look.exceptions(plastic, later=tomorrow)

    assert listed == []
    assert later == [
        ("UNCONFIRMED", None, 1_00, sale.transaction_id),
        ("UNCONFIRMED", None, 40_00, load.transaction_id),
    ]
    assert late.response_code == "00"
    assert after == later[:1]


async def test_26_a_replaced_card_takes_what_waits_with_it(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: A load of the lost card is confirmed, and another undone, on its successor.
    """
    pos, amira = await tills("two-message"), await Desks(tills)("amira")
    old, new = await card(), await card(None)
    kept, taken = await pos.load(old, 40_00), await pos.load(old, 5_00)
    await pos.block(old, BlockReason.LOST)
    await amira.replace(old, new)
    moved = look.card(new)
    confirmed = await pos.confirm(kept, card_number=old.number)
    undone = await pos.reverse(taken)

    assert moved == CardRow("ACTIVE", balance=145_00, loads=3, unconfirmed=45_00)
    assert told(confirmed).available == "140.00 USD"
    assert told(undone).ledger == "140.00 USD"
    assert look.card(new) == CardRow("ACTIVE", balance=140_00, loads=2)


async def test_26_a_capture_waits_and_its_hold_does_not(
    tills: Tills, card: MakeCard, look: Look
) -> None:
    """
    26: An Authorize has nothing to confirm; its Capture, confirmed, is not reversed.
    """
    pos, plastic = await tills("two-message"), await card()
    hold = await authorize(pos, plastic, 60_00)
    early = await pos.confirm(hold)
    taken = await capture(pos, hold, 48_00)
    confirmed = await pos.confirm(taken)
    late = await pos.reverse(taken)

    assert told(early).result == "CANNOT_BE_REVERSED"
    assert told(confirmed).approved == "48.00 USD"
    assert told(late).result == "CANNOT_BE_REVERSED"
    assert look.card(plastic) == CardRow("ACTIVE", balance=52_00, loads=1)
