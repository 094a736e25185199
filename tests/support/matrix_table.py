"""
Every operation that is recorded: what it does, and what undoes it.

The first entry of an operation bears its name alone; further ones say after a comma
what is different. `tests/unit/test_matrix_table.py` compares it with the contract.
"""

from __future__ import annotations

from typing import Final

from scrip.v1 import card_service_pb2 as pb
from tests.support.look import CardRow
from tests.support.matrix import CANNOT, FURTHER, Entry
from tests.support.matrix_cards import CARDS
from tests.support.matrix_holds import HOLDS
from tests.support.matrix_staff import STAFF
from tests.support.matrix_ways import (
    activated,
    active,
    confirming,
    loaded,
    loaded_unconfirmed,
    on_card,
    on_original,
    refunded,
    refunding,
    sold,
    sold_unconfirmed,
    spending,
)
from tests.support.tills import money

PENDING: Final = (CardRow("PENDING", 0, 0),)
_REVERSE: Final = {"reason": pb.REVERSAL_REASON_TIMEOUT}

ACTIVATIONS: Final = (
    Entry(
        name="Activate",
        prepare=on_card("Activate", balance=None, initial_amount=money(25_00)),
        after=active(25_00),
        undone=PENDING,
    ),
    Entry(
        name="Activate, used since",
        prepare=on_card("Activate", balance=None, initial_amount=money(25_00)),
        after=active(25_00),
        meanwhile=spending(5_00),
        reversal=FURTHER,
        undone=active(20_00),
    ),
)
LOADS: Final = (
    Entry(
        name="Load",
        prepare=on_card("Load", amount=money(40_00)),
        after=active(140_00, loads=2),
        undone=active(100_00),
    ),
    Entry(
        name="Load, spent since",
        prepare=on_card("Load", amount=money(40_00)),
        after=active(140_00, loads=2),
        meanwhile=spending(130_00),
        reversal=FURTHER,
        undone=active(10_00, loads=2),
    ),
)
SALES: Final = (
    Entry(
        name="Redeem",
        prepare=on_card("Redeem", amount=money(30_00)),
        after=active(70_00),
        undone=active(100_00),
    ),
    Entry(
        name="Redeem, in part",
        prepare=on_card("Redeem", amount=money(130_00), allow_partial=True),
        result="APPROVED_PARTIAL",
        after=active(0),
        undone=active(100_00),
    ),
    Entry(
        name="Redeem, in another currency",
        prepare=on_card("Redeem", amount=money(10_000, "KWD")),
        after=active(67_48),
        undone=active(100_00),
    ),
    Entry(
        name="Redeem, declined",
        prepare=on_card("Redeem", amount=money(130_00)),
        result="INSUFFICIENT_FUNDS",
        after=active(100_00),
    ),
    Entry(
        name="Redeem, refunded since",
        prepare=on_card("Redeem", amount=money(30_00)),
        after=active(70_00),
        meanwhile=refunding,
        reversal=FURTHER,
        undone=active(80_00),
    ),
    Entry(
        name="CashOut",
        prepare=on_card("CashOut", balance=8_00, product="cash"),
        after=active(0),
        undone=active(8_00),
    ),
)
REFUNDS: Final = (
    Entry(
        name="Refund",
        prepare=on_original("Refund", sold, amount=money(30_00)),
        after=active(100_00),
        undone=active(70_00),
    ),
    Entry(
        name="Refund, spent since",
        prepare=on_original("Refund", sold, amount=money(30_00)),
        after=active(100_00),
        meanwhile=spending(80_00),
        reversal=FURTHER,
        undone=active(20_00),
    ),
)
UNDOINGS: Final = (
    Entry(
        name="Void",
        prepare=on_original("Void", sold),
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Void, of a Load",
        prepare=on_original("Void", loaded),
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Void, of an Activate",
        prepare=on_original("Void", activated, balance=None),
        after=PENDING,
        reversal=CANNOT,
    ),
    Entry(
        name="Void, of a Refund",
        prepare=on_original("Void", refunded),
        after=active(70_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Reverse",
        prepare=on_original("Reverse", sold, **_REVERSE),
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Reverse, of a Load",
        prepare=on_original("Reverse", loaded, **_REVERSE),
        after=active(100_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Reverse, of an Activate",
        prepare=on_original("Reverse", activated, balance=None, **_REVERSE),
        after=PENDING,
        reversal=CANNOT,
    ),
    Entry(
        name="Reverse, of a Refund",
        prepare=on_original("Reverse", refunded, **_REVERSE),
        after=active(70_00),
        reversal=CANNOT,
    ),
)

TWO_MESSAGES: Final = (
    Entry(
        name="Confirm",
        prepare=on_original("Confirm", loaded_unconfirmed),
        after=active(140_00, loads=2),
        reversal=CANNOT,
        by="two-message",
    ),
    Entry(
        name="Confirm, of a Redeem",
        prepare=on_original("Confirm", sold_unconfirmed),
        after=active(70_00),
        reversal=CANNOT,
        by="two-message",
    ),
    Entry(
        name="Load, unconfirmed",
        prepare=on_card("Load", amount=money(40_00)),
        after=active(140_00, loads=2, unconfirmed=40_00),
        undone=active(100_00),
        by="two-message",
    ),
    Entry(
        name="Load, unconfirmed and all else spent",
        prepare=on_card("Load", amount=money(40_00)),
        after=active(140_00, loads=2, unconfirmed=40_00),
        meanwhile=spending(100_00),
        undone=active(0),
        by="two-message",
    ),
    Entry(
        name="Load, confirmed since",
        prepare=on_card("Load", amount=money(40_00)),
        after=active(140_00, loads=2, unconfirmed=40_00),
        meanwhile=confirming,
        reversal=CANNOT,
        undone=active(140_00, loads=2),
        by="two-message",
    ),
    Entry(
        name="Redeem, unconfirmed",
        prepare=on_card("Redeem", amount=money(30_00)),
        after=active(70_00),
        undone=active(100_00),
        by="two-message",
    ),
)
OFFLINE: Final = (
    Entry(
        name="Advice",
        prepare=on_card("Advice", amount=money(20_00)),
        after=active(80_00),
        undone=active(100_00),
        by="kiosk",
    ),
    Entry(
        name="Advice, not paid in full",
        prepare=on_card("Advice", amount=money(20_00), balance=5_00),
        after=active(0),
        undone=active(5_00),
        by="kiosk",
    ),
    Entry(
        name="Advice, of which nothing is paid",
        prepare=on_card("Advice", amount=money(20_00)),
        after=active(100_00),
    ),
)

TABLE: Final[tuple[Entry, ...]] = (
    *ACTIVATIONS,
    *LOADS,
    *SALES,
    *REFUNDS,
    *UNDOINGS,
    *TWO_MESSAGES,
    *OFFLINE,
    *HOLDS,
    *CARDS,
    *STAFF,
)
