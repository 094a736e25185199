"""
Keep what a batch knows while it decides (design 3).

That is the cards as they stand after each decision, and what is kept under each request
key, stored before or decided a moment ago.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gateway.domain.auditing import AuditEntry, audit_of
from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import Card
from gateway.domain.commands import (
    CardRef,
    Command,
    Moving,
    Naming,
    Reverse,
)
from gateway.domain.decision import Decision
from gateway.domain.exceptions import ExceptionItem
from gateway.domain.holds import Hold, HoldStep
from gateway.domain.ids import CardId, RequestKey, TerminalId, TransactionId
from gateway.domain.limits import Used
from gateway.domain.originals import Original, Refunds
from gateway.domain.record import (
    AdjustmentApproved,
    AdjustmentAsked,
    Posting,
    TransactionRecord,
)
from gateway.domain.results import (
    ADJUSTMENTS,
    APPROVALS,
    NO_USE,
    ActivityType,
    Channel,
    Result,
)
from gateway.engine.answers import Answer
from gateway.engine.kept import Kept, kept_of, state_of
from gateway.engine.kept_holds import KeptHolds
from gateway.engine.lines import last_of, line_of, missing_of
from gateway.engine.locking import Locked
from gateway.engine.ports import WriteSet
from gateway.engine.stored import Stored
from gateway.engine.usage import Usage


class Journal:
    """
    The state of one batch, from its locked read to its write.
    """

    def __init__(self, locked: Locked, stored: Stored, usage: Usage) -> None:
        self._usage = usage
        self._cards = {card.card_id: card for card in locked.cards}
        self._by_index = {card.number_index: card.card_id for card in locked.cards}
        self._locked_versions = {card.card_id: card.version for card in locked.cards}
        self._kept = {key: kept_of(found) for key, found in stored.requests.items()}
        self._holds = KeptHolds(stored.holds)
        self._steps: list[HoldStep] = []
        self._records: list[TransactionRecord] = []
        self._postings: list[Posting] = []
        self._exceptions: list[ExceptionItem] = []
        self._changed: dict[CardId, Card] = {}
        self._undone: set[TransactionId] = set()
        self._pins = {pin.card_id: pin for pin in locked.pins}
        self._tries: dict[tuple[CardId, Channel], PinTries] = {}
        self._asked: list[AdjustmentAsked] = []
        self._approved: list[AdjustmentApproved] = []
        self._audit: list[AuditEntry] = []

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

    def card_of(self, command: Command) -> Card | None:
        """
        Give the card a command is about, as it stands now.
        """
        if isinstance(command, Naming):
            found = self._kept.get(command.original)
            if found is None or found.record.card_id is None:
                return None
            return last_of(self._cards, found.record.card_id)
        return None if command.card is None else self._card_at(command.card)

    def other_of(self, command: Command) -> Card | None:
        """
        Give the second card of a command that names two.
        """
        return self._card_at(command.other) if isinstance(command, Moving) else None

    def terminal_counted(self, key: RequestKey) -> TerminalId | None:
        """
        Give the terminal for which what stands under a key was counted, if it was.
        """
        found = self._kept.get(key)
        if found is None or found.record.terminal_minor is None:
            return None
        return found.record.terminal_id

    def card_at(self, ref: CardRef) -> Card | None:
        """
        Give a card named by its number, as it stands now.
        """
        return self._card_at(ref)

    def pin_of(self, card: Card | None) -> CardPin | None:
        """
        Give what is kept of a card's PIN, with what this batch has counted.
        """
        return None if card is None else self._pins.get(card.card_id)

    def count(self, tries: Iterable[PinTries]) -> None:
        """
        Take in what is counted of PINs.
        """
        for counted in tries:
            card_id = counted.card_id
            self._pins[card_id] = self._pins[card_id].tried(counted)
            self._tries[card_id, counted.channel] = counted

    def missing_card(self, key: RequestKey) -> CardId | None:
        """
        Give the card that what stands under a key is about, if it is not locked.

        Of a card that was replaced that is its successor, which acts in its place.
        """
        found = self._kept.get(key)
        return missing_of(self._cards, found.record.card_id if found else None)

    def missing_successor(self, command: Command) -> CardId | None:
        """
        Give the successor of the card that a command names, if it is not locked.
        """
        card = self.card_of(command)
        return None if card is None else missing_of(self._cards, card.card_id)

    def card(self, card_id: CardId) -> Card:
        """
        Give a locked card as it stands now.
        """
        return self._cards[card_id]

    def used(self, card: Card | None, terminal_id: TerminalId) -> Used:
        """
        Give what is used of the limits that a request on a card, here, must obey.
        """
        return self._usage.used(card, terminal_id)

    def cards(self) -> list[Card]:
        """
        Give all cards that are locked, as they stand now.
        """
        return list(self._cards.values())

    def open_holds(self, card_id: CardId) -> tuple[Hold, ...]:
        """
        Give the open holds of a card, as far as they were read.
        """
        return self._holds.open_on(card_id)

    def take_over(self, card: Card) -> None:
        """
        Take over a card whose first expiry was found out.

        That alone writes no row: it is kept when the card changes for another reason.
        """
        self._cards[card.card_id] = card
        if card.card_id in self._changed:
            self._changed[card.card_id] = card

    def original_of(self, command: Naming) -> Original | None:
        """
        Give what a command names; None where nothing or a tombstone stands there.
        """
        found = self._kept.get(command.original)
        if found is None or found.fingerprint is None:
            return None
        record = found.record
        followed = record.activity is ActivityType.ACTIVATE and self._followed(found)
        line = line_of(self._cards, record.card_id)
        return Original(
            record,
            found.reversed,
            followed,
            found.voided,
            found.refunds,
            found.confirmed,
            self._holds.get(found.step.hold_id) if found.step else None,
            line[0].number_index if line else None,
            tuple(card.number_index for card in line[1:]),
        )

    def add(self, command: Command, decision: Decision) -> Answer:
        """
        Take a decision in, so that the next one sees its effect.
        """
        original = None
        if isinstance(command, Naming):
            original = self._kept.get(command.original)
        self.add_unasked(decision, original)
        record, step = decision.record, decision.step
        kept = Kept(command.fingerprint, record, reversed=False, step=step)
        self._kept[command.key] = kept
        if isinstance(command, Naming):
            self._add_effect(command, record)
        return Answer(record, replayed=False, state=state_of(kept), step=step)

    def add_unasked(self, decision: Decision, original: Kept | None = None) -> None:
        """
        Take in what no request of its own brought about, or what names an original.
        """
        self._count(decision, original)
        self._records.append(decision.record)
        self._postings.extend(decision.postings)
        if decision.card is not None:
            self._cards[decision.card.card_id] = decision.card
            self._changed[decision.card.card_id] = decision.card
        for hold in decision.holds:
            self._holds.change(hold, decision.record)
        if decision.step is not None:
            self._steps.append(decision.step)
        if decision.exception is not None:
            self._exceptions.append(decision.exception)
        if decision.tries:
            self.count(decision.tries)
        if isinstance(decision.adjustment, AdjustmentAsked):
            self._asked.append(decision.adjustment)
        elif decision.adjustment is not None:
            self._approved.append(decision.adjustment)
        for further in decision.also:
            self.add_unasked(further)

    def _count(self, decision: Decision, original: Kept | None) -> None:
        """
        Count what limits count of a decision, by the hold that it is about, if any.
        """
        step = decision.step
        if step is None and original is not None:
            step = original.step
        hold = None if step is None else self._holds.get(step.hold_id)
        self._usage.add(
            decision.record,
            None if original is None else original.record,
            None if hold is None else hold.placed_at,
        )

    def audit(self, command: Command, answer: Answer, clock: datetime) -> None:
        """
        Note what one of the staff was answered; a till's request is none of the audit.
        """
        record, replayed = answer.record, answer.replayed
        at = clock if replayed else record.host_time
        entry = audit_of(command, record, at=at, replayed=replayed)
        if entry is not None:
            self._audit.append(entry)

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
            holds=self._holds.changed,
            steps=self._steps,
            exceptions=self._exceptions,
            uses=self._usage.of_cards(self._changed),
            terminal_uses=self._usage.of_terminals(),
            tries=list(self._tries.values()),
            adjustments_asked=self._asked,
            adjustments_approved=self._approved,
            audit=self._audit,
        )

    def _card_at(self, ref: CardRef) -> Card | None:
        card_id = self._by_index.get(ref.number_index)
        return None if card_id is None else self._cards[card_id]

    def _add_effect(self, command: Naming, record: TransactionRecord) -> None:
        """
        Keep what a command made of its original, or the tombstone that it left.
        """
        original = self._kept.get(command.original)
        if original is None:
            lost = record.result is Result.ORIGINAL_NOT_FOUND
            if lost and isinstance(command, Reverse):
                self._kept[command.original] = Kept(None, record, reversed=False)
        elif record.activity is ActivityType.CONFIRM:
            if record.effective:
                self._kept[command.original] = replace(original, confirmed=True)
        elif record.effective and record.activity in ADJUSTMENTS:
            self._kept[command.original] = replace(original, confirmed=True)
        elif record.effective and original.record.transaction_id is not None:
            self._undone.add(original.record.transaction_id)
            voided = record.activity is ActivityType.VOID
            self._kept[command.original] = replace(
                original, reversed=not voided, voided=voided
            )
            if original.record.activity is ActivityType.REFUND:
                self._add_refund(original.record, sign=-1)
        elif record.result not in APPROVALS:
            return
        elif record.activity is ActivityType.REFUND:
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
            and record.activity not in NO_USE
            and (record.card_seq or 0) > (first.card_seq or 0)
        }
        return bool((activation.later_activity | since) - self._undone)
