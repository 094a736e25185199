"""
Requests are read strictly: what cannot be keyed or read names its field.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.api.field_rules import TEXT_RULES, read_uuid
from gateway.api.forms import InvalidFieldsError
from gateway.api.reading_requests import RequestReader
from gateway.domain.commands import (
    NO_CONTEXT,
    Amount,
    CashOut,
    GetBalance,
    GetTransaction,
    TillContext,
)
from gateway.domain.ids import RequestId, RequestKey, TerminalId
from gateway.domain.results import EntryMode, LoadType, ReversalReason
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import staff_service_pb2, transaction_pb2
from tests.support import wire

TERMINAL = TerminalId(7)
KEYED = [
    pytest.param(wire.activate_request, "activate", id="activate"),
    pytest.param(wire.load_request, "load", id="load"),
    pytest.param(wire.redeem_request, "redeem", id="redeem"),
    pytest.param(wire.reverse_request, "reverse", id="reverse"),
    pytest.param(wire.cash_out_request, "cash_out", id="cash_out"),
    pytest.param(wire.refund_request, "refund", id="refund"),
    pytest.param(wire.void_request, "void", id="void"),
]


@pytest.fixture
def reader() -> Iterator[RequestReader]:
    """
    Give a reader whose keys are the same in every run.
    """
    with wire.sealer() as sealer:
        yield RequestReader(sealer)


def read(reader: RequestReader, request: Any) -> Any:
    """
    Read a request of any kind.
    """
    reader.check(request)
    if isinstance(request, pb.GetTransactionRequest):
        return reader.get_transaction(request, TERMINAL)
    if isinstance(request, pb.GetBalanceRequest):
        return reader.get_balance(request, TERMINAL)
    named = "original_request_id" in request.DESCRIPTOR.fields_by_name
    return reader.read(request, TERMINAL, TERMINAL if named else None)


def faulty_fields(reader: RequestReader, request: Any) -> list[str]:
    """
    Give the paths of the fields that are refused.
    """
    with pytest.raises(InvalidFieldsError) as caught:
        read(reader, request)
    return [problem.path for problem in caught.value.problems]


def test_a_redeem_is_read_whole(reader: RequestReader) -> None:
    """
    Every field of a Redeem arrives in its command; absent text is None.
    """
    request = wire.redeem_request(allow_partial=True)
    request.till.merchant_reference = "order 7"
    request.till.cashier_id = "سارة"
    request.till.entry_mode = transaction_pb2.ENTRY_MODE_SCANNED
    request.till.local_time = "2026-01-01T10:00:00+03:00"
    request.till.system_trace_no = "000123"

    command = read(reader, request)

    assert command.request_id == wire.uuid_bytes(wire.REQUEST_ID)
    assert command.terminal_id == TERMINAL
    assert command.amount == Amount(30_00, "USD", 2)
    assert command.allow_partial
    assert command.card is not None
    assert command.card.last_four == "0007"
    assert command.till == TillContext(
        merchant_reference="order 7",
        cashier_id="سارة",
        entry_mode=EntryMode.SCANNED,
        local_time="2026-01-01T10:00:00+03:00",
        system_trace_no="000123",
        terminal_batch_no=None,
    )


def test_other_kinds_are_read_whole(reader: RequestReader) -> None:
    """
    Load, Activate, Reverse, CashOut, GetBalance and GetTransaction become commands.
    """
    load = read(reader, wire.load_request(load_type=pb.LOAD_TYPE_PROMO))
    bare = read(reader, wire.load_request())
    activate = read(reader, wire.activate_request(initial_amount=wire.money(25_00)))
    without = read(reader, wire.activate_request())
    reverse = read(reader, wire.reverse_request())
    balance = read(reader, wire.balance_request())
    paid_out = read(reader, wire.cash_out_request())
    enquiry = read(reader, wire.transaction_request())
    original = RequestId(wire.uuid_bytes(wire.ORIGINAL_ID))

    assert (load.load_type, bare.load_type) == (LoadType.PROMO, LoadType.SALE)
    assert activate.initial_amount == Amount(25_00, "USD", 2)
    assert without.initial_amount is None
    assert reverse.original == RequestKey(TERMINAL, original)
    assert reverse.reversal_reason is ReversalReason.TIMEOUT
    assert reverse.card is None
    assert reverse.till == NO_CONTEXT
    assert isinstance(paid_out, CashOut)
    assert paid_out.card is not None
    assert paid_out.card.last_four == "0007"
    assert isinstance(balance, GetBalance)
    assert balance.request_id is None
    assert isinstance(enquiry, GetTransaction)
    assert enquiry.key.request_id == wire.uuid_bytes(wire.REQUEST_ID)


def test_what_names_an_original_is_read_whole(reader: RequestReader) -> None:
    """
    Refund and Void name it like Reverse; the card is theirs to send or not.
    """
    refund = read(reader, wire.refund_request(till={"cashier_id": "ana"}))
    void = read(reader, wire.void_request(card_number=wire.CARD_NUMBER))
    original = RequestId(wire.uuid_bytes(wire.ORIGINAL_ID))

    assert refund.original == void.original == RequestKey(TERMINAL, original)
    assert refund.amount == Amount(4_00, "USD", 2)
    assert (refund.card, refund.till.cashier_id) == (None, "ana")
    assert void.card.last_four == "0007"
    assert void.till == NO_CONTEXT


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"request_id": ""}, ["request_id"]),
        ({"request_id": "4711"}, ["request_id"]),
        ({"request_id": wire.REQUEST_ID.replace("-", "")}, ["request_id"]),
        ({"request_id": wire.REQUEST_ID.replace("5d1e", "5d 1")}, ["request_id"]),
        ({"request_id": "{" + wire.REQUEST_ID[1:]}, ["request_id"]),
        ({"request_id": wire.REQUEST_ID + "0"}, ["request_id"]),
        ({"request_id": wire.REQUEST_ID.replace("0", "\u0660")}, ["request_id"]),
        ({"card_number": ""}, ["card_number"]),
        ({"card_number": "6036 2800 0000 0007"}, ["card_number"]),
        ({"card_number": "\u0666\u0660\u0663\u0666"}, ["card_number"]),
        ({"card_number": "6" * 33}, ["card_number"]),
        ({"amount": None}, ["amount"]),
        ({"amount": wire.money(1, "")}, ["amount.currency_code"]),
        ({"amount": wire.money(1, "US")}, ["amount.currency_code"]),
        ({"amount": wire.money(1, "USDT")}, ["amount.currency_code"]),
        ({"amount": wire.money(1, "U5D")}, ["amount.currency_code"]),
        ({"amount": wire.money(1, "ÜSD")}, ["amount.currency_code"]),
        ({"amount": wire.money(1, exponent=None)}, ["amount.exponent"]),
        ({"terminal_id": "x" * 65}, ["terminal_id"]),
        ({"terminal_id": "t\n1"}, ["terminal_id"]),
    ],
)
def test_what_cannot_be_read_names_its_field(
    reader: RequestReader, changes: dict[str, Any], fields: list[str]
) -> None:
    """
    Each fault of a Redeem's own fields is refused by the path of its field.
    """
    assert faulty_fields(reader, wire.redeem_request(**changes)) == fields


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"merchant_reference": "x" * 65}, "merchant_reference"),
        ({"merchant_reference": "a\x00b"}, "merchant_reference"),
        ({"cashier_id": "x" * 33}, "cashier_id"),
        ({"cashier_id": "a\x1bb"}, "cashier_id"),
        ({"entry_mode": 99}, "entry_mode"),
        ({"local_time": "x" * 36}, "local_time"),
        ({"local_time": "12:00\x7f"}, "local_time"),
        ({"system_trace_no": "1234567"}, "system_trace_no"),
        ({"system_trace_no": "12a"}, "system_trace_no"),
        ({"terminal_batch_no": "x" * 13}, "terminal_batch_no"),
    ],
)
def test_the_till_context_is_bounded(
    reader: RequestReader, changes: dict[str, Any], field: str
) -> None:
    """
    What a till adds for its own books is checked for length and control characters.
    """
    request = wire.redeem_request(till=transaction_pb2.TillContext(**changes))

    assert faulty_fields(reader, request) == [f"till.{field}"]


def test_every_wrong_field_is_named(reader: RequestReader) -> None:
    """
    A request with many faults is refused once, with all of them in field order.
    """
    request = pb.RedeemRequest(
        request_id="?", card_number="?", amount=wire.money(1, "?", None)
    )
    request.till.entry_mode = 99  # type: ignore[assignment]

    assert faulty_fields(reader, request) == [
        "request_id",
        "card_number",
        "till.entry_mode",
        "amount.currency_code",
        "amount.exponent",
    ]


@pytest.mark.parametrize(("make", "kind"), KEYED)
def test_recorded_requests_need_their_id(
    reader: RequestReader, make: Callable[..., Any], kind: str
) -> None:
    """
    What is recorded cannot be keyed without a request id.
    """
    assert faulty_fields(reader, make(request_id="")) == ["request_id"], kind


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (wire.reverse_request(original_request_id=""), ["original_request_id"]),
        (wire.reverse_request(original_request_id="x"), ["original_request_id"]),
        (wire.reverse_request(reason=0), ["reason"]),
        (wire.reverse_request(reason=5), ["reason"]),
        (wire.reverse_request(card_number="x"), ["card_number"]),
        (wire.reverse_request(original_terminal_id="\n"), ["original_terminal_id"]),
        (wire.refund_request(original_request_id=""), ["original_request_id"]),
        (wire.refund_request(amount=None), ["amount"]),
        (wire.refund_request(amount=wire.money(1, "US")), ["amount.currency_code"]),
        (wire.void_request(original_request_id="x"), ["original_request_id"]),
        (wire.void_request(original_terminal_id="\n"), ["original_terminal_id"]),
        (wire.load_request(load_type=9), ["load_type"]),
        (wire.load_request(amount=None), ["amount"]),
        (
            wire.activate_request(initial_amount=wire.money(1, exponent=None)),
            ["initial_amount.exponent"],
        ),
        (wire.balance_request(card_number=""), ["card_number"]),
        (wire.balance_request(request_id="x"), ["request_id"]),
        (wire.transaction_request(request_id=""), ["request_id"]),
    ],
)
def test_other_requests_name_their_fields(
    reader: RequestReader, request_: Any, fields: list[str]
) -> None:
    """
    The other operations refuse by field too: unknown enum values, missing fields.
    """
    assert faulty_fields(reader, request_) == fields


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": wire.money(0)},
        {"amount": wire.money(-5_00)},
        {"amount": wire.money(2**63 - 1)},
        {"amount": wire.money(10_00, "KWD", 2)},
        {"amount": wire.money(1, "JPY", -(2**31))},
        {"amount": wire.money(1, "ZZZ")},
        {"amount": wire.money(1, "usd")},
        {"card_number": "6036280000000000008"},
        {"card_number": "1"},
        {"request_id": wire.REQUEST_ID.upper()},
    ],
)
def test_what_can_be_keyed_goes_on(
    reader: RequestReader, changes: dict[str, Any]
) -> None:
    """
    A decline is recorded, so its request is read: amounts, currencies, unknown cards.
    """
    request = wire.redeem_request(**changes)

    command = read(reader, request)

    assert command.amount == Amount(
        request.amount.minor_units,
        request.amount.currency_code,
        request.amount.exponent,
    )
    assert command.request_id == wire.uuid_bytes(wire.REQUEST_ID)


def test_no_remedy_repeats_what_was_sent(reader: RequestReader) -> None:
    """
    A card number in the wrong field does not come back in the fault's text.
    """
    number = "6036280000000000007"
    request = wire.redeem_request(
        request_id=number, amount=wire.money(1, number), terminal_id=number + "\n"
    )
    request.till.system_trace_no = number
    request.till.local_time = number * 3

    with pytest.raises(InvalidFieldsError) as caught:
        read(reader, request)

    told = str(caught.value) + repr(caught.value.problems)
    assert len(caught.value.problems) == 5
    assert number not in told


def test_uuids_are_read_in_any_case() -> None:
    """
    The same id in capitals is the same request.
    """
    assert read_uuid(wire.REQUEST_ID) == read_uuid(wire.REQUEST_ID.upper())
    assert read_uuid(wire.REQUEST_ID) == wire.uuid_bytes(wire.REQUEST_ID)


def text_fields(message: Descriptor) -> Iterator[FieldDescriptor]:
    """
    Walk all text fields of a message and of those inside it.
    """
    for field in message.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            yield field
        elif field.message_type is not None:
            yield from text_fields(field.message_type)


def test_no_text_of_a_request_is_unbounded() -> None:
    """
    Each text field that anybody may send has a rule, and refuses 1,000 characters.
    """
    services = (
        pb.DESCRIPTOR.services_by_name["CardService"],
        staff_service_pb2.DESCRIPTOR.services_by_name["StaffService"],
    )
    requests = [
        method.input_type
        for service in services
        for method in service.methods
        if method.name != "Transact"
    ]
    names = {field.name for one in requests for field in text_fields(one)}

    assert names == set(TEXT_RULES)
    assert [name for name in names if TEXT_RULES[name]("1" * 1_000) is None] == []


def test_a_pin_is_sealed_and_is_no_part_of_the_content(reader: RequestReader) -> None:
    """
    Its tags are kept, under every key; the fingerprint is the same with and without.
    """
    bare = read(reader, wire.redeem_request())
    sent = read(reader, wire.redeem_request(pin="4938"))
    other = read(reader, wire.redeem_request(pin="4939"))

    assert bare.pin is None
    assert list(sent.pin.tags) == [1]
    assert sent.pin != other.pin
    assert bare.fingerprint == sent.fingerprint == other.fingerprint
    assert bare.content == sent.content
    assert "4938" not in repr(sent)
    asked = read(reader, wire.balance_request(pin="4938"))
    assert asked.pin == sent.pin
    assert read(reader, wire.balance_request()).pin is None
    assert read(reader, wire.reverse_request()).pin is None
