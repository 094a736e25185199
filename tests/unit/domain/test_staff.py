"""
Who of the staff may do what, from which desk, and what is kept of it.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.auditing import (
    AuditEntry,
    acting_of,
    audit_of,
    audit_of_explaining,
)
from gateway.domain.balance import read_card
from gateway.domain.cards import BlockReason, Card, CardState
from gateway.domain.commands import (
    NO_CONTEXT,
    Block,
    CardRef,
    Fingerprint,
    GetBalance,
    Replace,
    Unblock,
)
from gateway.domain.decide import decide
from gateway.domain.desks import Desk, colleague_of, desk_of, may_see
from gateway.domain.errors import (
    DeviceDeniedError,
    InvariantError,
    RoleDeniedError,
    ServiceDeniedError,
    TerminalDeniedError,
)
from gateway.domain.ids import MerchantId, RequestId
from gateway.domain.policy import Caller, Policy
from gateway.domain.results import Channel, Result
from gateway.domain.staff import (
    CHANNELS,
    PERMITTED,
    ROLES,
    Acting,
    StaffOperation,
    StaffRole,
    acting_role,
)
from tests.support import world
from tests.support.desks import (
    AMIRA,
    DESKS,
    OMAR,
    ZEINA,
    adjust,
    approve,
    desk_policy,
    reset_pin,
    seen_from,
)
from tests.support.engine_world import CONTROLLER, T2, TILL_2
from tests.support.world import amount, card, redeem

CALLS, OPERATES = StaffRole.CALL_CENTRE, StaffRole.OPERATOR
AUTHORITY = StaffOperation.APPROVE_ADJUSTMENT


@pytest.fixture
def rules() -> Policy:
    """
    Give the rules with three desks.
    """
    return desk_policy()


def question(**changes: Any) -> GetBalance:
    """
    Ask for the one card as amira.
    """
    values: dict[str, Any] = {
        "request_id": RequestId(b"\x01" * 16),
        "terminal_id": DESKS[AMIRA],
        "card": CardRef(world.NUMBER_INDEX, "1234"),
        "till": NO_CONTEXT,
        "channel": Channel.IVR,
        "actor": "amira",
    }
    return GetBalance(**(values | changes))


def test_the_table_names_every_operation() -> None:
    """
    Nothing is permitted by being forgotten, and each role has a channel of its own.
    """
    assert PERMITTED.keys() == set(StaffOperation)
    assert all(PERMITTED.values())
    assert PERMITTED[AUTHORITY] == {OPERATES}
    assert CHANNELS.keys() == set(StaffRole)
    assert {ROLES[channel]: channel for channel in ROLES} == CHANNELS


@pytest.mark.parametrize(
    ("roles", "operation", "role"),
    [
        ({CALLS}, StaffOperation.UNBLOCK, CALLS),
        ({OPERATES}, StaffOperation.UNBLOCK, OPERATES),
        ({CALLS, OPERATES}, StaffOperation.UNBLOCK, CALLS),
        ({CALLS}, StaffOperation.RESET_PIN, CALLS),
        ({OPERATES}, StaffOperation.RESET_PIN, OPERATES),
        ({CALLS, OPERATES}, AUTHORITY, OPERATES),
        ({CALLS}, AUTHORITY, None),
        (set(), StaffOperation.GET_CARD, None),
    ],
)
def test_the_lesser_role_acts(
    roles: set[StaffRole], operation: StaffOperation, role: StaffRole | None
) -> None:
    """
    Of two that permit it the one with less trust.
    """
    assert acting_role(frozenset(roles), operation) is role


def test_a_desk_is_found(rules: Policy) -> None:
    """
    A staff member's terminal, code and role; the channel follows from the role.
    """
    desk = desk_of(rules, ZEINA, AUTHORITY)

    assert desk == Desk(DESKS[ZEINA], "zeina", OPERATES)
    assert desk.channel is Channel.ADMIN
    assert desk_of(rules, ZEINA, StaffOperation.ADJUST).channel is Channel.IVR


def test_who_has_no_desk_is_refused(rules: Policy) -> None:
    """
    Another kind, no role, no terminal: each has its own fault.
    """
    with pytest.raises(ServiceDeniedError, match="kind STAFF"):
        desk_of(rules, CONTROLLER, StaffOperation.GET_CARD)
    with pytest.raises(RoleDeniedError, match="APPROVE_ADJUSTMENT"):
        desk_of(rules, AMIRA, AUTHORITY)
    homeless = replace(rules.devices[OMAR.device], terminal_id=None)
    rules = replace(rules, devices=rules.devices | {OMAR.device: homeless})
    with pytest.raises(DeviceDeniedError, match="no desk"):
        desk_of(rules, OMAR, AUTHORITY)


def test_colleagues_are_of_the_same_merchant(rules: Policy) -> None:
    """
    Named by terminal in the own store, by store and terminal elsewhere.
    """
    assert colleague_of(rules, OMAR, "amira") == DESKS[AMIRA]
    assert colleague_of(rules, OMAR, "s-1/amira") == DESKS[AMIRA]
    assert colleague_of(rules, OMAR, "s-2/zeina") == DESKS[ZEINA]
    for name in ("zeina", "s-2/amira", "s-1/t-2", "t-1", ""):
        with pytest.raises(TerminalDeniedError):
            colleague_of(rules, OMAR, name)
    with pytest.raises(ServiceDeniedError):
        colleague_of(rules, TILL_2, "amira")

    places = {
        key: replace(one, merchant=replace(one.merchant, code="m-9"))
        if key == DESKS[ZEINA]
        else one
        for key, one in rules.places.items()
    }
    with pytest.raises(TerminalDeniedError):
        colleague_of(replace(rules, places=places), OMAR, "s-2/zeina")


def test_tills_and_staff_are_kept_apart(rules: Policy) -> None:
    """
    Neither does the other's work, at the entrance and in the lane alike.
    """
    acting = Acting(StaffOperation.ADJUST, CALLS, "amira")

    assert rules.till_of(TILL_2).terminal_id == T2
    assert rules.staff_of(AMIRA).terminal_id == DESKS[AMIRA]
    assert rules.check_caller(TILL_2, T2).terminal.terminal_id == T2
    assert rules.check_caller(AMIRA, DESKS[AMIRA], acting).terminal.code == "amira"
    for refused in (
        lambda: rules.terminal_of(AMIRA, ""),
        lambda: rules.sibling_of(AMIRA, "t-1"),
        lambda: rules.check_caller(AMIRA, DESKS[AMIRA]),
        lambda: rules.check_caller(TILL_2, T2, acting),
        lambda: rules.staff_of(CONTROLLER),
    ):
        with pytest.raises(ServiceDeniedError):
            refused()


def test_no_till_speaks_for_a_desk(rules: Policy) -> None:
    """
    Not a controller of its store, not a device given its terminal, nor as an original.
    """
    taken = replace(rules.devices[TILL_2.device], terminal_id=DESKS[OMAR])
    posing = replace(rules, devices=rules.devices | {TILL_2.device: taken})

    for refused in (
        lambda: rules.terminal_of(CONTROLLER, "omar"),
        lambda: rules.check_caller(CONTROLLER, DESKS[OMAR]),
        lambda: rules.sibling_of(CONTROLLER, "omar"),
        lambda: posing.sibling_of(TILL_2, "amira"),
        lambda: posing.terminal_of(TILL_2, ""),
        lambda: posing.check_caller(TILL_2, DESKS[OMAR]),
    ):
        with pytest.raises(TerminalDeniedError, match="desk of a staff member"):
            refused()
    assert rules.sibling_of(CONTROLLER, "t-1") == world.TERMINAL


@pytest.mark.parametrize(
    ("caller", "acting", "fault"),
    [
        (OMAR, Acting(AUTHORITY, OPERATES, "omar"), None),
        (OMAR, Acting(AUTHORITY, CALLS, "omar"), RoleDeniedError),
        (OMAR, Acting(StaffOperation.ADJUST, CALLS, "omar"), RoleDeniedError),
        (AMIRA, Acting(AUTHORITY, CALLS, "amira"), RoleDeniedError),
        (OMAR, Acting(AUTHORITY, OPERATES, "zeina"), DeviceDeniedError),
    ],
)
def test_the_role_is_asked_again(
    rules: Policy, caller: Caller, acting: Acting, fault: type[Exception] | None
) -> None:
    """
    Who acts in a role has to have it still, and to be who the request says.
    """
    if fault is None:
        place = rules.check_caller(caller, DESKS[caller], acting)
        assert place.terminal.terminal_id == DESKS[caller]
        return
    with pytest.raises(fault):
        rules.check_caller(caller, DESKS[caller], acting)


def test_a_desk_is_nobody_elses(rules: Policy) -> None:
    """
    A staff member speaks for their own terminal only.
    """
    with pytest.raises(TerminalDeniedError, match="does not speak"):
        rules.check_caller(OMAR, DESKS[AMIRA], Acting(AUTHORITY, OPERATES, "omar"))


def _bare(kind: type[Any], **changes: Any) -> Any:
    values = {
        "request_id": RequestId(b"\x02" * 16),
        "terminal_id": DESKS[AMIRA],
        "card": CardRef(world.NUMBER_INDEX, "1234"),
        "till": NO_CONTEXT,
        "fingerprint": Fingerprint(1, b"\x02" * 32),
        "content": b"",
        "channel": Channel.IVR,
        "actor": "amira",
    }
    return kind(**(values | changes))


def test_what_staff_ask_for_is_known() -> None:
    """
    Each command of the staff has its operation; a till's has none.
    """
    other = CardRef(b"\x08" * 32, "5678")
    commands = {
        StaffOperation.GET_CARD: question(),
        StaffOperation.BLOCK: _bare(Block, reason=BlockReason.LOST),
        StaffOperation.UNBLOCK: _bare(Unblock),
        StaffOperation.REPLACE: _bare(Replace, other=other),
        StaffOperation.RESET_PIN: reset_pin(),
        StaffOperation.ADJUST: adjust(amount(1)),
    }

    for operation, command in commands.items():
        assert acting_of(command) == Acting(operation, CALLS, "amira")
    assert acting_of(approve()) == Acting(AUTHORITY, OPERATES, "omar")
    assert acting_of(redeem(amount(1))) is None
    for channel in (Channel.API, Channel.PORTAL):
        by_till = _bare(Block, reason=BlockReason.LOST, channel=channel, actor=None)
        assert acting_of(by_till) is None
        assert acting_of(replace(question(), channel=channel, actor=None)) is None


@pytest.mark.parametrize(
    "command",
    [
        _bare(Unblock, channel=Channel.API),
        _bare(Unblock, channel=Channel.PORTAL),
        _bare(Unblock, actor=None),
        replace(reset_pin(), channel=Channel.API),
        replace(redeem(amount(1)), channel=Channel.ADMIN, actor="omar"),
        replace(adjust(amount(1)), channel=Channel.API, actor=None),
    ],
)
def test_nobody_slips_by(command: Any) -> None:
    """
    What only staff can ask is never a till's, and staff move no money as tills do.
    """
    with pytest.raises(InvariantError, match="nobody's of the staff"):
        acting_of(command)


def test_a_call_is_kept() -> None:
    """
    Who did what to which card, and what was answered; nothing of a till's.
    """
    decision = decide(adjust(amount(1_00)), seen_from(card()), None)
    record, later = decision.record, world.NOW + timedelta(seconds=1)

    entry = audit_of(adjust(amount(1_00)), record, at=later, replayed=True)

    assert entry == AuditEntry(
        host_time=later,
        terminal_id=DESKS[AMIRA],
        staff="amira",
        role=CALLS,
        operation=StaffOperation.ADJUST,
        channel=Channel.IVR,
        request_id=adjust(amount(1_00)).request_id,
        card_id=card().card_id,
        transaction_id=record.transaction_id,
        result=Result.APPROVED,
        replayed=True,
    )
    sale = redeem(amount(1_00))
    assert audit_of(sale, record, at=later, replayed=False) is None


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (card(), None),
        (card(0, state=CardState.PENDING), None),
        (card(state=CardState.BLOCKED, block_reason=BlockReason.FRAUD), 3),
        (card(0, state=CardState.REPLACED), None),
    ],
)
def test_staff_see_any_card(seen: Card, reason: int | None) -> None:
    """
    Balance and state, whatever that is, and why it is blocked.
    """
    record = read_card(question(), seen_from(seen))

    assert (record.result, record.balances_shown) == (Result.APPROVED, True)
    assert (record.card_state, record.reason) == (seen.state, reason)
    assert record.balance_after_minor == seen.balance_minor


def test_staff_do_not_see_what_is_not_theirs() -> None:
    """
    Unknown, or not accepted at the desk's merchant: 14 and nothing of the card.
    """
    closed = replace(desk_policy(), accepted=frozenset())

    for seen in (seen_from(None), seen_from(card(), rules=closed)):
        record = read_card(question(), seen)
        assert (record.result, record.card_id) == (Result.INVALID_CARD, None)


def test_whose_transactions_staff_may_see() -> None:
    """
    Those of programmes that the desk's merchant accepts, with a card or without.
    """
    rules = desk_policy()
    desk = desk_of(rules, AMIRA, StaffOperation.EXPLAIN)
    own = rules.places[desk.terminal_id].merchant.merchant_id
    record = decide(redeem(amount(1_00)), world.view(card()), None).record
    unknown = record._replace(program_id=None)
    other = MerchantId(99)
    nobody = replace(rules, accepted=frozenset({(world.PROGRAM, other)}))
    neighbour = replace(
        rules, accepted=frozenset({(world.PROGRAM, own), (world.PROGRAM, other)})
    )

    assert may_see(rules, desk, record)
    assert not may_see(nobody, desk, record)
    assert may_see(nobody, desk, unknown._replace(merchant_id=own))
    assert not may_see(nobody, desk, unknown._replace(merchant_id=other))
    assert may_see(neighbour, desk, unknown._replace(merchant_id=other))


def test_a_look_at_a_transaction_is_audited() -> None:
    """
    With what was looked at, or that there was nothing to see.
    """
    desk = desk_of(desk_policy(), OMAR, StaffOperation.EXPLAIN)
    record = decide(redeem(amount(1_00)), world.view(card()), None).record

    seen = audit_of_explaining(desk, record, at=world.NOW)
    nothing = audit_of_explaining(desk, None, at=world.NOW)

    assert (seen.operation, seen.staff) == (StaffOperation.EXPLAIN, "omar")
    assert (seen.transaction_id, seen.card_id) == (
        record.transaction_id,
        record.card_id,
    )
    assert (nothing.transaction_id, nothing.card_id) == (None, None)
    assert (seen.result, nothing.result) == (
        Result.APPROVED,
        Result.ORIGINAL_NOT_FOUND,
    )
