"""
How the port's calls are written as keys and arguments of the library's functions.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.domain.ids import StoreId, TerminalId
from gateway.engine.ports import Admission
from gateway.live import keys
from gateway.live.budgets import Budgets
from gateway.live.outbox import Notice
from gateway.live.snapshot import encode_snapshot

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
    function: str, notice: Notice, budgets: Budgets, *, now_ms: int, ttl_ms: int
) -> FunctionCall:
    """
    Write a notice. A snapshot lives `ttl_ms` from when it was true, not from now.
    """
    arguments: list[Argument] = [len(notice.snapshots), budgets.failed_window_ms]
    for card, at_ms in notice.snapshots:
        arguments.append(encode_snapshot(card, at_ms))
        arguments.append(min(ttl_ms, ttl_ms - (now_ms - at_ms)))
    arguments.extend(count for _, count in notice.failed)
    return FunctionCall(
        function,
        [
            *(keys.snapshot_of(card.card_id) for card, _ in notice.snapshots),
            *(key for key, _ in notice.failed),
        ],
        arguments,
    )
