"""
What every decision sees and gives.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import Card
from gateway.domain.checks import refuse_card
from gateway.domain.commands import Amount, CardRef, TillContext
from gateway.domain.exceptions import ExceptionItem
from gateway.domain.holds import Hold, HoldStep
from gateway.domain.ids import RequestId, TerminalId, TransactionId
from gateway.domain.limits import NOTHING_USED, Exceeded, Used
from gateway.domain.policy import Place, Policy
from gateway.domain.pricing import NOT_CONVERTED, Price
from gateway.domain.record import (
    AdjustmentApproved,
    AdjustmentAsked,
    Posting,
    TransactionRecord,
)
from gateway.domain.restrictions import Refusal
from gateway.domain.results import (
    STAFF_CHANNELS,
    TO_CONFIRM,
    ActivityType,
    Channel,
    Result,
)


class Stamp(NamedTuple):
    """
    What the host gives a transaction, made outside because it needs ids, keys and time.

    `now` is the batch's clock, never below the card's last transaction (design 3). What
    is answered but not recorded has no transaction id. `second_id` is for the row that
    a transaction of two cards writes for the second one.
    """

    transaction_id: TransactionId | None
    approval_code: str
    now: datetime
    batch_no: int
    second_id: TransactionId | None = None


class Seeing(Protocol):
    """
    What a decision sees, to be written down for its record.
    """

    def written(self, *, pin_right: bool | None) -> bytes:
        """
        Write it, with what the decision found of a PIN; None: it compared none.
        """
        ...


class View(NamedTuple):
    """
    What a decision may look at.

    The place, the card under its lock, the policy in force, and the stamp. `other` is
    the second card of a command that names two; `holds` are the OPEN ones of `card`,
    given to a command that moves them. `used` is what is used of the limits, `pin` what
    is kept of the card's, given to a command that carries one or must not pass one that
    is locked. `seen` is all this, to be written down for the record.
    """

    place: Place
    card: Card | None
    policy: Policy
    stamp: Stamp
    other: Card | None = None
    holds: tuple[Hold, ...] = ()
    used: Used = NOTHING_USED
    pin: CardPin | None = None
    seen: Seeing | None = None


class Asked(Protocol):
    """
    What a record takes over from a command or a question.
    """

    @property
    def request_id(self) -> RequestId | None:
        """
        Give the till's id, where there is one.
        """
        ...

    @property
    def terminal_id(self) -> TerminalId:
        """
        Give the terminal it counts for.
        """
        ...

    @property
    def card(self) -> CardRef | None:
        """
        Give the card's number as it is kept, where one was sent.
        """
        ...

    @property
    def till(self) -> TillContext:
        """
        Give what the till adds for its own books.
        """
        ...

    @property
    def channel(self) -> Channel:
        """
        Give the way it came.
        """
        ...

    @property
    def actor(self) -> str | None:
        """
        Give who of the staff asked, if anyone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What is to be written: the record, its postings, and the card if its row changes.

    `holds` are those that are new or changed, `step` what became of the one the command
    is about. `also` is what the same request brings about besides, on another card.
    `exception` is what people must look at.
    `tries` are the counts of wrong PINs that change.
    `adjustment` is who of the staff asked for one, or let it happen.
    """

    record: TransactionRecord
    postings: tuple[Posting, ...] = ()
    card: Card | None = None
    holds: tuple[Hold, ...] = ()
    step: HoldStep | None = None
    also: tuple["Decision", ...] = ()
    exception: ExceptionItem | None = None
    tries: tuple[PinTries, ...] = ()
    adjustment: AdjustmentAsked | AdjustmentApproved | None = None


class Facts(NamedTuple):
    """
    What differs between records of one activity.

    `pin_right` is what check 10 found; None: it compared no PIN.
    """

    activity: ActivityType
    result: Result
    amount: Amount | None = None
    reason: int | None = None
    price: Price = NOT_CONVERTED
    approved_minor: int = 0
    card_minor: int = 0
    shown: bool = False
    original_transaction_id: TransactionId | None = None
    effective: bool | None = None
    approved: bool = False
    refusal: Refusal | None = None
    offline: bool = False
    unconfirmed: bool = False
    exceeded: Exceeded | None = None
    terminal_minor: int | None = None
    tries: tuple[PinTries, ...] = ()
    pin_right: bool | None = None

    @property
    def particular(self) -> bool:
        """
        Tell whether there is something that few records have.
        """
        return bool(
            self.refusal
            or self.offline
            or self.unconfirmed
            or self.exceeded
            or self.terminal_minor is not None
        )


def waits(place: Place, facts: Facts) -> bool:
    """
    Tell whether an approval has still to be confirmed by its terminal.

    What was sold offline is told once, and done.
    """
    return (
        place.terminal.two_message
        and facts.approved
        and not facts.offline
        and facts.activity in TO_CONFIRM
    )


def write_record(
    command: Asked,
    view: View,
    facts: Facts,
    *,
    before: Card | None,
    after: Card | None,
) -> TransactionRecord:
    """
    Write the row of one request.

    `before` is the card as the decision saw it, None where no card may be told of;
    `after` is given only if its row changes, and gives the record its `card_seq`.
    """
    place, stamp, amount, price = view.place, view.stamp, facts.amount, facts.price
    card, ref, till = after or before, command.card, command.till
    named = card or ref
    record = TransactionRecord(
        transaction_id=stamp.transaction_id,
        terminal_id=command.terminal_id,
        request_id=command.request_id,
        activity=facts.activity,
        result=facts.result,
        merchant_id=place.merchant.merchant_id,
        store_id=place.store.store_id,
        program_id=card.program_id if card else None,
        card_id=card.card_id if card else None,
        card_number_index=ref.number_index if ref and not card else None,
        card_last_four=named.last_four if named else None,
        card_seq=after.version if after else None,
        card_state=card.state if card else None,
        expires_on=card.expires_on if card else None,
        original_transaction_id=facts.original_transaction_id,
        effective=facts.effective,
        reason=facts.reason,
        requested_minor=amount.minor_units if amount else None,
        requested_exponent=amount.exponent if amount else None,
        transaction_currency=amount.currency_code if amount else None,
        approved_minor=facts.approved_minor,
        card_minor=facts.card_minor,
        card_currency=card.currency.code if card else None,
        rate_transaction=price.rate_transaction,
        rate_card=price.rate_card,
        applied_rate=price.applied_rate,
        rate_table_version=price.rate_table_version,
        rate_effective_from=price.rate_effective_from,
        rounding=price.rounding,
        markup_bps=0,
        available_before_minor=before.available_minor if before else None,
        available_after_minor=card.available_minor if card else None,
        balance_before_minor=before.balance_minor if before else None,
        balance_after_minor=card.balance_minor if card else None,
        held_after_minor=card.held_minor if card else None,
        balances_shown=facts.shown and _may_tell(command, view, facts, before, after),
        host_time=stamp.now,
        business_date=place.store.business_date(stamp.now),
        batch_no=stamp.batch_no,
        policy_version=view.policy.version,
        approval_code=stamp.approval_code if facts.approved else None,
        merchant_reference=till.merchant_reference,
        cashier_id=till.cashier_id,
        entry_mode=till.entry_mode,
        local_time=till.local_time,
        system_trace_no=till.system_trace_no,
        terminal_batch_no=till.terminal_batch_no,
        channel=command.channel,
        actor=command.actor,
        seen=view.seen.written(pin_right=facts.pin_right) if view.seen else None,
    )
    return _with_particulars(record, facts, place)


def _may_tell(
    command: Asked, view: View, facts: Facts, before: Card | None, after: Card | None
) -> bool:
    """
    Tell whether an answer may tell the balance, if there is a card to tell of.

    What changes a card has its receipt. What does not needs a PIN where a till needs
    one to ask for the balance: else any sale that is too large would ask for nothing.
    """
    if after is not None or before is None:
        return after is not None
    guarded = view.policy.products[before.product_id].pin_required_for
    return (
        ActivityType.BALANCE not in guarded
        or facts.pin_right is True
        or command.actor is not None
        or command.channel in STAFF_CHANNELS
    )


def _with_particulars(
    record: TransactionRecord, facts: Facts, place: Place
) -> TransactionRecord:
    """
    Add what few records have, to those that have it.
    """
    unconfirmed = facts.unconfirmed or waits(place, facts)
    if not (facts.particular or unconfirmed):
        return record
    refusal, exceeded = facts.refusal, facts.exceeded
    return record._replace(
        refusal=refusal.reason if refusal else None,
        restriction_version_id=refusal.restriction_version_id if refusal else None,
        refusal_hours=refusal.hours if refusal else None,
        offline=facts.offline,
        unconfirmed=unconfirmed,
        limit_kind=exceeded.kind if exceeded else None,
        limit_value=exceeded.value if exceeded else None,
        limit_window_s=exceeded.window_s if exceeded else None,
        limit_version_id=exceeded.version_id if exceeded else None,
        terminal_minor=facts.terminal_minor,
    )


def decline(command: Asked, view: View, facts: Facts) -> Decision:
    """
    Record a refusal: one row, no posting, no change of the card.

    A card that is unknown here, or of a programme not accepted here, is recorded by the
    keyed hash of its number alone, whatever was refused first, so that nothing later
    tells that it exists. Only where a PIN is counted the card's row changes.
    """
    known, after = view.card, None
    if refuse_card(known, view.place, view.policy):
        known = None
    elif known is not None and facts.tries:
        after = known.moved(0, view.stamp.now, expires_on=known.expires_on)
    record = write_record(command, view, facts, before=known, after=after)
    return Decision(record, card=after, tries=facts.tries)


def decline_exceeded(
    command: Asked, view: View, facts: Facts, exceeded: Exceeded
) -> Decision:
    """
    Record a refusal by a limit (check 14): 61 or 65, and balances are shown.
    """
    facts = facts._replace(result=exceeded.result, exceeded=exceeded, shown=True)
    return decline(command, view, facts)


def answer_unrecorded(
    command: Asked, view: View, activity: ActivityType, result: Result
) -> TransactionRecord:
    """
    Answer without keeping: DUPLICATE, and an original under a tombstone (domain 1.2).

    It tells nothing of the card, and has no transaction id.
    """
    bare = view._replace(stamp=view.stamp._replace(transaction_id=None))
    return write_record(command, bare, Facts(activity, result), before=None, after=None)
