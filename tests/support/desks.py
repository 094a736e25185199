"""
Desks in a small world: amira of the call centre, the operators omar and zeina.

Amira and omar sit in store s-1 of the one merchant, zeina in its store s-2; the till of
`engine_world` is beside them.
"""

from dataclasses import replace
from typing import Any

from gateway.domain.commands import (
    NO_CONTEXT,
    Adjust,
    Amount,
    ApproveAdjustment,
    Fingerprint,
    ResetPin,
)
from gateway.domain.decision import View
from gateway.domain.ids import StoreId, TerminalId, TransactionId
from gateway.domain.originals import Original
from gateway.domain.policy import Caller, Device, DeviceKind, DeviceName, Place, Policy
from gateway.domain.record import TransactionRecord
from gateway.domain.results import ActivityType
from gateway.domain.staff import CHANNELS, StaffRole
from tests.support import world
from tests.support.engine_world import CERTIFICATE, lane_policy

AMIRA = Caller(DeviceName("m-1", "s-1", "amira"), CERTIFICATE)
OMAR = Caller(DeviceName("m-1", "s-1", "omar"), CERTIFICATE)
ZEINA = Caller(DeviceName("m-1", "s-2", "zeina"), CERTIFICATE)
DESKS = {AMIRA: TerminalId(11), OMAR: TerminalId(12), ZEINA: TerminalId(13)}
ROLES = {
    AMIRA: {StaffRole.CALL_CENTRE},
    OMAR: {StaffRole.OPERATOR},
    ZEINA: {StaffRole.CALL_CENTRE, StaffRole.OPERATOR},
}
UP, DOWN = ActivityType.ADJUST_INCREMENT, ActivityType.ADJUST_DECREMENT


def desk_policy(**changes: Any) -> Policy:
    """
    Give the rules of `engine_world` with the three desks in them.
    """
    known = lane_policy()
    here = known.places[world.TERMINAL]
    places: dict[TerminalId, Place] = {}
    devices: dict[DeviceName, Device] = {}
    for caller, terminal_id in DESKS.items():
        name = caller.device
        store_id = StoreId(int(name.store.removeprefix("s-")))
        places[terminal_id] = replace(
            here,
            terminal=replace(
                here.terminal,
                terminal_id=terminal_id,
                store_id=store_id,
                code=name.device,
            ),
            store=replace(here.store, store_id=store_id, code=name.store),
        )
        devices[name] = Device(
            name=name,
            store_id=store_id,
            kind=DeviceKind.STAFF,
            terminal_id=terminal_id,
            revoked=False,
            certificates=frozenset({CERTIFICATE}),
            roles=frozenset(ROLES[caller]),
        )
    rules = replace(
        known,
        devices=known.devices | devices,
        places=known.places | places,
        terminal_ids=known.terminal_ids
        | {(one.store.store_id, one.terminal.code): key for key, one in places.items()},
        desks=frozenset(places),
    )
    return replace(rules, **changes)


def _asked_by(caller: Caller, number: int) -> dict[str, Any]:
    role = max(ROLES[caller])
    return {
        "request_id": number.to_bytes(16),
        "terminal_id": DESKS[caller],
        "till": NO_CONTEXT,
        "fingerprint": Fingerprint(1, number.to_bytes(32)),
        "content": b"",
        "channel": CHANNELS[role],
        "actor": caller.device.device,
    }


def adjust(
    asked: Amount, *, up: bool = True, by: Caller = AMIRA, number: int = 1
) -> Adjust:
    """
    Ask for an adjustment of the one card.
    """
    return Adjust(
        **_asked_by(by, number),
        card=world.redeem(asked).card,
        activity=UP if up else DOWN,
        amount=asked,
        reason="paid twice",
    )


def approve(
    original: int = 1,
    *,
    of: Caller = AMIRA,
    by: Caller = OMAR,
    number: int = 2,
    with_card: bool = False,
) -> ApproveAdjustment:
    """
    Let somebody's request for an adjustment happen.
    """
    return ApproveAdjustment(
        **_asked_by(by, number),
        card=world.redeem(world.amount(1)).card if with_card else None,
        original=world.key(original)._replace(terminal_id=DESKS[of]),
    )


def reset_pin(*, by: Caller = AMIRA, number: int = 400) -> ResetPin:
    """
    Ask that the one card's PIN may be tried again.
    """
    return ResetPin(**_asked_by(by, number), card=world.redeem(world.amount(1)).card)


def seen_from(seen: Any, by: Caller = AMIRA, **changes: Any) -> View:
    """
    Give a decision its view from a desk.
    """
    rules = changes.pop("rules", None) or desk_policy()
    seen_by = world.view(seen, rules=rules, **changes)
    return seen_by._replace(place=rules.places[DESKS[by]])


def named(record: TransactionRecord, **changes: Any) -> Original:
    """
    Give what an approval names.
    """
    return Original(record, reversed=False, later_activity=False, **changes)


def id_of(record: TransactionRecord) -> TransactionId:
    """
    Give the id of what is recorded.
    """
    assert record.transaction_id is not None
    return record.transaction_id
