"""
Requests that cannot be keyed or read: INVALID_ARGUMENT, the field named, nothing kept.

Each goes out by call and as an item of a stream, which lives on. What can be read and
is wrong all the same is a recorded decline: the last tests here hold the boundary.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import pytest

from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import money_pb2, transaction_pb2
from tests.support.look import Look
from tests.support.server import Gateway
from tests.support.stream_till import StreamTill, streaming
from tests.support.tills import (
    UNKNOWN_NUMBER,
    MakeCard,
    Till,
    Tills,
    fault,
    fault_of,
    money,
    new_id,
    request_of,
)
from tests.support.told import told

Case = tuple[str, dict[str, Any], str]

_RECORDED: Final = ("Activate", "Load", "Redeem", "Reverse")
_WITH_CARD: Final = ("Activate", "Load", "Redeem", "GetBalance")
_WITH_AMOUNT: Final = {
    "Activate": "initial_amount",
    "Load": "amount",
    "Redeem": "amount",
}
_BAD_IDS: Final = (
    "4711",
    "0198c6a45d1e7f008a4e1f2a3b4c5d6e",
    "{0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e}",
    "0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6g",
    "0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d0",
    " 198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e",
    "0198c6a4_5d1e_7f00_8a4e_1f2a3b4c5d6e",
)
_BAD_NUMBERS: Final = (
    "603628000000000000o",
    "6036 2800 0000 0000 007",
    "6036-2800-0000-0000-007",
    "٦٠٣٦٢٨٠٠٠٠٠٠٠٠٠٠٠٠٧",  # digits, but not 0 to 9
    "6" * 33,
    "-1",
)
_BAD_CODES: Final = ("", "US", "USDT", "U5D", "ÜSD", "840")
_BAD_CONTEXTS: Final[tuple[tuple[str, Any], ...]] = (
    ("merchant_reference", "x" * 65),
    ("merchant_reference", "a\nb"),
    ("cashier_id", "x" * 33),
    ("local_time", "x" * 36),
    ("system_trace_no", "1234567"),
    ("system_trace_no", "12a"),
    ("terminal_batch_no", "x" * 13),
    ("entry_mode", 99),
)


def _ids() -> list[Case]:
    missing: list[Case] = [
        (method, {"request_id": ""}, "request_id")
        for method in (*_RECORDED, "GetTransaction")
    ]
    wrong: list[Case] = [
        (method, {"request_id": text}, "request_id")
        for method in (*_RECORDED, "GetTransaction", "GetBalance")
        for text in (_BAD_IDS if method == "Redeem" else _BAD_IDS[:1])
    ]
    original: list[Case] = [
        ("Reverse", {"original_request_id": text}, "original_request_id")
        for text in ("", *_BAD_IDS[:2])
    ]
    return missing + wrong + original


def _numbers() -> list[Case]:
    missing: list[Case] = [
        (method, {"card_number": ""}, "card_number") for method in _WITH_CARD
    ]
    wrong: list[Case] = [
        (method, {"card_number": text}, "card_number")
        for method in (*_WITH_CARD, "Reverse")
        for text in (_BAD_NUMBERS if method == "Redeem" else _BAD_NUMBERS[:1])
    ]
    return missing + wrong


def _amounts() -> list[Case]:
    missing: list[Case] = [
        (method, {"amount": None}, "amount") for method in ("Load", "Redeem")
    ]
    wrong: list[Case] = []
    for method, field in _WITH_AMOUNT.items():
        bare = money_pb2.Money(minor_units=1_00, currency_code="USD")
        wrong.append((method, {field: bare}, f"{field}.exponent"))
        for code in _BAD_CODES if method == "Redeem" else _BAD_CODES[:1]:
            amount = money_pb2.Money(minor_units=1, currency_code=code, exponent=2)
            wrong.append((method, {field: amount}, f"{field}.currency_code"))
    return missing + wrong


def _choices() -> list[Case]:
    return [
        ("Load", {"load_type": 99}, "load_type"),
        ("Load", {"load_type": -1}, "load_type"),
        ("Reverse", {"reason": 0}, "reason"),
        ("Reverse", {"reason": 99}, "reason"),
        *(
            (method, {"till": transaction_pb2.TillContext(**{name: value})}, path)
            for name, value in _BAD_CONTEXTS
            for path in (f"till.{name}",)
            for method in (
                (*_RECORDED, "GetBalance") if name == "cashier_id" else ("Redeem",)
            )
        ),
    ]


CASES: Final = [*_ids(), *_numbers(), *_amounts(), *_choices()]


def good(method: str, **changes: Any) -> Any:
    """
    Make a request that could be read, but for the changes.
    """
    fields: dict[str, Any] = {}
    if method in _WITH_CARD:
        fields["card_number"] = UNKNOWN_NUMBER
    if method in _WITH_AMOUNT:
        fields[_WITH_AMOUNT[method]] = money(1_00)
    if method == "Reverse":
        fields |= {"original_request_id": new_id(), "reason": 1}
    return request_of(method, **(fields | changes))


@pytest.fixture
def look(gateway_process: Gateway) -> Look:
    """
    Look into the books of the shared gateway.
    """
    return Look(gateway_process)


@pytest.fixture
async def stream(tills: Tills) -> AsyncIterator[StreamTill]:
    """
    Give the first till over a stream, which must live to the end of the test.
    """
    async with streaming(await tills("till-1")) as over_stream:
        yield over_stream


def _name(case: object) -> str:
    text = repr(case).replace("\n", " ") if isinstance(case, dict) else str(case)
    return text.encode("ascii", "replace").decode()[:60]


@pytest.mark.parametrize(("method", "changes", "field"), CASES, ids=_name)
async def test_a_field_that_cannot_be_read(
    till: Till,
    stream: StreamTill,
    look: Look,
    method: str,
    changes: dict[str, Any],
    field: str,
) -> None:
    """
    INVALID_ARGUMENT with BadRequest naming the field; no row, no key, no change.

    The text does not repeat what was sent.
    """
    request = good(method, **changes)
    before = look.footprint()
    errors = [await fault(way.send(method, request)) for way in (till, stream)]

    for error in errors:
        assert error.code is grpc.StatusCode.INVALID_ARGUMENT
        assert error.reason == "INVALID_REQUEST"
        assert error.fields == (field,)
        assert field in error.details
        assert error.retry_after_ms is None
        for sent in changes.values():
            assert not isinstance(sent, str) or not sent or sent not in error.details
    assert look.footprint() == before


async def test_every_wrong_field_is_named(
    till: Till, stream: StreamTill, look: Look
) -> None:
    """
    One answer names all that is wrong, and the stream goes on with what is right.
    """
    unknown: Any = 99
    context = transaction_pb2.TillContext(entry_mode=unknown, system_trace_no="x")
    request = pb.RedeemRequest(
        request_id="4711",
        amount=money_pb2.Money(currency_code="$"),
        till=context,
    )
    before = look.footprint()
    errors = [await fault(way.send("Redeem", request)) for way in (till, stream)]
    unchanged = look.footprint()
    readable = await stream.redeem(UNKNOWN_NUMBER, 1_00)

    for error in errors:
        assert set(error.fields) == {
            "request_id",
            "card_number",
            "amount.currency_code",
            "amount.exponent",
            "till.entry_mode",
            "till.system_trace_no",
        }
    assert unchanged == before
    assert told(readable).result == "INVALID_CARD"


async def test_an_enquiry_about_another_terminal_that_cannot_be_read(
    tills: Tills, till: Till
) -> None:
    """
    GetTransaction that names a terminal is read before that terminal is looked for.
    """
    await tills("till-2")
    errors = [
        await fault(till.transaction("4711", terminal_id=terminal))
        for terminal in ("t-2", "nowhere")
    ]

    assert [error.fields for error in errors] == [("request_id",)] * 2


async def test_the_key_of_a_request_that_cannot_be_read(
    till: Till, card: MakeCard, look: Look
) -> None:
    """
    A known id with an unreadable rest is no replay and no DUPLICATE; a new id is free.
    """
    plastic = await card()
    sale = await till.redeem(plastic, 30_00)
    known = await fault(till.redeem("no number", 30_00, request_id=sale.request_id))
    request_id = new_id()
    await fault(till.redeem("no number", 30_00, request_id=request_id))
    corrected = await till.redeem(plastic, 30_00, request_id=request_id)

    assert known.fields == ("card_number",)
    assert told(corrected).result == "APPROVED"
    assert look.debits(plastic) == (2, 60_00)


async def test_an_item_without_an_operation(tills: Tills, look: Look) -> None:
    """
    An item that asks nothing gets a fault that names `operation`.
    """
    call = (await tills("till-1")).stream()
    before = look.footprint()
    await call.write(pb.TransactRequest(sequence=7))
    answer = await call.read()
    await call.write(
        pb.TransactRequest(sequence=8, get_balance=good("GetBalance", request_id=""))
    )
    following = await call.read()
    await call.done_writing()

    assert (answer.sequence, answer.fault.code) == (7, 3)
    assert "operation" in answer.fault.message
    assert (following.sequence, following.WhichOneof("answer")) == (8, "get_balance")
    assert await call.code() is grpc.StatusCode.OK
    assert look.footprint() == before


async def test_bytes_that_are_no_message(tills: Tills, look: Look) -> None:
    """
    INVALID_ARGUMENT by call; a stream ends with it, after all it read was answered.
    """
    till = await tills("till-1")
    before = look.footprint()
    call: Any = till.channel.unary_unary("/scrip.v1.CardService/Redeem")
    error = await fault(call(b"\xff\xff\xff"))
    stream: Any = till.channel.stream_stream("/scrip.v1.CardService/Transact")()
    item = pb.TransactRequest(sequence=1, get_balance=good("GetBalance", request_id=""))
    await stream.write(item.SerializeToString())
    await stream.write(b"\xff\xff\xff")
    answer = pb.TransactResponse.FromString(await stream.read())
    ended = await fault(stream.read())

    assert answer.WhichOneof("answer") == "get_balance"
    for found in (error, ended):
        assert found.code is grpc.StatusCode.INVALID_ARGUMENT
        assert (found.reason, found.fields) == ("INVALID_REQUEST", ("message",))
    assert look.footprint() == before


@pytest.mark.parametrize(
    "amount",
    [
        money_pb2.Money(minor_units=-(2**63), currency_code="USD", exponent=2),
        money_pb2.Money(minor_units=2**63 - 1, currency_code="USD", exponent=2),
        money_pb2.Money(minor_units=1, currency_code="USD", exponent=-1),
        money_pb2.Money(minor_units=1, currency_code="USD", exponent=2**31 - 1),
        money_pb2.Money(currency_code="ZZZ", exponent=0),
    ],
    ids=_name,
)
async def test_what_can_be_read_is_a_recorded_decline(
    till: Till, card: MakeCard, look: Look, amount: money_pb2.Money
) -> None:
    """
    Any number that fits the message is 13 INVALID_AMOUNT, recorded and replayed.
    """
    plastic, request_id = await card(), new_id()
    answers = [
        await till.ask(
            "Redeem", card_number=plastic.number, amount=amount, request_id=request_id
        )
        for _ in range(2)
    ]

    assert [told(answer).result for answer in answers] == ["INVALID_AMOUNT"] * 2
    assert answers[0].requested_amount == amount
    assert [answer.replayed for answer in answers] == [False, True]
    assert look.key(request_id) == "request"


async def test_the_longest_that_is_read(till: Till, card: MakeCard) -> None:
    """
    Each field at its full length is taken, and echoed as it was sent.
    """
    context = transaction_pb2.TillContext(
        merchant_reference="ü" * 64,
        cashier_id="x" * 32,
        entry_mode=transaction_pb2.ENTRY_MODE_ONLINE,
        local_time="2025-01-01T00:00:00.000000000+02:00",
        system_trace_no="000000",
        terminal_batch_no="x" * 12,
    )
    sale = await till.redeem(await card(), 1_00, till=context)
    unknown = await till.redeem("6" * 32, 1_00, till=context)

    assert told(sale).result == "APPROVED"
    assert sale.till == unknown.till == context
    assert told(unknown).result == "INVALID_CARD"


async def test_the_status_of_a_fault_has_one_error_info(stream: StreamTill) -> None:
    """
    A stream's fault says what the call says: code, text, one ErrorInfo, one BadRequest.
    """
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.send("Redeem", good("Redeem", request_id="4711"))
    found = fault_of(caught.value)

    assert found.reason == "INVALID_REQUEST"
    assert found.fields == ("request_id",)
    assert found.details.startswith("request_id: is not a UUID")
