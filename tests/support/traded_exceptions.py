"""
Two messages, a sale told offline and a load that was spent, in real books.

What is written is what the domain decides, on the cards as the books lock them.
"""

from typing import Final

from gateway.books.lane import PostgresBooks
from gateway.domain.commands import MoneyCommand
from gateway.domain.decide import decide
from gateway.domain.decision import Stamp, View
from gateway.domain.originals import Original
from gateway.domain.record import TransactionRecord
from gateway.engine.ports import WriteSet
from tests.support import world
from tests.support.late_requests import advice, confirm, late_place
from tests.support.ledger import lock_request, new_claim
from tests.support.world import amount

# Nothing else is traded on it.
CARD: Final = 5

_POLICY: Final = world.policy(
    at=late_place(two_message=True, floor_limit=(50_00, "USD"), currencies=["USD"])
)
_SINGLE: Final = world.policy(at=world.place(currencies=["USD"]))


async def trade_exceptions(books: PostgresBooks) -> dict[str, TransactionRecord]:
    """
    Leave one exception of each kind, and something that still waits to be confirmed.
    """
    trading = _Trading(books)
    await trading.do("confirmed load", world.load(amount(5_00)))
    await trading.do("confirmation", confirm(), "confirmed load")
    await trading.do("waiting", world.load(amount(3_00)))
    await trading.do("sold unconfirmed", world.redeem(amount(1_00)))
    await trading.do("spent load", world.load(amount(8_00)), one_message=True)
    await trading.do("spent since", world.redeem(amount(9_00)))
    await trading.do("not reversed", world.reverse(1, with_card=False), "spent load")
    await trading.do("told offline", advice(amount(9_00)))
    await trading.do("told offline in vain", advice(amount(2_00)))
    await trading.do(
        "untold", world.reverse(1, with_card=False), "told offline in vain"
    )
    return trading.records


class _Trading:
    """
    Decide one request after the other, and remember them by name.
    """

    def __init__(self, books: PostgresBooks) -> None:
        self._books = books
        self.records: dict[str, TransactionRecord] = {}

    async def do(
        self,
        name: str,
        command: MoneyCommand,
        original: str | None = None,
        *,
        one_message: bool = False,
    ) -> None:
        """
        Decide one request and write it.
        """
        claim = new_claim()
        batch, locked = await self._books.open(lock_request(claim, cards=(CARD,)))
        (card,) = locked.cards
        stamp = Stamp(claim.transaction_id, "ABC234", locked.clock, 1)
        place = (_SINGLE if one_message else _POLICY).places[world.TERMINAL]
        named = None
        if original is not None:
            named = Original(
                self.records[original],
                reversed=False,
                later_activity=False,
            )
        decision = decide(command, View(place, card, _POLICY, stamp), named)
        # Each stands under its own claim, whatever ids the commands of this world have.
        record = decision.record._replace(request_id=claim.key.request_id)
        await batch.commit(
            WriteSet(
                records=[record],
                postings=decision.postings,
                cards=[decision.card] if decision.card else [],
                card_versions={card.card_id: card.version} if decision.card else {},
                exceptions=[decision.exception] if decision.exception else [],
            )
        )
        self.records[name] = record
