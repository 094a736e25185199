"""
Books in memory, as faithful to Postgres as logic tests need (design 3, 4).

Claims are won or lost against what is committed, a transaction's writes are seen by
nobody before its commit, and a commit is refused where the schema would refuse it. What
takes two connections is not shown here: the real books are tested on a real Postgres.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gateway.domain import record as recorded
from gateway.domain.auditing import AuditEntry
from gateway.domain.card_pins import CardPin
from gateway.domain.cards import Card
from gateway.domain.commands import CardRef, Fingerprint
from gateway.domain.counting import use_of
from gateway.domain.exceptions import ExceptionItem, ExceptionKind
from gateway.domain.holds import Hold, HoldStep
from gateway.domain.ids import (
    CardId,
    RequestId,
    RequestKey,
    TerminalId,
    TransactionId,
)
from gateway.domain.limits import UNUSED, DayUse, Use
from gateway.domain.originals import Refunds
from gateway.domain.policy import Policy
from gateway.domain.record import Posting, TransactionRecord
from gateway.domain.results import ADJUSTMENTS, APPROVALS, NO_USE, ActivityType
from gateway.engine.locking import CardName, Claim, Locked, LockRequest
from gateway.engine.ports import (
    BalanceRead,
    ItemFaultError,
    LockTimeoutError,
    OvertakenError,
    WriteSet,
)
from gateway.engine.stored import StoredRequest
from tests.support import fake_walls
from tests.support.fake_transaction import FakeTransaction

Strike = Callable[[], None]


class FakeBooks:
    """
    Committed state, and places where a test may strike.

    `strikes` holds, by place, what happens at each next passing: it may raise, or
    commit something of a rival's. `poison` fails any batch that records such a request.
    Places: "look_up", "open", "locked" (cards locked, keys not claimed), "clock" (all
    claimed), "read_stored", "commit", "committed" (before the reply), "read", "policy".
    `held` cards are kept by a stranger's transaction, its number in `holders`; `looks`
    counts who asked.
    `blind` books never lock a card named by its id, as if each came too late.
    """

    def __init__(self, rules: Policy, cards: Iterable[Card], clock: datetime) -> None:
        self.rules = rules
        self.clock = clock
        self.cards: dict[CardId, Card] = {card.card_id: card for card in cards}
        self.records: dict[TransactionId, TransactionRecord] = {}
        self.postings: list[Posting] = []
        self.holds: dict[TransactionId, Hold] = {}
        self.steps: dict[TransactionId, HoldStep] = {}
        self.exceptions: dict[tuple[TransactionId, ExceptionKind], ExceptionItem] = {}
        self.keys: dict[RequestKey, tuple[TransactionId, Fingerprint | None]] = {}
        self.pins: dict[CardId, CardPin] = {}
        self.strikes: dict[str, deque[Strike]] = {}
        self.poison: dict[RequestId, Exception] = {}
        self.blind = False
        self.held: set[CardId] = set()
        self.holders: dict[CardId, int] = {}
        self.looks = 0
        self.opened: list[LockRequest] = []
        self.uses: dict[CardId, DayUse] = {}
        self.terminal_uses: dict[TerminalId, DayUse] = {}
        self.passed: list[str] = []
        self.commits = 0
        self.asked: list[recorded.AdjustmentAsked] = []
        self.approved: list[recorded.AdjustmentApproved] = []
        self.audit: list[AuditEntry] = []
        self._undone: dict[TransactionId, ActivityType] = {}
        self._confirmed: set[TransactionId] = set()
        self._refunds: dict[TransactionId, list[TransactionRecord]] = {}
        self._chains: dict[CardId, list[TransactionRecord]] = {}
        self._open: FakeTransaction | None = None

    def strike(self, place: str, *strikes: Strike) -> None:
        """
        Do these at the next passings of a place, one each.
        """
        self.strikes.setdefault(place, deque()).extend(strikes)

    def reach(self, place: str) -> None:
        """
        Pass a place.
        """
        self.passed.append(place)
        waiting = self.strikes.get(place)
        if waiting:
            waiting.popleft()()

    # --- Books ----------------------------------------------------------------------

    async def cards_of(
        self, keys: Sequence[RequestKey], cards: Sequence[CardId] = ()
    ) -> set[CardId]:
        """
        Look cards up without a lock, as they are committed now, with their successors.
        """
        self.reach("look_up")
        found = set()
        named = [self.keys[key][0] for key in keys if key in self.keys]
        for about in [*cards, *(self.records[one].card_id for one in named)]:
            card_id = about
            while card_id is not None:
                found.add(card_id)
                card_id = self.cards[card_id].replaced_by
        return found

    async def open(self, request: LockRequest) -> tuple["FakeTransaction", Locked]:
        """
        Lock, claim, read the clock.
        """
        assert self._open is None, "a lane has one transaction at a time"
        self.opened.append(request)
        self.reach("open")
        indexes = set(request.card_indexes)
        ids = set() if self.blind else set(request.card_ids)
        cards = [
            card
            for card in self.cards.values()
            if card.card_id in ids or card.number_index in indexes
        ]
        if not request.waits:
            cards = [card for card in cards if card.card_id not in self.held]
        elif not self.held.isdisjoint(card.card_id for card in cards):
            message = "55P03"
            raise LockTimeoutError(message)
        self.reach("locked")
        claims = {claim.key: claim for claim in request.claims}
        assert len(claims) == len(request.claims), "a key is claimed once"
        won = {key: claim for key, claim in claims.items() if key not in self.keys}
        self.reach("clock")
        self._open = FakeTransaction(self, cards, won)
        named: set[object] = {*request.pin_indexes, *request.pin_card_ids}
        asked = [c.card_id for c in cards if named & {c.card_id, c.number_index}]
        locked = Locked(
            cards=cards,
            won=frozenset(won),
            clock=self.clock,
            policy_version=self.rules.version,
            uses={card.card_id: self.uses.get(card.card_id, UNUSED) for card in cards},
            terminal_uses={
                terminal_id: self.terminal_uses[terminal_id]
                for terminal_id in request.terminals
                if terminal_id in self.terminal_uses
            },
            pins=[self.pins[one] for one in asked if one in self.pins],
        )
        return self._open, locked

    async def held_cards(
        self,
        card_indexes: Sequence[bytes],
        card_ids: Sequence[CardId],
        originals: Sequence[RequestKey],
        *,
        patience_ms: int,
    ) -> dict[CardName, int]:
        """
        Tell which cards a stranger keeps, and who: unless told, one for each version.
        """
        assert self._open is None, "a lane has one transaction at a time"
        self.looks += 1
        self.reach("held")
        names: dict[CardName, CardId | None] = {
            card.number_index: card.card_id
            for card in self.cards.values()
            if card.number_index in card_indexes
        }
        names |= {card_id: card_id for card_id in card_ids}
        for key in originals:
            if key in self.keys:
                names[key] = self.records[self.keys[key][0]].card_id
        return {
            name: self.holders.get(card_id, self.cards[card_id].version)
            for name, card_id in names.items()
            if card_id in self.held
        }

    # --- Readings -------------------------------------------------------------------

    async def read_balances(self, cards: Sequence[CardRef]) -> BalanceRead:
        """
        Read cards in one snapshot.
        """
        self.reach("read")
        indexes = {ref.number_index for ref in cards}
        found = [c for c in self.cards.values() if c.number_index in indexes]
        return BalanceRead(found, self.clock, self.rules.version)

    async def read_requests(
        self, keys: Sequence[RequestKey]
    ) -> dict[RequestKey, StoredRequest]:
        """
        Read what is kept.
        """
        self.reach("read")
        return {key: self.stored(key) for key in keys if key in self.keys}

    async def policy_version(self) -> int:
        """
        Tell the version in force.
        """
        self.reach("policy")
        return self.rules.version

    async def load_policy(self, known: Policy | None) -> Policy:
        """
        Give the policy in force.
        """
        self.reach("policy")
        return self.rules

    # --- What is committed ----------------------------------------------------------

    def stored(self, key: RequestKey) -> StoredRequest:
        """
        Give what stands under a key, with what has become of it.
        """
        transaction_id, fingerprint = self.keys[key]
        record = self.records[transaction_id]
        later: set[TransactionId] = set()
        if (
            record.activity is ActivityType.ACTIVATE
            and record.result in APPROVALS
            and record.card_id is not None
        ):
            later = {
                other.transaction_id
                for other in self._chains[record.card_id]
                if other.transaction_id is not None
                and other.activity not in NO_USE
                and (other.card_seq or 0) > (record.card_seq or 0)
            }
        return StoredRequest(
            fingerprint=fingerprint,
            record=record,
            reversed=self._undone.get(transaction_id) is ActivityType.REVERSAL,
            later_activity=frozenset(later - self._undone.keys()),
            voided=self._undone.get(transaction_id) is ActivityType.VOID,
            refunds=self._refunded(transaction_id),
            confirmed=transaction_id in self._confirmed,
            step=self.steps.get(transaction_id),
        )

    def _refunded(self, sale: TransactionId) -> Refunds:
        """
        Sum up the refunds of a sale that were not undone.
        """
        standing = [
            refund
            for refund in self._refunds.get(sale, [])
            if refund.transaction_id not in self._undone
        ]
        return Refunds(
            sum(refund.approved_minor for refund in standing),
            sum(refund.card_minor for refund in standing),
        )

    def recent(self, card_id: CardId, since: datetime) -> tuple[Use, ...]:
        """
        Give the uses of a card since a moment that were not undone.
        """
        uses = map(use_of, self._chains.get(card_id, []))
        return tuple(
            use
            for use in uses
            if use is not None
            and use.at > since
            and use.transaction_id not in self._undone
        )

    def apply(self, writes: WriteSet, claims: Iterable[Claim]) -> None:
        """
        Commit, or refuse all of it as the schema would.
        """
        for record in writes.records:
            if record.request_id in self.poison:
                raise self.poison[record.request_id]
            fake_walls.refuse_record(record)
        for card in writes.cards:
            fake_walls.refuse_card(card)
            locked = writes.card_versions[card.card_id]
            assert locked == self.cards[card.card_id].version, "the lock was not kept"
        fake_walls.refuse_postings(writes.postings)
        fake_walls.refuse_holds(writes, self.holds, self.steps.values())
        fake_walls.refuse_exceptions(writes.exceptions)
        fake_walls.refuse_tries(writes.tries, self.pins)
        fake_walls.refuse_uses(writes.uses.values())
        self._refuse_links(writes, claims)
        self.commits += 1
        for record in writes.records:
            assert record.transaction_id is not None
            self.records[record.transaction_id] = record
            if record.card_seq is not None and record.card_id is not None:
                self._chains.setdefault(record.card_id, []).append(record)
            self._link(record)
        self.postings.extend(writes.postings)
        self.holds.update({hold.hold_id: hold for hold in writes.holds})
        for one in writes.tries:
            self.pins[one.card_id] = self.pins[one.card_id].tried(one)
        self.steps.update({step.transaction_id: step for step in writes.steps})
        for item in writes.exceptions:
            self.exceptions.setdefault((item.transaction_id, item.kind), item)
        self.asked.extend(writes.adjustments_asked)
        self.approved.extend(writes.adjustments_approved)
        self.audit.extend(writes.audit)
        self.cards.update({card.card_id: card for card in writes.cards})
        self.uses.update(writes.uses)
        self.terminal_uses.update(writes.terminal_uses)
        self.keys.update({c.key: (c.transaction_id, c.fingerprint) for c in claims})

    def _link(self, record: TransactionRecord) -> None:
        """
        Note what a record made of its original.
        """
        original = record.original_transaction_id
        if original is None:
            return
        if record.effective and record.activity in {ActivityType.CONFIRM, *ADJUSTMENTS}:
            self._confirmed.add(original)
        elif record.effective:
            self._undone[original] = record.activity
        elif record.activity is ActivityType.REFUND and record.result in APPROVALS:
            self._refunds.setdefault(original, []).append(record)

    def _refuse_links(self, writes: WriteSet, claims: Iterable[Claim]) -> None:
        """
        Hold foreign and unique keys, and that each row stands under a key of its own.
        """
        new = {record.transaction_id for record in writes.records}
        own = {claim.key: claim.transaction_id for claim in claims}
        if any(claim.transaction_id not in new for claim in claims):
            _refuse("request_key_transaction_fkey")
        undone = set(self._undone)
        confirmed = set(self._confirmed)
        refunded = {sale: list(made) for sale, made in self._refunds.items()}
        for record in writes.records:
            if record.request_id is not None:
                key = RequestKey(record.terminal_id, record.request_id)
                assert own[key] == record.transaction_id, "a row without its own claim"
            original = record.original_transaction_id
            if original is not None and original not in new | self.records.keys():
                _refuse("transaction_original_fkey")
            if record.effective and original is not None:
                taken, name = undone, "transaction_effective_reversal_key"
                if record.activity is ActivityType.CONFIRM:
                    taken, name = confirmed, "transaction_confirm_key"
                if original in taken:
                    _refuse(name, overtaken=taken is undone)
                taken.add(original)
            elif record.activity is ActivityType.REFUND and record.result in APPROVALS:
                assert original is not None
                refunded.setdefault(original, []).append(record)
        rows = self.records | {row.transaction_id: row for row in writes.records}
        for sale, refunds in refunded.items():
            standing = [one for one in refunds if one.transaction_id not in undone]
            approved = 0 if sale in undone else rows[sale].approved_minor
            if sum(refund.approved_minor for refund in standing) > approved:
                _refuse("transaction_refund_check")
        self._refuse_chains(writes)

    def _refuse_chains(self, writes: WriteSet) -> None:
        """
        Hold `(card_id, card_seq)` unique, and the last of each to the card's version.
        """
        last = {card_id: card.version for card_id, card in self.cards.items()}
        for record in writes.records:
            if record.card_seq is not None and record.card_id is not None:
                if record.card_seq != last[record.card_id] + 1:
                    _refuse("transaction_card_seq_key")
                last[record.card_id] += 1
        assert all(card.version == last[card.card_id] for card in writes.cards)

    def closed(self) -> None:
        """
        Hear that the open transaction ended.
        """
        self._open = None


def _refuse(constraint: str, *, overtaken: bool = False) -> None:
    fault = OvertakenError if overtaken else ItemFaultError
    raise fault(f"violates {constraint}", constraint=constraint)
