"""
A replay is rebuilt from the row, and is the first answer in every field.

One scene an answer: each operation approved and declined, converted or not, with what
the till adds for its own books. Also GetTransaction tells the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any, Final

import pytest

from scrip.v1 import card_pb2 as pb_card
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import transaction_pb2
from tests.support.holding import authorize
from tests.support.stream_till import streaming
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    money,
    new_id,
    request_of,
)
from tests.support.told import Outcome, result_of

Scene = tuple[str, Any]
MakeScene = Callable[[Till, MakeCard], Awaitable[Scene]]

_CONTEXT: Final = transaction_pb2.TillContext(
    merchant_reference="Bon № 4711 / قهوة",
    cashier_id="7",
    entry_mode=transaction_pb2.ENTRY_MODE_SWIPED,
    local_time="2025-01-01T10:00:00+02:00",
    system_trace_no="000123",
    terminal_batch_no="42",
)


def _ask(method: str, **fields: Any) -> Scene:
    return method, request_of(method, till=_CONTEXT, **fields)


async def _activated(till: Till, card: MakeCard) -> Scene:
    return _ask("Activate", card_number=(await card(None)).number)


async def _activated_with_dinars(till: Till, card: MakeCard) -> Scene:
    pending = await card(None, expires_on=date.today() + timedelta(days=365))  # noqa: DTZ011
    amount = money(7_777, "KWD")
    return _ask("Activate", card_number=pending.number, initial_amount=amount)


async def _activated_twice(till: Till, card: MakeCard) -> Scene:
    return _ask("Activate", card_number=(await card()).number)


async def _loaded_with_yen(till: Till, card: MakeCard) -> Scene:
    return _ask(
        "Load",
        card_number=(await card(10_00, product="eur")).number,
        amount=money(12_345, "JPY"),
        load_type=pb.LOAD_TYPE_MERCHANDISE_RETURN,
    )


async def _loaded_over_the_limit(till: Till, card: MakeCard) -> Scene:
    plastic = await card(10_00, product="limited")
    return _ask("Load", card_number=plastic.number, amount=money(200_01))


async def _sold(till: Till, card: MakeCard) -> Scene:
    return _ask("Redeem", card_number=(await card()).number, amount=money(30_00))


async def _sold_for_dinars_in_part(till: Till, card: MakeCard) -> Scene:
    return _ask(
        "Redeem",
        card_number=(await card(50_00, product="eur")).number,
        amount=money(20_000, "KWD"),
        allow_partial=True,
    )


async def _sold_the_last_cent(till: Till, card: MakeCard) -> Scene:
    plastic = await card(10_00, product="one-time")
    return _ask("Redeem", card_number=plastic.number, amount=money(10_00))


async def _sold_to_nobody(till: Till, card: MakeCard) -> Scene:
    return _ask("Redeem", card_number=UNKNOWN_NUMBER, amount=money(30_00))


async def _sold_with_wrong_digits(till: Till, card: MakeCard) -> Scene:
    plastic = await card()
    return _ask("Redeem", card_number=plastic.number, amount=money(1_000, "KWD", 2))


async def _sold_for_nothing_known(till: Till, card: MakeCard) -> Scene:
    plastic = await card()
    return _ask("Redeem", card_number=plastic.number, amount=money(5, "ZZZ", 1))


async def _sold_from_a_lost_card(till: Till, card: MakeCard) -> Scene:
    lost = await card(state=4, block_reason=1)
    return _ask("Redeem", card_number=lost.number, amount=money(30_00))


async def _sold_too_much(till: Till, card: MakeCard) -> Scene:
    return _ask("Redeem", card_number=(await card()).number, amount=money(130_00))


async def _held_for_dinars(till: Till, card: MakeCard) -> Scene:
    plastic = await card()
    return _ask("Authorize", card_number=plastic.number, amount=money(5_000, "KWD"))


async def _captured(till: Till, card: MakeCard) -> Scene:
    hold = await authorize(till, await card(), 5_000, "KWD")
    amount = money(3_333, "KWD")
    return _ask("Capture", original_request_id=hold.request_id, amount=amount)


async def _given_up(till: Till, card: MakeCard) -> Scene:
    hold = await authorize(till, await card(), 60_00)
    return _ask("CancelAuthorization", original_request_id=hold.request_id)


async def _told_late(till: Till, card: MakeCard) -> Scene:
    plastic = await card(5_00)
    return _ask("Advice", card_number=plastic.number, amount=money(20_00))


async def _paid_out(till: Till, card: MakeCard) -> Scene:
    return _ask("CashOut", card_number=(await card(8_00, product="cash-once")).number)


async def _not_paid_out(till: Till, card: MakeCard) -> Scene:
    return _ask("CashOut", card_number=(await card(12_00, product="cash")).number)


async def _paid_back(till: Till, card: MakeCard) -> Scene:
    return _undo(await till.cash_out(await card(8_00, product="cash-once")))


async def _undone(till: Till, card: MakeCard) -> Scene:
    plastic = await card()
    sale = await till.redeem(plastic, 10_000, "KWD")
    return _ask(
        "Reverse",
        original_request_id=sale.request_id,
        card_number=plastic.number,
        reason=pb.REVERSAL_REASON_RESPONSE_TOO_LATE,
    )


async def _undone_activation(till: Till, card: MakeCard) -> Scene:
    activated = await till.activate(await card(None), 25_00)
    return _undo(activated)


async def _undone_twice(till: Till, card: MakeCard) -> Scene:
    sale = await till.redeem(await card(), 10_000, "KWD")
    await till.reverse(sale)
    return _undo(sale)


async def _undone_decline(till: Till, card: MakeCard) -> Scene:
    return _undo(await till.redeem(await card(), 130_00))


async def _undone_reversal(till: Till, card: MakeCard) -> Scene:
    sale = await till.redeem(await card(), 30_00)
    return _undo(await till.reverse(sale))


async def _undone_though_spent(till: Till, card: MakeCard) -> Scene:
    plastic = await card(0)
    load = await till.load(plastic, 1_000, "JPY")
    await till.redeem(plastic, 1_00)
    return _undo(load)


async def _undone_nothing(till: Till, card: MakeCard) -> Scene:
    return _ask(
        "Reverse", original_request_id=new_id(), reason=pb.REVERSAL_REASON_TIMEOUT
    )


async def _refunded_in_part(till: Till, card: MakeCard) -> Scene:
    plastic = await card(50_00, product="eur")
    sale = await till.redeem(plastic, 10_000, "KWD")
    return _ask(
        "Refund",
        original_request_id=sale.request_id,
        card_number=plastic.number,
        amount=money(3_333, "KWD"),
    )


async def _refunded_too_much(till: Till, card: MakeCard) -> Scene:
    sale = await till.redeem(await card(), 30_00)
    await till.refund(sale, 20_00)
    return _refund(sale, 10_01)


async def _voided(till: Till, card: MakeCard) -> Scene:
    sale = await till.redeem(await card(), 10_000, "KWD")
    return _ask("Void", original_request_id=sale.request_id)


async def _held(till: Till, card: MakeCard) -> Scene:
    return _ask("Authorize", card_number=(await card()).number, amount=money(30_00))


async def _blocked(till: Till, card: MakeCard) -> Scene:
    plastic = await card()
    return _ask("Block", card_number=plastic.number, reason=pb_card.BLOCK_REASON_LOST)


async def _closed(till: Till, card: MakeCard) -> Scene:
    return _ask("Deactivate", card_number=(await card(0)).number)


async def _moved(till: Till, card: MakeCard) -> Scene:
    first, second = await card(70_00, product="eur"), await card(0, product="eur")
    return _ask(
        "TransferBalance", card_number=first.number, to_card_number=second.number
    )


async def _moved_to_nobody(till: Till, card: MakeCard) -> Scene:
    first = await card()
    return _ask(
        "TransferBalance", card_number=first.number, to_card_number=UNKNOWN_NUMBER
    )


async def _voided_twice(till: Till, card: MakeCard) -> Scene:
    sale = await till.redeem(await card(), 30_00)
    await till.void(sale)
    return _ask("Void", original_request_id=sale.request_id)


def _refund(sale: Outcome, minor: int) -> Scene:
    return _ask("Refund", original_request_id=sale.request_id, amount=money(minor))


def _undo(original: Outcome) -> Scene:
    return _ask(
        "Reverse",
        original_request_id=original.request_id,
        reason=pb.REVERSAL_REASON_INVALID_RESPONSE,
    )


SCENES: Final[dict[str, tuple[MakeScene, str]]] = {
    "activated": (_activated, "APPROVED"),
    "activated with dinars": (_activated_with_dinars, "APPROVED"),
    "activated twice": (_activated_twice, "CARD_ALREADY_ACTIVATED"),
    "loaded with yen": (_loaded_with_yen, "APPROVED"),
    "loaded over the limit": (_loaded_over_the_limit, "LIMIT_EXCEEDED"),
    "sold": (_sold, "APPROVED"),
    "sold for dinars in part": (_sold_for_dinars_in_part, "APPROVED_PARTIAL"),
    "sold the last cent": (_sold_the_last_cent, "APPROVED"),
    "sold to nobody": (_sold_to_nobody, "INVALID_CARD"),
    "sold with wrong digits": (_sold_with_wrong_digits, "INVALID_AMOUNT"),
    "sold for nothing known": (_sold_for_nothing_known, "CURRENCY_NOT_SUPPORTED"),
    "sold from a lost card": (_sold_from_a_lost_card, "LOST_CARD"),
    "sold too much": (_sold_too_much, "INSUFFICIENT_FUNDS"),
    "paid out": (_paid_out, "APPROVED"),
    "not paid out": (_not_paid_out, "NOT_PERMITTED"),
    "paid back": (_paid_back, "APPROVED"),
    "undone": (_undone, "APPROVED"),
    "undone activation": (_undone_activation, "APPROVED"),
    "undone twice": (_undone_twice, "APPROVED"),
    "undone decline": (_undone_decline, "APPROVED"),
    "undone reversal": (_undone_reversal, "CANNOT_BE_REVERSED"),
    "undone though spent": (
        _undone_though_spent,
        "FURTHER_ACTIVITY_PREVENTS_REVERSAL",
    ),
    "undone nothing": (_undone_nothing, "ORIGINAL_NOT_FOUND"),
    "refunded in part": (_refunded_in_part, "APPROVED"),
    "refunded too much": (_refunded_too_much, "INVALID_AMOUNT"),
    "held": (_held, "APPROVED"),
    "held for dinars": (_held_for_dinars, "APPROVED"),
    "captured": (_captured, "APPROVED"),
    "given up": (_given_up, "APPROVED"),
    "told late": (_told_late, "APPROVED"),
    "blocked": (_blocked, "APPROVED"),
    "closed": (_closed, "APPROVED"),
    "moved": (_moved, "APPROVED"),
    "moved to nobody": (_moved_to_nobody, "INVALID_CARD"),
    "voided": (_voided, "APPROVED"),
    "voided twice": (_voided_twice, "ALREADY_REVERSED"),
}


@pytest.fixture
async def single(tills: Tills) -> Till:
    """
    Give a till that calls.
    """
    return await tills("till-1")


@pytest.fixture
async def stream(tills: Tills) -> AsyncIterator[Till]:
    """
    Give the same till, over a stream and a connection of its own.
    """
    async with streaming(await tills("till-1")) as over_stream:
        yield over_stream


@pytest.mark.parametrize("name", SCENES)
async def test_a_replay_is_the_first_answer_in_every_field(
    single: Till, stream: Till, card: MakeCard, name: str
) -> None:
    """
    The first answer, its replay by call and by stream, and GetTransaction are one.
    """
    make, result = SCENES[name]
    method, request = await make(single, card)
    first = (await single.send(method, request)).outcome
    replays = [
        (await stream.send(method, request)).outcome,
        (await single.send(method, request)).outcome,
        await single.transaction(first),
    ]

    assert result_of(first) == result
    assert not first.replayed
    assert first.till == _CONTEXT
    first.replayed = True
    for replay in replays:
        assert replay == first


async def test_a_replay_tells_what_became_of_it(
    single: Till, stream: Till, card: MakeCard
) -> None:
    """
    Only `current_state` moves on: a sale that was reversed since reads REVERSED.
    """
    method, request = await _sold(single, card)
    first = (await single.send(method, request)).outcome
    await single.reverse(first)
    again = (await stream.send(method, request)).outcome

    assert again.current_state == transaction_pb2.CURRENT_STATE_REVERSED
    first.replayed = True
    first.current_state = transaction_pb2.CURRENT_STATE_REVERSED
    assert again == first


async def test_the_scenes_show_every_field(single: Till, card: MakeCard) -> None:
    """
    Every field of Outcome, Card, Conversion and TillContext is in one of the scenes.
    """
    seen: set[str] = set()
    for name in ("activated with dinars", "sold for dinars in part", "undone", "held"):
        method, request = await SCENES[name][0](single, card)
        answer = (await single.send(method, request)).outcome
        seen |= _fields(answer, "")
    every = _names(transaction_pb2.Outcome.DESCRIPTOR, "")

    # What makes a replay, what is zero so far, and what only an Advice has.
    absent = {"replayed", "conversion.markup_bps", "exception"}
    assert every - absent == seen


def _fields(message: Any, prefix: str) -> set[str]:
    found = set()
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.file.package:
            found |= _fields(value, f"{prefix}{field.name}.")
        found.add(prefix + field.name)
    return {name for name in found if not name.endswith(_INNER)}


_INNER: Final = (".minor_units", ".currency_code", ".exponent", ".seconds", ".nanos")


def _names(descriptor: Any, prefix: str) -> set[str]:
    found = set()
    for field in descriptor.fields:
        if field.message_type is not None:
            found |= _names(field.message_type, f"{prefix}{field.name}.")
        found.add(prefix + field.name)
    return {name for name in found if not name.endswith(_INNER)}
