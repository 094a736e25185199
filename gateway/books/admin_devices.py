"""
Terminals, devices and their certificates, as the console creates and lists them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.books.admin import AdminConnection, Row, run
from gateway.domain.policy import DeviceKind, DeviceName, PartyState


class TerminalName(NamedTuple):
    """
    How a terminal is named: by its merchant, its store and its own code.
    """

    merchant: str
    store: str
    terminal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """
    A device to be created. One of kind TERMINAL names its terminal, a CONTROLLER none.
    """

    name: DeviceName
    kind: DeviceKind
    terminal: str | None


class TerminalTerms(NamedTuple):
    """
    What is to be set of a terminal; None leaves a setting alone.

    The floor limit is set, or with None taken away, only where `sets_floor_limit`.
    """

    two_message: bool | None = None
    sets_floor_limit: bool = False
    floor_limit_minor: int | None = None
    floor_limit_currency: str | None = None


class KnownDevice(NamedTuple):
    """
    What the console must know of a device before it gives it another certificate.
    """

    kind: DeviceKind
    revoked: bool


def insert_terminals(
    connection: AdminConnection, names: Sequence[TerminalName]
) -> None:
    """
    Create terminals.
    """
    run(connection, "admin_insert_terminals", **_columns(names))


def insert_devices(connection: AdminConnection, devices: Sequence[NewDevice]) -> None:
    """
    Create devices.
    """
    run(
        connection,
        "admin_insert_devices",
        **_columns([device.name for device in devices]),
        kinds=[int(device.kind) for device in devices],
        terminals=[device.terminal for device in devices],
    )


def insert_certificates(
    connection: AdminConnection, certificates: Sequence[tuple[DeviceName, bytes]]
) -> None:
    """
    Let devices in with certificates, each known by the SHA-256 of its DER.
    """
    run(
        connection,
        "admin_insert_certificates",
        **_columns([name for name, _ in certificates]),
        sha256s=[sha256 for _, sha256 in certificates],
    )


def revoke_certificates(
    connection: AdminConnection,
    names: Sequence[DeviceName],
    *,
    kept: Sequence[bytes] = (),
) -> None:
    """
    Take back all certificates of devices but for some.
    """
    run(connection, "admin_revoke_certificates", **_columns(names), kept=list(kept))


def revoke_device(connection: AdminConnection, name: DeviceName) -> bool:
    """
    Take a device's access away; tell whether there is such a device.
    """
    return bool(run(connection, "admin_revoke_device", **name._asdict()))


def terminals(
    connection: AdminConnection, merchant: str | None = None, store: str | None = None
) -> list[Row]:
    """
    List all terminals, or those of a merchant or a store.
    """
    return run(connection, "admin_terminals", merchant=merchant, store=store)


def devices(
    connection: AdminConnection, merchant: str | None = None, store: str | None = None
) -> list[Row]:
    """
    List all devices, or those of a merchant or a store.
    """
    return run(connection, "admin_devices", merchant=merchant, store=store)


def set_terminal_state(
    connection: AdminConnection, name: TerminalName, state: PartyState
) -> bool:
    """
    Change a terminal's state; tell whether there is one that is not CLOSED.
    """
    return bool(
        run(
            connection,
            "admin_set_terminal_state",
            **name._asdict(),
            state=int(state),
        )
    )


def set_terminal_terms(
    connection: AdminConnection, name: TerminalName, terms: TerminalTerms
) -> bool:
    """
    Change a terminal's settings; tell whether there is one that is not CLOSED.
    """
    return bool(
        run(
            connection,
            "admin_set_terminal_terms",
            **name._asdict(),
            **terms._asdict(),
        )
    )


def known_terminals(
    connection: AdminConnection, names: Collection[TerminalName]
) -> set[TerminalName]:
    """
    Tell which of these terminals there are.
    """
    rows = run(connection, "admin_known_terminals", **_columns(names))
    return {
        TerminalName(row["merchant"], row["store"], row["terminal"]) for row in rows
    }


def known_devices(
    connection: AdminConnection, names: Collection[DeviceName]
) -> dict[DeviceName, KnownDevice]:
    """
    Tell which of these devices there are, of what kind, and whether revoked.
    """
    rows = run(connection, "admin_known_devices", **_columns(names))
    return {
        DeviceName(row["merchant"], row["store"], row["device"]): KnownDevice(
            DeviceKind(row["kind"]), revoked=row["revoked"]
        )
        for row in rows
    }


def _columns(names: Collection[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "merchants": [merchant for merchant, _, _ in names],
        "stores": [store for _, store, _ in names],
        "codes": [code for _, _, code in names],
    }
