"""
Holds in the table of operations: what places, widens, spends and ends them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scrip.v1 import card_service_pb2 as pb
from tests.support.holding import increment
from tests.support.look import CardRow, HoldRow
from tests.support.matrix import CANNOT, FURTHER, Case, Entry
from tests.support.matrix_ways import approved, on_card, on_original
from tests.support.tills import money, request_of

if TYPE_CHECKING:
    from tests.support.matrix import Bench
    from tests.support.matrix_ways import Before, Meanwhile
    from tests.support.server import Card
    from tests.support.told import Outcome


def holding(
    balance: int, held: int, state: str, authorized: int, captured: int = 0
) -> tuple[CardRow, HoldRow]:
    """
    Write an ACTIVE card and the one hold on it.
    """
    card = CardRow("ACTIVE", balance, 1, held=held)
    return card, HoldRow(state, authorized=authorized, captured=captured)


async def held(bench: Bench, card: Card) -> Outcome:
    """
    Have 60.00 held.
    """
    return await bench.till.ask(
        "Authorize", card_number=card.number, amount=money(60_00)
    )


async def captured(bench: Bench, card: Card) -> Outcome:
    """
    Have 60.00 held and 48.00 of them spent; give the Capture.
    """
    hold = await approved(held(bench, card))
    return await bench.till.ask(
        "Capture", original_request_id=hold.request_id, amount=money(48_00)
    )


async def widened(bench: Bench) -> Case:
    """
    Have 60.00 held, and 20.00 more; capture all of it.
    """
    card = await bench.card(100_00)
    placed = await approved(held(bench, card))
    await approved(increment(bench.till, placed, 20_00))
    request = request_of("Capture", original_request_id=placed.request_id)
    return Case(request=request, cards=(card,))


def then(operation: str, **fields: Any) -> Before:
    """
    Have 60.00 held and something done with the hold, and name the hold.
    """

    async def do(bench: Bench, card: Card) -> Outcome:
        hold = await held(bench, card)
        await approved(
            bench.till.ask(operation, original_request_id=hold.request_id, **fields)
        )
        return hold

    return do


def capturing(minor: int) -> Meanwhile:
    """
    Spend some of the hold that the request of the case placed or widened.
    """

    async def capture(bench: Bench, case: Case) -> None:
        # What an increment names is the hold; what names nothing is the hold itself.
        hold = getattr(case.request, "original_request_id", case.request.request_id)
        await approved(
            bench.till.ask(
                "Capture",
                original_request_id=hold,
                amount=money(minor),
                keep_open=True,
            )
        )

    return capture


HOLDS: Final = (
    Entry(
        name="Authorize",
        prepare=on_card("Authorize", amount=money(60_00)),
        after=holding(100_00, 60_00, "OPEN", 60_00),
        undone=holding(100_00, 0, "CANCELLED", 60_00),
    ),
    Entry(
        name="Authorize, in part",
        prepare=on_card("Authorize", amount=money(130_00), allow_partial=True),
        result="APPROVED_PARTIAL",
        after=holding(100_00, 100_00, "OPEN", 100_00),
        undone=holding(100_00, 0, "CANCELLED", 100_00),
    ),
    Entry(
        name="Authorize, in another currency",
        prepare=on_card("Authorize", amount=money(10_000, "KWD")),
        after=holding(100_00, 32_52, "OPEN", 10_000),
        undone=holding(100_00, 0, "CANCELLED", 10_000),
    ),
    Entry(
        name="Authorize, declined",
        prepare=on_card("Authorize", amount=money(130_00)),
        result="INSUFFICIENT_FUNDS",
        after=(CardRow("ACTIVE", 100_00, 1),),
    ),
    Entry(
        name="Authorize, captured in part since",
        prepare=on_card("Authorize", amount=money(60_00)),
        after=holding(100_00, 60_00, "OPEN", 60_00),
        meanwhile=capturing(20_00),
        reversal=FURTHER,
        undone=holding(80_00, 40_00, "OPEN", 60_00, 20_00),
    ),
    Entry(
        name="IncrementAuthorization",
        prepare=on_original("IncrementAuthorization", held, amount=money(20_00)),
        after=holding(100_00, 80_00, "OPEN", 80_00),
        undone=holding(100_00, 60_00, "OPEN", 60_00),
    ),
    Entry(
        name="IncrementAuthorization, captured since",
        prepare=on_original("IncrementAuthorization", held, amount=money(20_00)),
        after=holding(100_00, 80_00, "OPEN", 80_00),
        meanwhile=capturing(70_00),
        reversal=FURTHER,
        undone=holding(30_00, 10_00, "OPEN", 80_00, 70_00),
    ),
    Entry(
        name="IncrementAuthorization, beyond what is there",
        prepare=on_original("IncrementAuthorization", held, amount=money(50_00)),
        result="INSUFFICIENT_FUNDS",
        after=holding(100_00, 60_00, "OPEN", 60_00),
    ),
    Entry(
        name="Capture",
        prepare=on_original("Capture", held, amount=money(48_00)),
        after=holding(52_00, 0, "CAPTURED", 60_00, 48_00),
        # Credited; the hold stays as it ended.
        undone=holding(100_00, 0, "CAPTURED", 60_00, 48_00),
    ),
    Entry(
        name="Capture, more to come",
        prepare=on_original("Capture", held, amount=money(20_00), keep_open=True),
        after=holding(80_00, 40_00, "OPEN", 60_00, 20_00),
        undone=holding(100_00, 40_00, "OPEN", 60_00, 20_00),
    ),
    Entry(
        name="Capture, of all of a widened hold",
        prepare=widened,
        after=holding(20_00, 0, "CAPTURED", 80_00, 80_00),
        undone=holding(100_00, 0, "CAPTURED", 80_00, 80_00),
    ),
    Entry(
        name="Capture, beyond the hold",
        prepare=on_original("Capture", held, amount=money(61_00)),
        result="EXCEEDS_AUTHORIZED",
        after=holding(100_00, 60_00, "OPEN", 60_00),
    ),
    Entry(
        name="CancelAuthorization",
        prepare=on_original("CancelAuthorization", held),
        after=holding(100_00, 0, "CANCELLED", 60_00),
        reversal=CANNOT,
    ),
    Entry(
        name="CancelAuthorization, of what is captured in part",
        prepare=on_original(
            "CancelAuthorization",
            then("Capture", amount=money(20_00), keep_open=True),
        ),
        # A hold that was captured from ends CAPTURED or CANCELLED: see the holds ADR.
        after=holding(80_00, 0, "CANCELLED", 60_00, 20_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Reverse, of an Authorize",
        prepare=on_original("Reverse", held, reason=pb.REVERSAL_REASON_TIMEOUT),
        after=holding(100_00, 0, "CANCELLED", 60_00),
        reversal=CANNOT,
    ),
    Entry(
        name="Reverse, of a Capture",
        prepare=on_original("Reverse", captured, reason=pb.REVERSAL_REASON_TIMEOUT),
        after=holding(100_00, 0, "CAPTURED", 60_00, 48_00),
        reversal=CANNOT,
    ),
)
