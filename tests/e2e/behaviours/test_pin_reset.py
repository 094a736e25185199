"""
ResetPin: staff let a locked PIN be tried again, with certificates of kind STAFF.
"""

from __future__ import annotations

import asyncio

import grpc
import pytest

from gateway.domain.cards import BlockReason
from gateway.domain.results import ActivityType, Channel, Result
from gateway.domain.staff import StaffOperation, StaffRole
from scrip.v1 import card_pb2, result_pb2, transaction_pb2
from tests.support.server import Card, Gateway
from tests.support.staff import Desks
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Till, Tills, fault, new_id

RIGHT, WRONG = "493827", "000000"
INCORRECT, LOCKED = (
    result_pb2.RESULT_INCORRECT_PIN,
    result_pb2.RESULT_PIN_TRIES_EXCEEDED,
)
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def desks(tills: Tills) -> Desks:
    """
    Open staff on the shared gateway.
    """
    return Desks(tills)


async def lock(till: Till, card: Card) -> None:
    """
    Try a card's PIN wrong as often as its product allows.
    """
    for _ in range(3):
        assert (await till.redeem(card, 1_00, pin=WRONG)).result == INCORRECT
    assert (await till.redeem(card, 1_00, pin=RIGHT)).result == LOCKED


def tries_of(gateway: Gateway, card: Card) -> list[tuple[int, int]]:
    """
    Read how often a card's PIN was wrong: in a row by tills, and ever.
    """
    return gateway.sql(
        "SELECT tries, wrong_total FROM card_pin_try WHERE card_id = %s", card.card_id
    )


def audited(gateway: Gateway, card: Card) -> list[tuple[object, ...]]:
    """
    Read the rows of the audit that are about a card.
    """
    return gateway.sql(
        "SELECT staff, role, operation, channel, result, transaction_id::text, replayed"
        " FROM audit WHERE card_id = %s ORDER BY audit_id",
        card.card_id,
    )


@pytest.mark.parametrize(
    ("name", "role", "channel"),
    [
        ("amira", StaffRole.CALL_CENTRE, Channel.IVR),
        ("omar", StaffRole.OPERATOR, Channel.ADMIN),
    ],
)
async def test_a_locked_pin_works_again(
    desks: Desks,
    till: Till,
    card: MakeCard,
    gateway_process: Gateway,
    name: str,
    role: StaffRole,
    channel: Channel,
) -> None:
    """
    Three wrong ones lock it; whoever is of the staff resets it; the right one pays.
    """
    colleague, own = await desks(name), await card(product="pin", pin=RIGHT)
    await lock(till, own)

    told = await colleague.reset_pin(own)
    paid = await till.redeem(own, 1_00, pin=RIGHT)

    assert (told.response_code, told.terminal_id) == ("00", name)
    assert told.activity_type == transaction_pb2.ACTIVITY_TYPE_PIN_RESET
    assert told.receipt_text.startswith("The PIN can be tried again.")
    assert told.available_balance.minor_units == 100_00
    assert paid.response_code == "00"
    assert tries_of(gateway_process, own) == [(0, 3)]
    assert audited(gateway_process, own) == [
        (
            name,
            role,
            StaffOperation.RESET_PIN,
            channel,
            Result.APPROVED,
            told.transaction_id,
            False,
        )
    ]
    ((activity, actor),) = gateway_process.sql(
        "SELECT activity, actor FROM transaction WHERE transaction_id = %s::uuid",
        told.transaction_id,
    )
    assert (activity, actor) == (ActivityType.PIN_RESET, name)


async def test_a_repeated_reset_forgives_once(
    desks: Desks, till: Till, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    The same id gives the same answer: what was tried wrong since stays counted.
    """
    amira, own = await desks("amira"), await card(product="pin", pin=RIGHT)
    request_id = new_id()
    await lock(till, own)

    first = await amira.reset_pin(own, request_id=request_id)
    await lock(till, own)
    again = await amira.reset_pin(own, request_id=request_id)

    assert (first.replayed, again.replayed) == (False, True)
    assert again.transaction_id == first.transaction_id
    assert (await till.redeem(own, 1_00, pin=RIGHT)).result == LOCKED
    assert tries_of(gateway_process, own) == [(3, 6)]
    assert [row[-2:] for row in audited(gateway_process, own)] == [
        (first.transaction_id, False),
        (first.transaction_id, True),
    ]
    other = await amira.reset_pin(await card(), request_id=request_id)
    assert other.response_code == "94"


async def test_a_reset_is_not_undone(
    desks: Desks, till: Till, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Two at once are two resets; a till at the desk's store cannot even name them.
    """
    omar, own = await desks("omar"), await card(product="pin", pin=RIGHT)
    beside = desks.till("desk-till")
    await lock(till, own)

    resets = await asyncio.gather(*(omar.reset_pin(own) for _ in range(2)))
    back = await fault(beside.reverse(resets[0], original_terminal_id="omar"))
    void = await fault(beside.void(resets[1], original_terminal_id="omar"))

    assert [one.response_code for one in resets] == ["00", "00"]
    assert [one.reason for one in (back, void)] == ["TERMINAL_DENIED"] * 2
    assert tries_of(gateway_process, own) == [(0, 3)]


@pytest.mark.parametrize("name", ["till-1", "controller", "outsider"])
async def test_a_till_resets_nothing(
    desks: Desks, tills: Tills, card: MakeCard, gateway_process: Gateway, name: str
) -> None:
    """
    A certificate of another kind is refused: the PIN stays locked, nothing is audited.
    """
    till, own = await tills("till-1"), await card(product="pin", pin=RIGHT)
    await lock(till, own)

    refused = await fault((await desks.as_staff(await tills(name))).reset_pin(own))

    assert (refused.code, refused.reason) == (DENIED, "SERVICE_DENIED")
    assert (await till.redeem(own, 1_00, pin=RIGHT)).result == LOCKED
    assert tries_of(gateway_process, own) == [(3, 3)]
    assert audited(gateway_process, own) == []


async def test_there_is_nothing_to_reset(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    57 without a PIN, 14 for a card that is not theirs; both are audited.
    """
    amira, stranger = await desks("amira"), await desks("stranger")
    plain, own = await card(), await card(product="pin", pin=RIGHT)

    told = [
        await amira.reset_pin(plain),
        await amira.reset_pin(UNKNOWN_NUMBER),
        await stranger.reset_pin(own),
    ]

    assert [one.response_code for one in told] == ["57", "14", "14"]
    assert [row[4] for row in audited(gateway_process, plain)] == [Result.NOT_PERMITTED]
    assert not told[2].HasField("available_balance")


async def test_a_blocked_card_is_reset_and_stays_blocked(
    desks: Desks, till: Till, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    Whoever unblocks it later finds a PIN that works.
    """
    amira = await desks("amira")
    own = await card(product="pin", pin=RIGHT)
    await amira.block(own, BlockReason.LOST)

    told = await amira.reset_pin(own)

    assert told.response_code == "00"
    assert told.card.state == card_pb2.Card.STATE_BLOCKED
    assert (await till.redeem(own, 1_00, pin=RIGHT)).response_code == "41"
    assert tries_of(gateway_process, own) == []
