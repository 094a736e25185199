"""
Every operation that is recorded: what it does, and what undoes it.

The first entry of an operation bears its name alone; further ones say after a comma
what is different. `tests/unit/test_matrix_table.py` compares it with the contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scrip.v1 import card_service_pb2 as pb
from tests.support.look import CardRow
from tests.support.matrix import CANNOT, FURTHER, Case, Entry
from tests.support.tills import money, request_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.matrix import Bench
    from tests.support.server import Card
    from tests.support.told import Outcome

    Prepare = Callable[[Bench], Awaitable[Case]]
    Before = Callable[[Bench, Card], Awaitable[Outcome]]
    Meanwhile = Callable[[Bench, Case], Awaitable[object]]


def active(balance: int, *, loads: int = 1, **more: int) -> tuple[CardRow, ...]:
    """
    Write one card that is ACTIVE.
    """
    return (CardRow("ACTIVE", balance, loads, **more),)


PENDING: Final = (CardRow("PENDING", 0, 0),)


# --- Ways to prepare a request, and what may come between it and its reversal -------


def on_card(
    operation: str, *, balance: int | None = 100_00, product: str = "usd", **fields: Any
) -> Prepare:
    """
    Make a card and a request that names it; a balance of None leaves it PENDING.
    """

    async def prepare(bench: Bench) -> Case:
        card = await bench.card(balance, product=product)
        request = request_of(operation, card_number=card.number, **fields)
        return Case(request=request, cards=(card,))

    return prepare


def on_original(
    operation: str, original: Before, *, balance: int | None = 100_00, **fields: Any
) -> Prepare:
    """
    Make a card, do something with it, and write a request that names what was done.
    """

    async def prepare(bench: Bench) -> Case:
        card = await bench.card(balance)
        done = await original(bench, card)
        assert done.response_code == "00", done
        request = request_of(operation, original_request_id=done.request_id, **fields)
        return Case(request=request, cards=(card,))

    return prepare


async def activated(bench: Bench, card: Card) -> Outcome:
    """
    Have a card activated with 25.00.
    """
    return await bench.till.activate(card, 25_00)


async def loaded(bench: Bench, card: Card) -> Outcome:
    """
    Have 40.00 loaded.
    """
    return await bench.till.load(card, 40_00)


async def sold(bench: Bench, card: Card) -> Outcome:
    """
    Have 30.00 spent.
    """
    return await bench.till.redeem(card, 30_00)


async def refunded(bench: Bench, card: Card) -> Outcome:
    """
    Have 30.00 spent and 10.00 of them given back.
    """
    return await bench.till.refund(await sold(bench, card), 10_00)


def spending(minor: int) -> Meanwhile:
    """
    Spend some of the first card's money.
    """

    async def spend(bench: Bench, case: Case) -> None:
        told = await bench.till.redeem(case.cards[0], minor)
        assert told.response_code == "00", told

    return spend


async def refunding(bench: Bench, case: Case) -> None:
    """
    Give 10.00 of it back.
    """
    told = await bench.till.refund(case.request.request_id, 10_00)
    assert told.response_code == "00", told


_REVERSE: Final = {"reason": pb.REVERSAL_REASON_TIMEOUT}


# --- The table ----------------------------------------------------------------------

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

TABLE: Final[tuple[Entry, ...]] = (*ACTIVATIONS, *LOADS, *SALES, *REFUNDS, *UNDOINGS)
