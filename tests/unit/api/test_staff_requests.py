"""
Requests of staff become commands that say who asked, and their content is hashed.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import Message

from gateway.api import entrance
from gateway.api.entrance import Entrance
from gateway.api.forms import InvalidFieldsError
from gateway.api.staff_requests import StaffRequestReader
from gateway.domain.cards import BlockReason
from gateway.domain.commands import (
    NO_CONTEXT,
    Adjust,
    Amount,
    ApproveAdjustment,
    Block,
    MoneyCommand,
    Replace,
    ResetPin,
    Unblock,
)
from gateway.domain.desks import Desk
from gateway.domain.errors import (
    DeviceDeniedError,
    RoleDeniedError,
    ServiceDeniedError,
    TerminalDeniedError,
)
from gateway.domain.ids import RequestId, RequestKey, TerminalId
from gateway.domain.results import ActivityType, Channel
from gateway.domain.staff import StaffOperation, StaffRole
from gateway.vault.fingerprints import length_prefixed
from scrip.v1 import card_pb2
from scrip.v1 import staff_service_pb2 as pb
from tests.support import wire, world
from tests.support.desks import AMIRA, DESKS, OMAR, desk_policy
from tests.support.engine_world import TILL_2
from tests.support.wire import CARD_NUMBER, KnownPolicies

DESK = Desk(TerminalId(7), "amira", StaffRole.CALL_CENTRE)
OTHER = "6036280000000000015"
IDS: dict[str, Any] = {"request_id": wire.REQUEST_ID, "card_number": CARD_NUMBER}


@pytest.fixture
def reader() -> Iterator[StaffRequestReader]:
    """
    Give a reader whose keys are the same in every run.
    """
    with wire.sealer() as sealer:
        yield StaffRequestReader(sealer)


def adjust_request(**changes: Any) -> pb.AdjustRequest:
    """
    Ask for 5.00 more.
    """
    fields = {
        "type": pb.ADJUSTMENT_TYPE_INCREMENT,
        "amount": wire.money(5_00),
        "reason": "paid twice",
    }
    return pb.AdjustRequest(**(IDS | fields | changes))


def approve_request(**changes: Any) -> pb.ApproveAdjustmentRequest:
    """
    Approve another's request.
    """
    fields = {
        "request_id": wire.REQUEST_ID,
        "original_request_id": wire.ORIGINAL_ID,
        "original_terminal_id": "omar",
    }
    return pb.ApproveAdjustmentRequest(**(fields | changes))


def block_request(**changes: Any) -> pb.StaffServiceBlockRequest:
    """
    Block a lost card.
    """
    fields = {"block_reason": card_pb2.BLOCK_REASON_LOST}
    return pb.StaffServiceBlockRequest(**(IDS | fields | changes))


def replace_request(**changes: Any) -> pb.ReplaceRequest:
    """
    Put another card in a lost one's place.
    """
    return pb.ReplaceRequest(**(IDS | {"to_card_number": OTHER} | changes))


def read(
    reader: StaffRequestReader, request: Message, original: TerminalId | None = None
) -> MoneyCommand:
    """
    Check and read.
    """
    reader.check(request)
    return reader.read(request, DESK, original)


@pytest.mark.parametrize(
    ("request_message", "kind"),
    [
        (block_request(), Block),
        (pb.UnblockRequest(**IDS), Unblock),
        (replace_request(), Replace),
        (pb.ResetPinRequest(**IDS), ResetPin),
        (adjust_request(), Adjust),
        (approve_request(), ApproveAdjustment),
    ],
)
def test_a_command_says_who_asked(
    reader: StaffRequestReader, request_message: Message, kind: type
) -> None:
    """
    The desk, the person, the channel of their role; no till's words.
    """
    original = TerminalId(8) if kind is ApproveAdjustment else None

    command = read(reader, request_message, original)

    assert type(command) is kind
    assert (command.terminal_id, command.actor) == (7, "amira")
    assert (command.channel, command.till) == (Channel.IVR, NO_CONTEXT)
    assert command.request_id == wire.uuid_bytes(wire.REQUEST_ID)


def test_each_kind_has_its_own_fields(reader: StaffRequestReader) -> None:
    """
    Reason, second card, way and amount, original.
    """
    block, other = read(reader, block_request()), read(reader, replace_request())
    down = read(reader, adjust_request(type=pb.ADJUSTMENT_TYPE_DECREMENT))
    approve = read(reader, approve_request(), TerminalId(8))

    assert isinstance(block, Block)
    assert block.reason is BlockReason.LOST
    assert isinstance(other, Replace)
    assert other.other.last_four == "0015"
    assert isinstance(down, Adjust)
    assert down.activity is ActivityType.ADJUST_DECREMENT
    assert (down.amount, down.reason) == (Amount(5_00, "USD", 2), "paid twice")
    assert isinstance(approve, ApproveAdjustment)
    assert approve.card is None
    assert approve.original == RequestKey(
        TerminalId(8), RequestId(wire.uuid_bytes(wire.ORIGINAL_ID))
    )


def test_golden_lists(reader: StaffRequestReader) -> None:
    """
    Staff fill the same eleven places as tills, for ever.
    """
    original = (8).to_bytes(8) + wire.uuid_bytes(wire.ORIGINAL_ID)
    up, down = adjust_request(), adjust_request(type=pb.ADJUSTMENT_TYPE_DECREMENT)
    nothing = (None,) * 6
    contents = [
        read(reader, block_request()).content,
        read(reader, pb.UnblockRequest(**IDS)).content,
        read(reader, replace_request()).content,
        read(reader, pb.ResetPinRequest(**IDS)).content,
        read(reader, up).content,
        read(reader, down).content,
        read(reader, approve_request(), TerminalId(8)).content,
    ]

    asked = (500, "USD", None, None, None, None, "paid twice")
    assert contents == [
        length_prefixed(("BLOCK", CARD_NUMBER, None, None, None, *nothing[1:], 1)),
        length_prefixed(("UNBLOCK", CARD_NUMBER, *nothing, None, None, None)),
        length_prefixed(("REPLACE", CARD_NUMBER, OTHER, *nothing, None, None)),
        length_prefixed(("RESET_PIN", CARD_NUMBER, *nothing, None, None, None)),
        length_prefixed(("ADJUST_INCREMENT", CARD_NUMBER, None, None, *asked)),
        length_prefixed(("ADJUST_DECREMENT", CARD_NUMBER, None, None, *asked)),
        length_prefixed(("APPROVE_ADJUSTMENT", None, None, original, *nothing, None)),
    ]


@pytest.mark.parametrize(
    ("request_message", "fields"),
    [
        (block_request(block_reason=0), ["block_reason"]),
        (replace_request(to_card_number="x"), ["to_card_number"]),
        (adjust_request(amount=None, reason=""), ["amount", "reason"]),
        (adjust_request(reason="1234-5678 9012"), ["reason"]),
        (adjust_request(reason="12345678901 is no number"), []),
        (approve_request(original_terminal_id=""), ["original_terminal_id"]),
        (approve_request(original_terminal_id="s" * 63 + "/" + "t" * 63), []),
        (pb.ResetPinRequest(**(IDS | {"card_number": ""})), ["card_number"]),
        (pb.GetCardRequest(card_number="x"), ["card_number"]),
    ],
)
def test_what_is_wrong_is_named(
    reader: StaffRequestReader, request_message: Message, fields: list[str]
) -> None:
    """
    A missing field, an unknown number, a card's number among words.
    """
    if not fields:
        reader.check(request_message)
        return
    with pytest.raises(InvalidFieldsError) as caught:
        reader.check(request_message)
    assert [problem.path for problem in caught.value.problems] == fields


def test_a_question_says_who_asked(reader: StaffRequestReader) -> None:
    """
    GetCard is a GetBalance of staff; its request id may be left out.
    """
    request = pb.GetCardRequest(card_number=CARD_NUMBER)

    question = reader.get_card(request, DESK)
    named = reader.get_card(pb.GetCardRequest(**IDS), DESK)

    assert (question.request_id, question.actor) == (None, "amira")
    assert (question.channel, question.terminal_id) == (Channel.IVR, 7)
    assert named.request_id == wire.uuid_bytes(wire.REQUEST_ID)


async def test_staff_of_a_moment_ago_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Who is refused may have been added, or given a role, since: the books are asked.
    """
    monkeypatch.setattr(entrance, "REFRESH_SPACING_S", 0.01)
    policies = KnownPolicies(world.policy(), desk_policy(version=2))
    door = Entrance(policies)

    desk = await door.desk_of(AMIRA, StaffOperation.GET_CARD)
    await door.require_staff(AMIRA)

    assert desk.terminal_id == DESKS[AMIRA]
    assert policies.refreshed == 1
    for asked in (
        Entrance(KnownPolicies(world.policy(), desk_policy(version=2))),
        door,
    ):
        assert await asked.colleague_of(OMAR, "amira") == DESKS[AMIRA]
    late = Entrance(KnownPolicies(world.policy(), desk_policy(version=2)))
    await late.require_staff(AMIRA)


async def test_who_stays_out_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A till, a role too few, a stranger, no such desk: each has its own fault.
    """
    monkeypatch.setattr(entrance, "REFRESH_SPACING_S", 0.01)
    door = Entrance(KnownPolicies(desk_policy()))
    stranger = AMIRA._replace(certificate_sha256=b"\x09" * 32)
    approving = StaffOperation.APPROVE_ADJUSTMENT

    for fault, refused in (
        (ServiceDeniedError, door.desk_of(TILL_2, approving)),
        (ServiceDeniedError, door.require_staff(TILL_2)),
        (ServiceDeniedError, door.require_device(AMIRA)),
        (ServiceDeniedError, door.terminal_of(AMIRA, "")),
        (ServiceDeniedError, door.sibling_of(AMIRA, "t-1")),
        (RoleDeniedError, door.desk_of(AMIRA, approving)),
        (DeviceDeniedError, door.desk_of(stranger, approving)),
        (TerminalDeniedError, door.colleague_of(OMAR, "nobody")),
    ):
        with pytest.raises(fault):
            await refused
