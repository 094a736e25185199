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

# A rule, and what breaks it; names in curly brackets stand for transactions' ids.
SPOILED_EXCEPTIONS: Final = [
    *[
        (rule, f"UPDATE transaction SET {change} WHERE transaction_id = {{{which}}}")  # noqa: S608
        for rule, change, which in (
            ("confirmations", "unconfirmed = false", "confirmed load"),
            ("confirmations", "approved_minor = 7", "confirmation"),
            ("confirmations", "effective = false", "confirmation"),
            ("confirmations", "card_seq = NULL", "confirmation"),
            ("confirmations", "store_id = 9", "confirmation"),
            ("unconfirmed", "unconfirmed = false", "waiting"),
            ("unconfirmed", "effective = false", "confirmation"),
            ("unconfirmed_steps", "unconfirmed = false", "waiting"),
            ("unconfirmed_steps", "available_after_minor = 0", "waiting"),
            ("advices", "reason = NULL", "told offline"),
            ("advices", "activity = 2", "told offline"),
            ("advices", "unconfirmed = true", "told offline"),
            ("advices", "offline = true", "declined"),
            ("exceptions", "reason = 61", "told offline"),
            ("exceptions", "result = 7", "not reversed"),
            ("approvals", "approved_minor = 0", "told offline"),
            ("approvals", "approved_minor = 1", "untold"),
            ("approvals", "effective = NULL", "confirmation"),
            ("reversals", "offline = false", "told offline in vain"),
        )
    ],
    ("card_money", "UPDATE card SET unconfirmed_minor = 99999 WHERE card_id = 5"),
    ("unconfirmed", "UPDATE card SET unconfirmed_minor = 1 WHERE card_id = 4"),
    ("exceptions", "DELETE FROM exception_item WHERE kind = 1"),
    ("exceptions", "DELETE FROM exception_item WHERE kind = 2"),
    ("exceptions", "UPDATE exception_item SET amount_minor = amount_minor + 1"),
    ("exceptions", "UPDATE exception_item SET opened_at = now()"),
    ("exceptions", "UPDATE exception_item SET opened_by = {spent} WHERE kind = 2"),
    ("exceptions", "UPDATE exception_item SET kind = 2 WHERE kind = 1"),
]

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
