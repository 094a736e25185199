"""
What a request asks for is hashed over one list, fixed for ever (domain 1.6).

A change of any value here makes every stored request a DUPLICATE of its own retry: such
a change is a mistake, whatever it was made for.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.api.ports import Part
from gateway.api.reading_requests import RequestReader
from gateway.domain.ids import TerminalId
from gateway.vault.fingerprints import length_prefixed
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import transaction_pb2
from tests.support import wire

TERMINAL = TerminalId(7)
GOLDEN_CONTENT = (
    "530000000652454445454d5300000013363033363238303030303030303030303030374e0000"
    "00004e0000000049000000043330303053000000035553444c00000001004e000000004e0000"
    "00004e000000004e00000000"
)
GOLDEN_TAG = "4f34b52f5de7c3d8958843b06e5a2cc4bd71af6e1c378e46c600e7b5d6ae04d7"


@pytest.fixture
def reader() -> Iterator[RequestReader]:
    """
    Give a reader whose keys are the same in every run.
    """
    with wire.sealer() as sealer:
        yield RequestReader(sealer)


def tag_of_redeem(reader: RequestReader, **changes: Any) -> bytes:
    """
    Give the fingerprint of a Redeem.
    """
    return reader.read(wire.redeem_request(**changes), TERMINAL).fingerprint.tag


def tag_of_reverse(
    reader: RequestReader, original_terminal: TerminalId = TERMINAL, **changes: Any
) -> bytes:
    """
    Give the fingerprint of a Reverse.
    """
    command = reader.read(
        wire.reverse_request(**changes),
        TERMINAL,
        original_terminal_id=original_terminal,
    )
    return command.fingerprint.tag


def test_golden_lists(reader: RequestReader) -> None:
    """
    Each operation fills the eleven places with what it asks for, and None elsewhere.
    """
    original = TERMINAL.to_bytes(8) + wire.uuid_bytes(wire.ORIGINAL_ID)
    redeem = wire.redeem_request(allow_partial=True)
    load = wire.load_request(load_type=pb.LOAD_TYPE_PROMO)
    activate = wire.activate_request(initial_amount=wire.money(25_00))
    contents = [
        reader.read(redeem, TERMINAL).content,
        reader.read(load, TERMINAL).content,
        reader.read(activate, TERMINAL).content,
        reader.read(wire.activate_request(), TERMINAL).content,
        reader.read(
            wire.reverse_request(), TERMINAL, original_terminal_id=TERMINAL
        ).content,
        reader.read(wire.cash_out_request(), TERMINAL).content,
        reader.read(
            wire.refund_request(), TERMINAL, original_terminal_id=TERMINAL
        ).content,
        reader.read(
            wire.void_request(card_number=wire.CARD_NUMBER),
            TERMINAL,
            original_terminal_id=TERMINAL,
        ).content,
    ]
    card, none = wire.CARD_NUMBER, None
    expected: list[list[Part]] = [
        ["REDEEM", card, none, none, 3000, "USD", True, none, none, none, none],
        ["LOAD", card, none, none, 4000, "USD", none, none, none, 3, none],
        ["ACTIVATE", card, none, none, 2500, "USD", none, none, none, none, none],
        ["ACTIVATE", card, none, none, none, none, none, none, none, none, none],
        ["REVERSE", none, none, original, none, none, none, none, none, none, 4],
        ["CASH_OUT", card, none, none, none, none, none, none, none, none, none],
        ["REFUND", none, none, original, 400, "USD", none, none, none, none, none],
        ["VOID", card, none, original, none, none, none, none, none, none, none],
    ]

    assert contents == [length_prefixed(parts) for parts in expected]


def test_golden_bytes(reader: RequestReader) -> None:
    """
    The bytes that are hashed, and the hash under a known key, never change.
    """
    command = reader.read(wire.redeem_request(), TERMINAL)

    assert command.content.hex() == GOLDEN_CONTENT
    assert command.fingerprint.key_id == 1
    assert command.fingerprint.tag.hex() == GOLDEN_TAG


def test_what_is_asked_is_in_it(reader: RequestReader) -> None:
    """
    Another card, amount, currency or permission is another request.
    """
    tags = {
        tag_of_redeem(reader),
        tag_of_redeem(reader, card_number="6036280000000000015"),
        tag_of_redeem(reader, amount=wire.money(30_01)),
        tag_of_redeem(reader, amount=wire.money(30_00, "EUR")),
        tag_of_redeem(reader, allow_partial=True),
        reader.read(
            wire.load_request(amount=wire.money(30_00)), TERMINAL
        ).fingerprint.tag,
        tag_of_reverse(reader),
        tag_of_reverse(reader, reason=pb.REVERSAL_REASON_RESPONSE_TOO_LATE),
        tag_of_reverse(reader, original_request_id=wire.REQUEST_ID),
        tag_of_reverse(reader, TerminalId(8)),
        tag_of_reverse(reader, card_number=wire.CARD_NUMBER),
    }

    assert len(tags) == 11


def test_what_is_said_besides_is_not(reader: RequestReader) -> None:
    """
    Exponent, till context, terminal spelling and the id's case change nothing.
    """
    plain = tag_of_redeem(reader)
    context = transaction_pb2.TillContext(
        merchant_reference="x",
        cashier_id="y",
        entry_mode=transaction_pb2.ENTRY_MODE_KEYED,
        local_time="z",
        system_trace_no="1",
        terminal_batch_no="2",
    )

    assert plain == tag_of_redeem(reader, amount=wire.money(30_00, exponent=3))
    assert plain == tag_of_redeem(reader, till=context)
    assert plain == tag_of_redeem(reader, terminal_id="t-1")
    assert plain == tag_of_redeem(reader, request_id=wire.REQUEST_ID.upper())


def test_a_stream_says_the_same(reader: RequestReader) -> None:
    """
    A request inside TransactRequest, sent and parsed, has the unary call's fingerprint.
    """
    item = pb.TransactRequest(sequence=9, redeem=wire.redeem_request())
    parsed = pb.TransactRequest.FromString(item.SerializeToString())

    assert reader.read(parsed.redeem, TERMINAL).fingerprint.tag == tag_of_redeem(reader)


def test_an_unspecified_load_type_is_a_sale(reader: RequestReader) -> None:
    """
    A till that leaves the load type out and one that says SALE ask the same.
    """
    implicit = reader.read(wire.load_request(), TERMINAL)
    explicit = reader.read(wire.load_request(load_type=pb.LOAD_TYPE_SALE), TERMINAL)

    assert implicit.fingerprint == explicit.fingerprint
