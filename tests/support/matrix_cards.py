"""
What changes a card and not its money, and what moves all of it, in the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scrip.v1 import card_pb2
from tests.support.look import CardRow
from tests.support.matrix import CANNOT, Case, Entry
from tests.support.matrix_ways import active, on_card
from tests.support.tills import request_of

if TYPE_CHECKING:
    from tests.support.matrix import Bench


async def _transfer(bench: Bench) -> Case:
    one, other = await bench.card(), await bench.card(10_00)
    request = request_of(
        "TransferBalance", card_number=one.number, to_card_number=other.number
    )
    return Case(request=request, cards=(one, other))


CARDS: Final = (
    Entry(
        name="Block",
        prepare=on_card("Block", reason=card_pb2.BLOCK_REASON_LOST),
        after=(CardRow("BLOCKED", 100_00, 1),),
        reversal=CANNOT,
    ),
    Entry(
        name="TransferBalance",
        prepare=_transfer,
        # What a card receives counts as a load of it.
        after=(*active(0), *active(110_00, loads=2)),
        reversal=CANNOT,
    ),
    Entry(
        name="Deactivate",
        prepare=on_card("Deactivate", balance=0),
        after=(CardRow("DEACTIVATED", 0, 0),),
        reversal=CANNOT,
    ),
    Entry(
        name="Deactivate, of a card with money",
        prepare=on_card("Deactivate"),
        result="NOT_PERMITTED",
        after=active(100_00),
    ),
)
