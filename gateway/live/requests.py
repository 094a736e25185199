"""
How the port's calls are written as keys and arguments of the library's functions.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from gateway.domain.holds import HoldState
from gateway.domain.ids import StoreId, TerminalId, TransactionId
from gateway.engine.clerk_ports import OpenHold
from gateway.engine.ports import Admission
from gateway.live import keys
from gateway.live.budgets import Budgets
from gateway.live.library import DUE, LOAD
from gateway.live.options import LiveOptions
from gateway.live.outbox import Notice
from gateway.live.snapshot import encode_snapshot

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

Argument = str | bytes | int


class FunctionCall(NamedTuple):
    """
    A function of the library, with its KEYS and ARGV.
    """

    function: str
    keys: Sequence[str]
    arguments: Sequence[Argument]


def admit_call(
    function: str, admissions: Sequence[Admission], budgets: Budgets
) -> FunctionCall:
    """
    Write an admission: each terminal and each store is named once.
    """
    terminals: dict[TerminalId, int] = {}
    stores: dict[StoreId, int] = {}
    items: list[Argument] = []
    for terminal_id, store_id, request_id in admissions:
        items.append(terminals.setdefault(terminal_id, len(terminals) + 1))
        items.append(stores.setdefault(store_id, len(stores) + 1))
        items.append(b"" if request_id is None else b"%b%d" % (request_id, terminal_id))
    return FunctionCall(
        function,
        [
            keys.CURRENT_IDS,
            keys.PREVIOUS_IDS,
            *map(keys.requests_of, terminals),
            *map(keys.failed_at_terminal, terminals),
            *map(keys.failed_at_store, stores),
        ],
        [
            budgets.requests_per_window,
            budgets.window_ms,
            budgets.failed_lookups_per_terminal,
            budgets.failed_lookups_per_store,
            budgets.failed_window_ms,
            budgets.remember_ms,
            budgets.remembered_ids,
            len(terminals),
            len(stores),
            *items,
        ],
    )


def publish_call(
    function: str,
    notice: Notice,
    budgets: Budgets,
    *,
    now_ms: int,
    options: LiveOptions,
) -> FunctionCall:
    """
    Write a notice. A snapshot lives its time from when it was true, not from now.
    """
    ttl_ms = options.snapshot_ttl_ms
    opened: list[Argument] = []
    ended: list[Argument] = []
    for hold in notice.holds:
        if hold.state is HoldState.OPEN:
            opened += (moment_ms(hold.expires_at), hold.hold_id.hex())
        else:
            ended.append(hold.hold_id.hex())
    arguments: list[Argument] = [
        len(notice.snapshots),
        budgets.failed_window_ms,
        len(opened) // 2,
        len(ended),
        options.expiries_limit,
        options.expiries_ttl_ms,
        *opened,
        *ended,
    ]
    for card, at_ms in notice.snapshots:
        arguments.append(encode_snapshot(card, at_ms))
        arguments.append(min(ttl_ms, ttl_ms - (now_ms - at_ms)))
    arguments.extend(count for _, count in notice.failed)
    return FunctionCall(
        function,
        [
            *(keys.snapshot_of(card.card_id) for card, _ in notice.snapshots),
            *(key for key, _ in notice.failed),
            keys.EXPIRIES,
        ],
        arguments,
    )


def due_call(
    now: datetime, *, limit: int, lease_ms: int, ended: Sequence[TransactionId]
) -> FunctionCall:
    """
    Ask for the holds that are due, and take out those that are known to have ended.
    """
    now_ms = floor_ms(now)
    return FunctionCall(
        DUE,
        [keys.EXPIRIES, keys.EXPIRIES_MARK],
        [now_ms, limit, now_ms + lease_ms, *(hold_id.hex() for hold_id in ended)],
    )


def load_call(
    holds: Sequence[OpenHold],
    *,
    token: str,
    page: str,
    pause_ms: int,
    options: LiveOptions,
) -> FunctionCall:
    """
    Write a page of the books' open holds.
    """
    arguments: list[Argument] = [
        token,
        page,
        options.expiries_limit,
        options.expiries_ttl_ms,
        pause_ms,
    ]
    for hold in holds:
        arguments += (moment_ms(hold.expires_at), hold.hold_id.hex())
    return FunctionCall(LOAD, [keys.EXPIRIES, keys.EXPIRIES_MARK], arguments)


def floor_ms(moment: datetime) -> int:
    """
    Give a moment in whole milliseconds, the one that has begun.
    """
    return (moment - _EPOCH) // _MILLISECOND


def moment_ms(moment: datetime) -> int:
    """
    Give when a hold expires in whole milliseconds, never too early.
    """
    return -((_EPOCH - moment) // _MILLISECOND)
