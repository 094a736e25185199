"""
Whatever a till sends is read or refused by field, and never breaks the reader.
"""

import re
from collections.abc import Iterator

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.forms import InvalidFieldsError
from gateway.api.messages import UNREADABLE, tolerant
from gateway.api.reading_requests import RequestReader
from gateway.domain.commands import Redeem
from gateway.domain.ids import TerminalId
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import money_pb2, transaction_pb2
from tests.support import wire

TERMINAL = TerminalId(7)
ASKED = ["card_number", "amount", "allow_partial"]
INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
# What UTF-8 can hold, which is all that protobuf lets in.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
UUIDS = st.uuids().map(str)
DIGITS = st.text("0123456789", min_size=1, max_size=40)
CODES = st.sampled_from(["USD", "KWD", "usd", "ZZZ"])


def mostly(good: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """
    Give what is right more often than not, so that whole requests are right too.
    """
    return st.one_of(good, good, good, TEXT)


MONEY = st.builds(
    money_pb2.Money,
    minor_units=INT64,
    currency_code=mostly(CODES),
    exponent=st.one_of(st.none(), INT32, INT32),
)
TILL = st.builds(
    transaction_pb2.TillContext,
    merchant_reference=TEXT,
    cashier_id=TEXT,
    entry_mode=st.sampled_from([0, 1, 5, 99, -1]),
    local_time=TEXT,
    system_trace_no=mostly(st.text("0123456789", max_size=6)),
    terminal_batch_no=TEXT,
)
REDEEM = st.builds(
    pb.RedeemRequest,
    request_id=mostly(UUIDS),
    terminal_id=TEXT,
    card_number=mostly(DIGITS),
    till=st.one_of(st.none(), TILL),
    amount=st.one_of(MONEY, MONEY, MONEY, st.none()),
    allow_partial=st.booleans(),
)


@pytest.fixture(scope="module")
def reader() -> Iterator[RequestReader]:
    """
    Give a reader.
    """
    with wire.sealer() as sealer:
        yield RequestReader(sealer)


def read(reader: RequestReader, request: pb.RedeemRequest) -> Redeem:
    """
    Check and read a Redeem.
    """
    reader.check(request)
    command = reader.read(request, TERMINAL)
    assert isinstance(command, Redeem)
    return command


@given(request=REDEEM)
def test_a_redeem_is_read_or_refused(
    reader: RequestReader, request: pb.RedeemRequest
) -> None:
    """
    What is read has a form that can be stored; what is not names existing fields.
    """
    try:
        command = read(reader, request)
    except InvalidFieldsError as refusal:
        for problem in refusal.problems:
            field: object = request
            for name in problem.path.split("."):
                assert name in type(field).DESCRIPTOR.fields_by_name  # type: ignore[attr-defined]
                field = getattr(field, name)
        return

    told = [text for text in command.till if isinstance(text, str)]
    assert len(command.request_id) == 16
    assert command.amount.currency_code.isascii()
    assert len(command.amount.currency_code) == 3
    assert [text for text in told if re.search(r"[\x00-\x1f\x7f-\x9f]", text)] == []
    assert all(0 < len(text) <= 64 for text in told)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_unreadable(data: bytes) -> None:
    """
    The parser of a stream's items never lets an exception out.
    """
    parsed = tolerant(pb.TransactRequest.FromString)(data)

    if parsed is UNREADABLE:
        with pytest.raises(DecodeError):
            pb.TransactRequest.FromString(data)
    else:
        assert isinstance(parsed, pb.TransactRequest)


@given(first=REDEEM, second=REDEEM, taken_over=st.sets(st.sampled_from(ASKED)))
def test_two_requests_share_content_only_if_they_ask_the_same(
    reader: RequestReader,
    first: pb.RedeemRequest,
    second: pb.RedeemRequest,
    taken_over: set[str],
) -> None:
    """
    No card, amount, currency or permission can be moved between fields unseen.
    """
    if "card_number" in taken_over:
        second.card_number = first.card_number
    if "amount" in taken_over:
        second.amount.CopyFrom(first.amount)
    if "allow_partial" in taken_over:
        second.allow_partial = first.allow_partial
    try:
        contents = [read(reader, one).content for one in (first, second)]
    except InvalidFieldsError:
        return

    def asks(one: pb.RedeemRequest) -> tuple[object, ...]:
        amount = one.amount
        money = (amount.minor_units, amount.currency_code)
        return one.card_number, *money, one.allow_partial

    assert (contents[0] == contents[1]) is (asks(first) == asks(second))
