"""
One attempt at a batch: claim and lock, decide in arrival order, write and commit.

An attempt either answers every item it was given, or asks to be started again with what
it learned, or raises a fault of the books. Only `Restart` and the books' faults leave
it.
"""

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.auditing import acting_of
from gateway.domain.commands import (
    IncrementAuthorization,
    Moving,
    Naming,
    ResetPin,
    Reverse,
)
from gateway.domain.decide import activity_of, decide
from gateway.domain.decision import Decision, Stamp, View, answer_unrecorded
from gateway.domain.errors import GatewayError, InvariantError
from gateway.domain.ids import CardId, RequestKey, TransactionId
from gateway.domain.policy import Place, Policy
from gateway.domain.results import CurrentState, Result
from gateway.engine.answers import Answer
from gateway.engine.counted import (
    counted_terminals,
    looking_back,
    missing_cards,
    missing_terminals,
)
from gateway.engine.enquiries import answer_enquiries, refuse_callers
from gateway.engine.hints import Done, Hints, RestartError
from gateway.engine.items import Asking, Enquiry, Entry, Item, Sweep
from gateway.engine.journal import Journal
from gateway.engine.kept import same_content, state_of
from gateway.engine.locking import Claim, Locked, LockRequest
from gateway.engine.ports import BatchTransaction
from gateway.engine.releasing import FIRST_BATCH_NO, may_be_due, moment, release_due
from gateway.engine.stored import NOTHING_STORED, Stored
from gateway.engine.tools import Tools
from gateway.engine.usage import Usage


