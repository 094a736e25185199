"""
Keep what a batch knows while it decides (design 3).

That is the cards as they stand after each decision, and what is kept under each request
key, stored before or decided a moment ago.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.domain.cards import Card
from gateway.domain.commands import Command, Fingerprint, Naming, Reverse
from gateway.domain.decision import Decision
from gateway.domain.ids import CardId, RequestKey, TransactionId
from gateway.domain.originals import NO_REFUNDS, Original, Refunds
from gateway.domain.record import Posting, TransactionRecord
from gateway.domain.results import (
    APPROVALS,
    UNDOINGS,
    ActivityType,
    CurrentState,
    Result,
)
from gateway.engine.answers import Answer
from gateway.engine.ports import Codes, Locked, StoredRequest, WriteSet

_NO_ACTIVITY: frozenset[TransactionId] = frozenset()


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What stands under a request key. Without a fingerprint it is a tombstone.
    """

    fingerprint: Fingerprint | None
    record: TransactionRecord
    reversed: bool
    later_activity: frozenset[TransactionId] = _NO_ACTIVITY
    voided: bool = False
    refunds: Refunds = NO_REFUNDS


class Journal:
    """
    The state of one batch, from its locked read to its write.
    """

    def __init__(
        self, locked: Locked, stored: Mapping[RequestKey, StoredRequest]
    ) -> None:
        self._cards = {card.card_id: card for card in locked.cards}
        self._by_index = {card.number_index: card.card_id for card in locked.cards}
        self._locked_versions = {card.card_id: card.version for card in locked.cards}
        self._kept = {key: kept_of(found) for key, found in stored.items()}
        self._records: list[TransactionRecord] = []
        self._postings: list[Posting] = []
        self._changed: dict[CardId, Card] = {}
        self._undone: set[TransactionId] = set()

    def kept(self, key: RequestKey) -> Kept | None:
        """
        Give what stands under a key, if anything does.
        """
        return self._kept.get(key)

    def tombstone_of(self, key: RequestKey) -> TransactionId | None:
        """
        Give the reversal that stands under a key in place of its original, if one does.
        """
        found = self._kept.get(key)
        if found is None or found.fingerprint is not None:
            return None
        return found.record.transaction_id

    def knows(self, card_id: CardId) -> bool:
        """
        Tell whether a card's row is locked.
        """
        return card_id in self._cards

    def card_of(self, command: Command) -> Card | None:
        """
        Give the card a command is about, as it stands now.
        """
        if isinstance(command, Naming):
            found = self._kept.get(command.original)
            if found is None or found.record.card_id is None:
                return None
            return self._cards.get(found.record.card_id)
        if command.card is None:
            return None
        card_id = self._by_index.get(command.card.number_index)
        return None if card_id is None else self._cards[card_id]

    def original_of(self, command: Naming) -> Original | None:
        """
        Give what a command names; None where nothing or a tombstone stands there.
        """
        found = self._kept.get(command.original)
        if found is None or found.fingerprint is None:
            return None
        record = found.record
        followed = record.activity is ActivityType.ACTIVATE and self._followed(found)
        return Original(record, found.reversed, followed, found.voided, found.refunds)

    def add(self, command: Command, decision: Decision) -> Answer:
        """
        Take a decision in, so that the next one sees its effect.
        """
        record = decision.record
        self._records.append(record)
        self._postings.extend(decision.postings)
        if decision.card is not None:
            self._cards[decision.card.card_id] = decision.card
            self._changed[decision.card.card_id] = decision.card
        kept = Kept(command.fingerprint, record, reversed=False)
        self._kept[command.key] = kept
        if isinstance(command, Naming):
            self._add_effect(command, record)
        return Answer(record, replayed=False, state=state_of(kept))

    def write_set(self) -> WriteSet:
        """
        Give what the batch has to write.
        """
        return WriteSet(
            records=self._records,
            postings=self._postings,
            cards=list(self._changed.values()),
            card_versions={
                card_id: self._locked_versions[card_id] for card_id in self._changed
            },
        )

    def _add_effect(self, command: Naming, record: TransactionRecord) -> None:
        """
        Keep what a command made of its original, or the tombstone that it left.
        """
        original = self._kept.get(command.original)
        if original is None:
            lost = record.result is Result.ORIGINAL_NOT_FOUND
            if lost and isinstance(command, Reverse):
                self._kept[command.original] = Kept(None, record, reversed=False)
        elif record.effective and original.record.transaction_id is not None:
            self._undone.add(original.record.transaction_id)
            voided = record.activity is ActivityType.VOID
            self._kept[command.original] = replace(
                original, reversed=not voided, voided=voided
            )
            if original.record.activity is ActivityType.REFUND:
                self._add_refund(original.record, sign=-1)
        elif record.activity is ActivityType.REFUND and record.result in APPROVALS:
            self._add_refund(record, sign=1)

    def _add_refund(self, refund: TransactionRecord, *, sign: int) -> None:
        """
        Count a refund that stands now (1), or no more (-1), if its sale is known here.
        """
        for key, sale in self._kept.items():
            is_sale = sale.record.transaction_id == refund.original_transaction_id
            if is_sale and sale.fingerprint is not None:
                before = sale.refunds
                after = Refunds(
                    before.approved_minor + sign * refund.approved_minor,
                    before.card_minor + sign * refund.card_minor,
                )
                self._kept[key] = replace(sale, refunds=after)
                return

    def _followed(self, activation: Kept) -> bool:
        """
        Tell whether something approved and unreversed came after an activation.
        """
        first = activation.record
        since = {
            record.transaction_id
            for record in self._records
            if record.card_id == first.card_id
            and record.result in APPROVALS
            and record.activity not in UNDOINGS
            and (record.card_seq or 0) > (first.card_seq or 0)
        }
        return bool((activation.later_activity | since) - self._undone)


def kept_of(stored: StoredRequest) -> Kept:
    """
    Give what was read as what is kept.
    """
    return Kept(
        stored.fingerprint,
        stored.record,
        stored.reversed,
        stored.later_activity,
        stored.voided,
        stored.refunds,
    )


def state_of(kept: Kept) -> CurrentState:
    """
    Derive what has become of a recorded transaction; refunded in part it is posted.
    """
    if kept.record.result not in APPROVALS:
        return CurrentState.DECLINED
    if kept.voided:
        return CurrentState.VOIDED
    refunded = kept.refunds.approved_minor
    if refunded and refunded == kept.record.approved_minor:
        return CurrentState.REFUNDED
    return CurrentState.REVERSED if kept.reversed else CurrentState.POSTED


def same_content(command: Command, stored: Fingerprint, codes: Codes) -> bool:
    """
    Tell whether a request repeats the stored one, under the key that one was made with.
    """
    tag = command.fingerprint.tag
    if command.fingerprint.key_id != stored.key_id:
        tag = codes.fingerprint(command.content, stored.key_id)
    return hmac.compare_digest(tag, stored.tag)
