"""
Staff: who may ask for what, and that it takes a certificate of kind STAFF.
"""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from gateway.domain.cards import BlockReason, CardState
from scrip.v1 import card_pb2
from tests.support.server import Gateway
from tests.support.staff import STAFF, Desks
from tests.support.tills import UNKNOWN_NUMBER, MakeCard, Tills, fault, new_id

DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def desks(tills: Tills) -> Desks:
    """
    Open staff on the shared gateway.
    """
    return Desks(tills)


async def test_staff_see_a_blocked_card(
    desks: Desks, tills: Tills, card: MakeCard
) -> None:
    """
    Behaviour 32: GetBalance of a blocked card declines to a till and answers to staff.
    """
    blocked = await card(80_00, state=CardState.BLOCKED, block_reason=BlockReason.LOST)
    till, amira = await tills("till-1"), await desks("amira")

    told = await amira.get_card(blocked, request_id=new_id())

    assert (await till.balance(blocked)).response_code == "41"
    assert told.outcome.response_code == "00"
    assert told.outcome.available_balance.minor_units == 80_00
    assert told.outcome.card.state == card_pb2.Card.STATE_BLOCKED
    assert told.block_reason == card_pb2.BLOCK_REASON_LOST
    assert told.outcome.terminal_id == "amira"


async def test_staff_see_a_card_that_was_never_active(
    desks: Desks, card: MakeCard
) -> None:
    """
    A card in any state is shown, and no reason where it is not blocked.
    """
    omar = await desks("omar")

    told = await omar.get_card(await card(None))

    assert told.outcome.response_code == "00"
    assert told.outcome.card.state == card_pb2.Card.STATE_PENDING
    assert told.block_reason == card_pb2.BLOCK_REASON_UNSPECIFIED


async def test_staff_do_not_see_cards_of_others(desks: Desks, card: MakeCard) -> None:
    """
    Check 6: unknown, or of a programme that the desk's merchant does not accept.
    """
    unseen = await card(50_00)
    omar, stranger = await desks("omar"), await desks("stranger")

    unknown = (await omar.get_card(UNKNOWN_NUMBER)).outcome
    foreign = (await stranger.get_card(unseen)).outcome

    assert (unknown.response_code, foreign.response_code) == ("14", "14")
    assert not unknown.HasField("available_balance")
    assert not foreign.HasField("card")


@pytest.mark.parametrize("name", ["till-1", "controller", "outsider"])
async def test_a_till_is_not_staff(
    desks: Desks, tills: Tills, card: MakeCard, name: str
) -> None:
    """
    A certificate of another kind is refused before anything is looked at.
    """
    posing = await desks.as_staff(await tills(name))
    seen = await card()

    looked = await fault(posing.get_card(seen))
    asked = await fault(posing.adjust(seen, 10_00))
    let = await fault(posing.approve(new_id(), "omar"))

    for refused in (looked, asked, let):
        assert (refused.code, refused.reason) == (DENIED, "SERVICE_DENIED")


async def test_staff_are_no_tills(desks: Desks, card: MakeCard) -> None:
    """
    A STAFF certificate moves no money as a till, by no method and over no stream.
    """
    till = (await desks("omar")).till
    own = await card()
    calls = [
        till.redeem(own, 1_00),
        till.load(own, 1_00),
        till.activate(own),
        till.cash_out(own),
        till.balance(own),
        till.reverse(new_id()),
        till.refund(new_id(), 1_00),
        till.void(new_id()),
        till.transaction(new_id()),
        till.transaction(new_id(), terminal_id="t-9"),
        till.redeem(own, 1_00, terminal_id="t-9"),
    ]

    for call in calls:
        refused = await fault(call)
        assert (refused.code, refused.reason) == (DENIED, "SERVICE_DENIED")

    stream = till.stream()
    assert await stream.code() is DENIED


async def test_nobody_else_speaks_for_a_desk(desks: Desks, card: MakeCard) -> None:
    """
    A controller of the desk's store speaks for its tills, and not for its people.
    """
    controller, own = desks.till("desk-controller"), await card()
    await desks("omar")
    desks.till("desk-till")

    assert (await controller.balance(own, terminal_id="t-9")).response_code == "00"
    refused = await fault(controller.balance(own, terminal_id="omar"))

    assert (refused.code, refused.reason) == (DENIED, "TERMINAL_DENIED")


async def test_the_call_centre_approves_nothing(desks: Desks, card: MakeCard) -> None:
    """
    A role that does not permit an operation is refused by name.
    """
    omar, amira = await desks("omar"), await desks("amira")
    asked = await omar.adjust(await card(), 5_00)

    refused = await fault(amira.approve(asked, "omar"))

    assert (refused.code, refused.reason) == (DENIED, "ROLE_DENIED")
    assert "APPROVE_ADJUSTMENT" in refused.details


async def test_who_is_revoked_is_refused_at_once(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    A staff member whose access was taken away gets no answer, not even a replay.
    """
    zeina, own, request_id = await desks("zeina"), await card(), new_id()
    assert (await zeina.adjust(own, 1_00, request_id=request_id)).response_code == "00"

    _set_revoked(gateway_process, "zeina", revoked=True)
    try:
        again = await fault(zeina.adjust(own, 1_00, request_id=request_id))
        new = await fault(zeina.adjust(own, 1_00))
    finally:
        _set_revoked(gateway_process, "zeina", revoked=False)

    for refused in (again, new):
        assert (refused.code, refused.reason) == (DENIED, "DEVICE_DENIED")


async def test_a_role_taken_away_is_gone_in_the_same_batch(
    desks: Desks, card: MakeCard, gateway_process: Gateway
) -> None:
    """
    The lane asks again under the policy in force: the worker need not know of it yet.
    """
    hassan, omar = await desks("hassan"), await desks("omar")
    asked = await omar.adjust(await card(), 5_00)

    _change(gateway_process, "hassan", "UPDATE device SET roles = '{1}'")
    try:
        refused = await fault(hassan.approve(asked, omar.desk))
    finally:
        _change(gateway_process, "hassan", "UPDATE device SET roles = '{1,2}'")

    assert (refused.code, refused.reason) == (DENIED, "ROLE_DENIED")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "card 6036 2800 0000 0000 007"}, "reason"),
        ({"type": 0}, "type"),
        ({"type": 9}, "type"),
        ({"request_id": "1"}, "request_id"),
        ({"exponent": -1, "currency": "US"}, "amount.currency_code"),
    ],
)
async def test_what_cannot_be_read_is_named(
    desks: Desks, card: MakeCard, fields: dict[str, Any], wrong: str
) -> None:
    """
    INVALID_ARGUMENT names the field; a card's number is refused in a reason.
    """
    omar, own = await desks("omar"), await card()

    refused = await fault(omar.adjust(own, 1_00, **fields))

    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.fields == (wrong,)
    assert "6036" not in refused.details


def _set_revoked(gateway: Gateway, name: str, *, revoked: bool) -> None:
    change = ("UPDATE device SET revoked = false", "UPDATE device SET revoked = true")
    _change(gateway, name, change[revoked])


def _change(gateway: Gateway, name: str, change: str) -> None:
    seed = STAFF[name]
    gateway.sql(
        f"{change} FROM store AS s, merchant AS m WHERE device.store_id = s.store_id "
        "AND s.merchant_id = m.merchant_id "
        f"AND (m.code, s.code, device.code) = ('{seed.merchant}', '{seed.store}', "
        f"'{seed.device}')"
    )