class Attempt:
    """
    One attempt at one batch.
    """

    def __init__(
        self,
        tools: Tools,
        entries: Sequence[Entry],
        hints: Hints,
        patience_ms: int | None = None,
    ) -> None:
        self._tools = tools
        self._hints = hints
        self._patience_ms = patience_ms
        items = [entry for entry in entries if isinstance(entry, Item)]
        self._sweeps = [entry for entry in entries if isinstance(entry, Sweep)]
        self._enquiries = [entry for entry in entries if isinstance(entry, Enquiry)]
        ids = tools.ids.take(len(items))
        self._items = list(zip(items, ids, strict=True))
        self._commands = [item.command for item in items]
        self._claims: dict[RequestKey, Claim] = {}
        self._tombstones: list[RequestKey] = []
        self._plan_claims()

    async def run(self) -> Done:
        """
        Run it to its commit.

        Raises:
            RestartError: rolled back; start again with the hints as they are now.
            ItemFaultError, LockTimeoutError, SerializationError, BooksUnavailableError:
                nothing is committed.
            CommitUnknownError: the commit was sent and its outcome is not known.

        """
        await self._look_up_originals()
        transaction, locked = await self._tools.books.open(self._lock_request())
        try:
            journal, answers = await self._decide(transaction, locked)
        except BaseException:
            await transaction.rollback()
            raise
        ours = {card.card_id for card in locked.cards}
        swept = [sweep for sweep in self._sweeps if sweep.card_id in ours]
        busy = [sweep for sweep in self._sweeps if sweep.card_id not in ours]
        writes = journal.write_set()
        if writes.is_empty:
            await transaction.rollback()
            return Done(answers, swept=swept, busy=busy)
        await self._tools.faults.reach("before_commit")
        await transaction.commit(writes)
        await self._tools.faults.reach("after_commit")
        return Done(answers, writes.cards, writes.holds, swept, busy)

    def _plan_claims(self) -> None:
        """
        Claim each key for whom it is named first, in arrival order (design 3).
        """
        claims = self._claims
        for item, transaction_id in self._items:
            command = item.command
            key = command.key
            if key not in claims:
                claims[key] = Claim(key, transaction_id, command.fingerprint)
            if isinstance(command, Reverse) and item not in self._hints.untombed:
                original = command.original
                if original not in claims:
                    claims[original] = Claim(original, transaction_id, None)
                    self._tombstones.append(original)

    async def _look_up_originals(self) -> None:
        """
        Find the cards of items that name only an original, so that they can be locked.
        """
        originals = {
            item.command.original
            for item, _ in self._items
            if isinstance(item.command, Naming)
        }
        if originals:
            known = sorted(self._hints.cards)
            found = await self._tools.books.cards_of(sorted(originals), known)
            self._hints.cards |= found

    def _lock_request(self) -> LockRequest:
        pinned = {enquiry.question.card.number_index for enquiry in self._enquiries}
        indexes = set(pinned)
        for item, _ in self._items:
            command = item.command
            if command.card is not None and not isinstance(command, Naming):
                indexes.add(command.card.number_index)
                if command.pin is not None or isinstance(command, ResetPin):
                    pinned.add(command.card.number_index)
            if isinstance(command, Moving):
                indexes.add(command.other.number_index)
        swept = {sweep.card_id for sweep in self._sweeps}
        # Which card of the batch an increment acts on is known when they are locked.
        grows = any(isinstance(one, IncrementAuthorization) for one in self._commands)
        return LockRequest(
            card_indexes=list(indexes),
            card_ids=list(self._hints.cards | swept),
            # Whoever holds a card releases what is due on it: no sweep waits for that.
            waits=bool(self._items),
            claims=list(self._claims.values()),
            terminals=list(
                self._hints.terminals
                | counted_terminals(self._commands, self._tools.policies.current)
            ),
            pin_indexes=list(indexes if grows else pinned),
            pin_card_ids=list(self._hints.cards) if grows else (),
            patience_ms=self._patience_ms,
        )

    async def _decide(
        self, transaction: BatchTransaction, locked: Locked
    ) -> tuple[Journal, list[tuple[Asking, Answer]]]:
        policy = await self._tools.policies.at_least(locked.policy_version)
        places = self._check_callers(policy)
        stored = await self._read_stored(transaction, locked, policy)
        journal = Journal(locked, stored, Usage(locked, stored, policy))
        self._check_cards(journal)
        missing = missing_terminals(self._commands, policy, journal, locked)
        if missing:
            self._hints.terminals.update(missing)
            raise RestartError("terminal not locked")
        release_due(journal, policy, locked.clock, self._tools)
        answers: list[tuple[Asking, Answer]] = []
        refused: dict[Asking, GatewayError] = {}
        for (item, transaction_id), place in zip(self._items, places, strict=True):
            try:
                answer = self._answer(
                    item, transaction_id, place, policy, journal, locked.clock
                )
            except RestartError:
                raise
            except Exception as error:  # noqa: BLE001 - one bad item fails alone
                fault = InvariantError("the decision failed")
                fault.__cause__ = error
                refused[item] = fault
                break
            answers.append((item, answer))
            journal.audit(item.command, answer, locked.clock)
        told, failed = answer_enquiries(self._enquiries, journal, policy, locked.clock)
        answers += told
        refused |= failed
        if refused:
            raise RestartError("decision failed", refused)
        self._check_tombstones(journal, locked.won)
        return journal, answers

    async def _read_stored(
        self, transaction: BatchTransaction, locked: Locked, policy: Policy
    ) -> Stored:
        """
        Read what is kept under lost keys, the originals that nobody claims, and holds.

        Those stand still all the same: whatever makes something of an original or of a
        hold locks its card first, and the cards are locked.
        """
        lost = [key for key in self._claims if key not in locked.won]
        unclaimed = {
            item.command.original
            for item, _ in self._items
            if isinstance(item.command, Naming)
        }.difference(self._claims)
        holders = self._holders(locked)
        back = looking_back(locked, policy)
        if not lost and not unclaimed and not holders and not back:
            return NOTHING_STORED
        keys = [*lost, *sorted(unclaimed)]
        stored = await transaction.read_stored(keys, holders, back)
        if not stored.requests.keys() >= set(lost):
            message = "a request key that was not won is not there"
            raise InvariantError(message)
        return stored

    def _holders(self, locked: Locked) -> list[CardId]:
        """
        Give the cards whose open holds are needed: some may be over, or they move.
        """
        moving = {
            item.command.card.number_index
            for item, _ in self._items
            if isinstance(item.command, Moving) and item.command.card is not None
        }
        return [
            card.card_id
            for card in locked.cards
            if may_be_due(card, locked.clock) or card.number_index in moving
        ]

    def _check_callers(self, policy: Policy) -> list[Place]:
        """
        Check 1 again, with the policy in force: who was revoked is left out.
        """
        places: list[Place] = []
        refused: dict[Asking, GatewayError] = {}
        refused |= refuse_callers(self._enquiries, policy)
        for item, _ in self._items:
            try:
                command = item.command
                places.append(
                    policy.check_caller(
                        item.caller, command.terminal_id, acting_of(command)
                    )
                )
            except GatewayError as fault:
                refused[item] = fault
        if refused:
            raise RestartError("caller refused", refused)
        return places

    def _check_cards(self, journal: Journal) -> None:
        """
        Start again where an original's card proves not to be locked, or its successor.
        """
        missing = missing_cards(self._commands, journal)
        if missing:
            self._hints.cards |= missing
            raise RestartError("card not locked")

    def _check_tombstones(self, journal: Journal, won: frozenset[RequestKey]) -> None:
        """
        Start again without a tombstone that its reversal did not earn.

        The reversal proved to be a replay, a DUPLICATE, or a decline before check 15.
        The key is then for the original, should it come later in the batch, or for the
        next reversal that names it.
        """
        unearned = {
            original
            for original in self._tombstones
            if original in won
            and journal.tombstone_of(original) != self._claims[original].transaction_id
        }
        if unearned:
            # All that name it in vain, or each would claim it in the next attempt.
            self._hints.untombed.update(
                item
                for item, transaction_id in self._items
                if isinstance(item.command, Reverse)
                and item.command.original in unearned
                and journal.tombstone_of(item.command.original) != transaction_id
            )
            raise RestartError("tombstone not earned")

    def _answer(
        self,
        item: Item,
        transaction_id: TransactionId,
        place: Place,
        policy: Policy,
        journal: Journal,
        clock: datetime,
    ) -> Answer:
        command = item.command
        card = journal.card_of(command)
        other = journal.other_of(command)
        now = moment(card, clock)
        code = self._tools.codes.approval_code(transaction_id)
        stamp = Stamp(transaction_id, code, now, FIRST_BATCH_NO)
        used = journal.used(card, command.terminal_id)
        pin = journal.pin_of(card)
        view = View(place, card, policy, stamp, other, used=used, pin=pin)
        if isinstance(command, Moving):
            view = self._view_of_two(view, journal)
        kept = journal.kept(command.key)
        if kept is not None:
            if kept.fingerprint is not None and same_content(
                command, kept.fingerprint, self._tools.codes
            ):
                state = state_of(kept)
                return Answer(kept.record, replayed=True, state=state, step=kept.step)
            late = kept.fingerprint is None
            result = Result.ALREADY_REVERSED if late else Result.DUPLICATE
            record = answer_unrecorded(command, view, activity_of(command), result)
            return Answer(record, replayed=False, state=CurrentState.DECLINED)
        original = None
        if isinstance(command, Naming):
            original = journal.original_of(command)
        decision = decide(command, view, original)
        if isinstance(command, Reverse) and self._lacks_claim(
            command, decision, journal
        ):
            self._hints.untombed.discard(item)
            raise RestartError("tombstone needed")
        return journal.add(command, decision)

    def _view_of_two(self, view: View, journal: Journal) -> View:
        """
        Give a command of two cards what it needs besides.

        That is one moment for both, an id for the second one's row, and the first
        one's open holds.
        """
        (second_id,) = self._tools.ids.take(1)
        stamp = view.stamp._replace(
            now=moment(view.other, view.stamp.now), second_id=second_id
        )
        card = view.card
        holds = () if card is None else journal.open_holds(card.card_id)
        return view._replace(stamp=stamp, holds=holds)

    def _lacks_claim(
        self, command: Reverse, decision: Decision, journal: Journal
    ) -> bool:
        """
        Tell whether a reversal leaves a tombstone under a key not claimed for one.

        An earlier attempt gave the claim up, and the original, later in the batch, may
        hold it now. (Claimed for another reversal, `_check_tombstones` hands it on.)
        """
        original = command.original
        if (
            decision.record.result is not Result.ORIGINAL_NOT_FOUND
            or original == command.key
            or journal.kept(original) is not None
        ):
            return False
        claim = self._claims.get(original)
        return claim is None or claim.fingerprint is not None
