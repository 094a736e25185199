"""
Who may speak for which terminal, and which day a moment counts for (domain 1.6).
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.errors import DeviceDeniedError, TerminalDeniedError
from gateway.domain.ids import StoreId, TerminalId
from gateway.domain.policy import (
    Caller,
    Device,
    DeviceKind,
    DeviceName,
    Place,
    Policy,
    Store,
)
from tests.support import world

CERTIFICATE = b"\x01" * 32
TILL = DeviceName("m-1", "s-1", "till-1")
CONTROLLER = DeviceName("m-1", "s-1", "controller")
REVOKED = DeviceName("m-1", "s-1", "stolen")
T2 = TerminalId(2)
ELSEWHERE = TerminalId(3)


def device(name: DeviceName, **changes: Any) -> Device:
    """
    Make a controller of the first store, unless told otherwise.
    """
    values: dict[str, Any] = {
        "name": name,
        "store_id": world.STORE,
        "kind": DeviceKind.CONTROLLER,
        "terminal_id": None,
        "revoked": False,
        "certificates": frozenset({CERTIFICATE}),
    }
    return Device(**(values | changes))


def beside(terminal_id: TerminalId, store_id: StoreId) -> Place:
    """
    Make another place: a terminal of a store.
    """
    here = world.place()
    return Place(
        terminal=replace(
            here.terminal,
            terminal_id=terminal_id,
            store_id=store_id,
            code=f"t-{terminal_id}",
        ),
        store=replace(here.store, store_id=store_id),
        merchant=here.merchant,
    )


@pytest.fixture
def rules() -> Policy:
    """
    Give two terminals in one store, one in another, and three devices.
    """
    known = world.policy()
    return replace(
        known,
        devices={
            TILL: device(TILL, kind=DeviceKind.TERMINAL, terminal_id=world.TERMINAL),
            CONTROLLER: device(CONTROLLER),
            REVOKED: device(REVOKED, revoked=True),
        },
        places=known.places
        | {T2: beside(T2, world.STORE), ELSEWHERE: beside(ELSEWHERE, StoreId(2))},
        terminal_ids=known.terminal_ids
        | {(world.STORE, "t-2"): T2, (StoreId(2), "t-3"): ELSEWHERE},
    )


def caller(name: DeviceName, certificate: bytes = CERTIFICATE) -> Caller:
    """
    Call with a certificate.
    """
    return Caller(name, certificate)


@pytest.mark.parametrize(
    "denied",
    [
        caller(DeviceName("m-1", "s-1", "nobody")),
        caller(DeviceName("m-2", "s-1", "controller")),
        caller(REVOKED),
        caller(CONTROLLER, b"\x02" * 32),
    ],
)
def test_who_is_no_device_of_ours_is_denied(rules: Policy, denied: Caller) -> None:
    """
    Unknown, revoked, or with a certificate that was taken back: in every question.
    """
    for ask in (
        lambda: rules.device_of(denied),
        lambda: rules.terminal_of(denied, "t-1"),
        lambda: rules.sibling_of(denied, "t-1"),
        lambda: rules.check_caller(denied, world.TERMINAL),
    ):
        with pytest.raises(DeviceDeniedError):
            ask()


def test_a_device_is_found_by_its_certificate(rules: Policy) -> None:
    """
    A replaced certificate is one more of the same device.
    """
    both = replace(
        rules,
        devices={TILL: device(TILL, certificates=frozenset({CERTIFICATE, b"new"}))},
    )

    assert both.device_of(caller(TILL)) is both.device_of(caller(TILL, b"new"))


@pytest.mark.parametrize("code", ["", "t-1"])
def test_a_terminal_speaks_for_itself(rules: Policy, code: str) -> None:
    """
    It may leave its own name out; any other is denied.
    """
    assert rules.terminal_of(caller(TILL), code) == world.TERMINAL
    with pytest.raises(TerminalDeniedError):
        rules.terminal_of(caller(TILL), "t-2")


def test_a_controller_names_a_terminal_of_its_store(rules: Policy) -> None:
    """
    Without a name, or with one of another store, it is denied.
    """
    assert rules.terminal_of(caller(CONTROLLER), "t-2") == T2
    for code in ("", "t-3", "t-9"):
        with pytest.raises(TerminalDeniedError):
            rules.terminal_of(caller(CONTROLLER), code)


@pytest.mark.parametrize("name", [TILL, CONTROLLER])
def test_an_original_may_be_of_any_terminal_of_the_store(
    rules: Policy, name: DeviceName
) -> None:
    """
    A reversal may name another till of the same store, and of no other.
    """
    assert rules.sibling_of(caller(name), "t-2") == T2
    with pytest.raises(TerminalDeniedError):
        rules.sibling_of(caller(name), "t-3")


def test_the_locked_read_checks_the_caller_again(rules: Policy) -> None:
    """
    Who may speak gets the place; who no longer may, or never could, is denied.
    """
    assert (
        rules.check_caller(caller(TILL), world.TERMINAL) is rules.places[world.TERMINAL]
    )
    assert rules.check_caller(caller(CONTROLLER), T2).terminal.code == "t-2"
    for name, terminal in [
        (TILL, T2),
        (CONTROLLER, ELSEWHERE),
        (CONTROLLER, TerminalId(99)),
    ]:
        with pytest.raises(TerminalDeniedError):
            rules.check_caller(caller(name), terminal)


def store(cut_off: time, zone: str = "Asia/Beirut") -> Store:
    """
    Give a store whose business day begins at `cut_off`.
    """
    return world.place(cut_off=cut_off, time_zone=zone).store


@pytest.mark.parametrize(
    ("at", "cut_off", "day"),
    [
        (datetime(2026, 1, 10, 21, 59, 59, tzinfo=UTC), time(0), date(2026, 1, 10)),
        (datetime(2026, 1, 10, 22, 0, tzinfo=UTC), time(0), date(2026, 1, 11)),
        (datetime(2026, 1, 11, 1, 59, 59, tzinfo=UTC), time(4), date(2026, 1, 10)),
        (datetime(2026, 1, 11, 2, 0, tzinfo=UTC), time(4), date(2026, 1, 11)),
    ],
)
def test_a_business_day_begins_at_the_cut_off(
    at: datetime, cut_off: time, day: date
) -> None:
    """
    In the store's own zone, which is two hours ahead in winter.
    """
    assert store(cut_off).business_date(at) == day


def test_business_days_of_23_and_25_hours() -> None:
    """
    Where clocks change a day is shorter or longer, and still one day.
    """
    berlin = store(time(4), "Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    for day, hours in [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25)]:
        begins = datetime.combine(day, time(4), zone).astimezone(UTC)
        counted = [
            berlin.business_date(begins + timedelta(hours=passed))
            for passed in range(-1, 26)
        ]

        assert counted.count(day) == hours
