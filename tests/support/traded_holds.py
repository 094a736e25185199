"""
Holds in books that balance, by the gateway's own decisions; and how to spoil them.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from currency import RateBook
from gateway.books.lane import PostgresBooks
from gateway.domain.commands import CardRef, Command, Naming
from gateway.domain.decide import decide
from gateway.domain.decision import Decision, Stamp, View
from gateway.domain.holds import Hold
from gateway.domain.originals import Original
from gateway.domain.record import TransactionRecord
from gateway.domain.release import expire
from gateway.engine.locking import LockRequest
from gateway.engine.ports import WriteSet
from tests.support import held_world, world
from tests.support.ledger import new_claim, number_index
from tests.support.world import amount

if TYPE_CHECKING:
    from gateway.domain.ids import CardId

# The rule, and what breaks it; names of transactions in curly brackets stand for ids.
SPOILED_HOLDS: Final = [
    ("held", "UPDATE card SET held_minor = held_minor + 1 WHERE held_minor > 0"),
    ("held", "UPDATE hold SET state = 1 WHERE hold_id = {held and captured}"),
    ("held", "UPDATE hold SET captured_card_minor = card_minor WHERE state = 1"),
    ("held", "UPDATE card SET next_hold_expiry = NULL WHERE held_minor > 0"),
    (
        "held",
        (
            "UPDATE card SET next_hold_expiry = next_hold_expiry + interval '9 days' "
            "WHERE held_minor > 0"
        ),
    ),
    ("holds_made", "UPDATE hold SET authorized_minor = authorized_minor + 1"),
    ("holds_made", "UPDATE hold SET captured_minor = captured_minor + 1"),
    ("holds_made", "UPDATE hold SET state = 3 WHERE state = 2"),
    ("holds_made", "UPDATE hold SET expires_at = expires_at + interval '1 s'"),
    ("holds_made", "DELETE FROM hold_step WHERE transaction_id = hold_id"),
    ("holds_made", "DELETE FROM hold_step WHERE state <> 1"),
    ("holds_made", "UPDATE hold_step SET held_change_minor = held_change_minor + 1"),
    ("hold_steps", "DELETE FROM hold_step WHERE transaction_id = {captured}"),
    (
        "hold_steps",
        (
            "UPDATE hold_step SET transaction_id = {loaded} "
            "WHERE transaction_id = {given up}"
        ),
    ),
    (
        "hold_steps",
        "UPDATE transaction SET card_minor = card_minor + 1 WHERE activity = 11",
    ),
    (
        "hold_steps",
        "UPDATE transaction SET card_minor = 1 WHERE transaction_id = {grown}",
    ),
    (
        "hold_steps",
        "UPDATE transaction SET original_transaction_id = NULL WHERE activity = 10",
    ),
    (
        "hold_steps",
        "UPDATE transaction SET card_minor = 1 WHERE transaction_id = {not held}",
    ),
    (
        "hold_steps",
        "UPDATE hold_step SET expires_at = 'epoch' WHERE transaction_id = {captured}",
    ),
    (
        "hold_steps",
        (
            "UPDATE transaction SET host_time = 'epoch' "
            "WHERE activity = 11 AND request_id IS NULL"
        ),
    ),
    (
        "held_chain",
        "UPDATE transaction SET held_after_minor = 0 WHERE transaction_id = {grown}",
    ),
    (
        "held_chain",
        "UPDATE transaction SET held_after_minor = 1 WHERE activity = 2",
    ),
    (
        "conversions",
        (
            "UPDATE transaction SET card_minor = card_minor + 1 "
            "WHERE activity = 10 AND rounding <> 0"
        ),
    ),
    (
        "reversals",
        "UPDATE transaction SET card_id = 4 WHERE transaction_id = {not held}",
    ),
    (
        "card_steps",
        (
            "UPDATE transaction SET balance_after_minor = balance_after_minor - 1 "
            "WHERE transaction_id = {grown}"
        ),
    ),
]


class HoldTrading:
    """
    Hold, capture and release on one card, and remember what was recorded.
    """

    def __init__(
        self,
        books: PostgresBooks,
        card_id: int,
        rates_since: datetime,
        records: dict[str, TransactionRecord],
    ) -> None:
        known = held_world.holding_rules(tip_bps=2_000)
        rate = world.rate("KWD", "3.2520", effective_from=rates_since)
        self._rules = replace(known, rates=RateBook.of([rate]))
        self._books, self._card_id, self._records = books, card_id, records
        self._holds: dict[object, Hold] = {}

    async def trade(self) -> None:
        """
        Do everything with holds once.
        """
        dinars = amount(1_000, "KWD")
        await self._do("held and captured", held_world.authorize(dinars))
        part = held_world.capture(amount(333, "KWD"), keep_open=True)
        await self._do("captured", part, "held and captured")
        await self._do("captured more", held_world.capture(), "held and captured")
        await self._do("held and grown", held_world.authorize(amount(2_00)))
        await self._do("grown", held_world.increment(amount(50)), "held and grown")
        more = held_world.increment(amount(30))
        await self._do("grown by mistake", more, "held and grown")
        await self._do(
            "not held", world.reverse(1, with_card=False), "grown by mistake"
        )
        await self._do("held and given up", held_world.authorize(amount(1_00)))
        await self._do("given up", held_world.cancel(), "held and given up")
        await self._do("held by mistake", held_world.authorize(amount(1_00)))
        undone = world.reverse(1, with_card=False)
        await self._do("not held at all", undone, "held by mistake")
        await self._do("held with a tip", held_world.authorize(amount(1_00)))
        tip = held_world.capture(amount(1_20))
        await self._do("captured with a tip", tip, "held with a tip")
        await self._do("refunded tip", world.refund(amount(20)), "captured with a tip")
        await self._do("held for long", held_world.authorize(amount(1_00), live_s=1))
        await self._do("released", None, "held for long")

    async def _do(
        self, name: str, command: Command | None, original: str | None = None
    ) -> None:
        claim = new_claim()
        claims = [] if command is None else [claim]
        batch, locked = await self._books.open(
            LockRequest(
                card_indexes=[number_index(self._card_id)], card_ids=[], claims=claims
            )
        )
        (card,) = locked.cards
        stamp = Stamp(claim.transaction_id, "ABC234", locked.clock, 1)
        view = View(self._rules.places[world.TERMINAL], card, self._rules, stamp)
        named = None if original is None else self._original(original)
        if command is None:
            assert named is not None
            assert named.hold is not None
            late = stamp._replace(now=named.hold.expires_at + timedelta(seconds=1))
            decision = expire(named.hold, view._replace(stamp=late))
        else:
            own = CardRef(number_index(self._card_id), card.last_four)
            sent = None if isinstance(command, Naming) else own
            asked = replace(command, request_id=claim.key.request_id, card=sent)
            decision = decide(asked, view, named)
        await batch.commit(_writes(decision, card.card_id, card.version))
        self._records[name] = decision.record
        for hold in decision.holds:
            self._holds[hold.hold_id] = hold
        if decision.step is not None:
            self._holds[decision.record.transaction_id] = decision.holds[0]

    def _original(self, name: str) -> Original:
        record = self._records[name]
        hold = self._holds.get(record.transaction_id)
        now = None if hold is None else self._holds[hold.hold_id]
        return Original(record, reversed=False, later_activity=False, hold=now)


def _writes(decision: Decision, card_id: "CardId", version: int) -> WriteSet:
    assert decision.card is not None, decision.record.result
    return WriteSet(
        records=[decision.record],
        postings=decision.postings,
        cards=[decision.card],
        card_versions={card_id: version},
        holds=decision.holds,
        steps=[decision.step] if decision.step else [],
    )
