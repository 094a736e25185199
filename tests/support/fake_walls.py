"""
The second walls of the books, for fakes: what the schema's constraints refuse.

Each names its constraint as the migrations do; a fake fails where Postgres would.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from currency import MAX_MINOR_UNITS
from gateway.domain.card_pins import CardPin, PinTries
from gateway.domain.cards import Card, CardState
from gateway.domain.exceptions import ExceptionItem, ExceptionKind
from gateway.domain.holds import Hold, HoldState, HoldStep
from gateway.domain.ids import CardId, TransactionId
from gateway.domain.limits import DayUse
from gateway.domain.record import Posting, TransactionRecord
from gateway.domain.results import (
    APPROVALS,
    TO_CONFIRM,
    UNDOINGS,
    ActivityType,
    Result,
)
from gateway.engine.ports import ItemFaultError, WriteSet

_EFFECTIVE = UNDOINGS | {
    ActivityType.ADJUST_INCREMENT,
    ActivityType.ADJUST_DECREMENT,
    ActivityType.CONFIRM,
}
# What may be effective without changing a card.
_MOVES_NOTHING = UNDOINGS | {ActivityType.CONFIRM}
_MOST_TRIES = 10
_RATES = (
    "rate_transaction",
    "rate_card",
    "applied_rate",
    "rate_table_version",
    "rate_effective_from",
    "rounding",
)
_CHAINED = (
    "card_id",
    "program_id",
    "card_currency",
    "card_state",
    "balance_before_minor",
    "balance_after_minor",
    "available_before_minor",
    "available_after_minor",
    "held_after_minor",
)
_BOUNDED = (
    "approved_minor",
    "card_minor",
    "available_before_minor",
    "available_after_minor",
    "balance_before_minor",
    "balance_after_minor",
    "held_after_minor",
)


def refuse_tries(tries: Iterable[PinTries], pins: Mapping[CardId, CardPin]) -> None:
    """
    Hold counts of wrong PINs to the table `card_pin_try` and its trigger.
    """
    for counted in tries:
        if not 0 <= counted.tries <= min(counted.wrong_total, _MOST_TRIES):
            _refuse("card_pin_try_check")
        before = pins[counted.card_id].tries.get(counted.channel)
        if before is None:
            continue
        more = counted.wrong_total - before.wrong_total
        if more < 0 or counted.tries - before.tries > more:
            _refuse("card_pin_try_total_check")


def refuse_card(card: Card) -> None:
    """
    Hold a card's row to the CHECKs of the table `card`.
    """
    blocked = card.state is CardState.BLOCKED
    closed = card.state in {CardState.DEACTIVATED, CardState.REPLACED}
    if (card.state is CardState.REPLACED) != (card.replaced_by is not None):
        _refuse("card_replaced_check")
    if blocked != (card.block_reason is not None) and not (closed and not blocked):
        _refuse("card_blocked_check")
    if not 0 <= card.held_minor + card.unconfirmed_minor <= card.balance_minor:
        _refuse("card_money_check")
    if card.balance_minor > MAX_MINOR_UNITS:
        _refuse("card_money_check")
    if card.load_count < 0:
        _refuse("card_load_count_check")


def refuse_uses(uses: Iterable[DayUse]) -> None:
    """
    Hold what cards used of a day to the CHECK of the table `card`.
    """
    if any(min(used[1:]) < 0 for used in uses):
        _refuse("card_day_check")


def refuse_record(record: TransactionRecord) -> None:
    """
    Hold a row to the CHECKs of the table `transaction`.
    """
    row = record._asdict()
    for name in _BOUNDED:
        if row[name] is not None and not 0 <= row[name] <= MAX_MINOR_UNITS:
            _refuse(f"transaction_{name}_check")
    if record.request_id is None and record.activity not in {
        ActivityType.RELEASE,
        ActivityType.TRANSFER_BALANCE_TO,
    }:
        _refuse("transaction_request_check")
    if record.result is Result.DUPLICATE or record.activity is ActivityType.BALANCE:
        _refuse("transaction_result_check")
    approved = record.result in APPROVALS
    if not approved and (record.approved_minor or record.card_minor):
        _refuse("transaction_decline_check")
    if record.effective is not None and not (
        record.activity in _EFFECTIVE
        and record.result is Result.APPROVED
        and (record.original_transaction_id is not None or not record.effective)
    ):
        _refuse("transaction_effective_check")
    if record.card_seq is None:
        if record.card_minor or (
            record.effective and record.activity not in _MOVES_NOTHING
        ):
            _refuse("transaction_card_check")
    elif any(row[name] is None for name in _CHAINED):
        _refuse("transaction_card_check")
    _refuse_waiting(record)
    if sum(row[name] is None for name in _RATES) not in {0, len(_RATES)}:
        _refuse("transaction_rates_check")
    if record.rounding is not None and abs(record.rounding) * 2 > 1:
        _refuse("transaction_rounding_check")


def _refuse_waiting(record: TransactionRecord) -> None:
    """
    Hold what waits to be confirmed to its CHECK.
    """
    if record.unconfirmed and (
        record.activity not in TO_CONFIRM
        or record.result not in APPROVALS
        or record.offline
    ):
        _refuse("transaction_unconfirmed_check")


def refuse_holds(
    writes: WriteSet,
    holds: Mapping[TransactionId, Hold],
    steps: Iterable[HoldStep],
) -> None:
    """
    Hold what becomes of holds to the walls of `hold` and `hold_step`.
    """
    for hold in writes.holds:
        before = holds.get(hold.hold_id)
        if before is not None and before.state is not HoldState.OPEN:
            _refuse("hold_ended_check")
        if hold.state is HoldState.CAPTURED and not hold.captured_minor:
            _refuse("hold_captured_check")
    ended = {step.hold_id for step in steps if step.state is not HoldState.OPEN}
    for step in writes.steps:
        if step.state is not HoldState.OPEN:
            if step.hold_id in ended:
                _refuse("hold_step_end_key")
            ended.add(step.hold_id)


def refuse_exceptions(exceptions: Iterable[ExceptionItem]) -> None:
    """
    Hold exceptions to the CHECKs of `exception_item`.
    """
    for item in exceptions:
        if item.kind is ExceptionKind.UNCONFIRMED:
            _refuse("exception_item_kind_check")
        if item.reason in {*APPROVALS, Result.DUPLICATE}:
            _refuse("exception_item_reason_check")
        if not 1 <= item.amount_minor <= MAX_MINOR_UNITS:
            _refuse("exception_item_amount_minor_check")


def refuse_postings(postings: Iterable[Posting]) -> None:
    """
    Hold postings to their CHECKs, and each transaction's to a sum of zero.
    """
    sums: Counter[tuple[bytes, str]] = Counter()
    lines: set[tuple[bytes, int]] = set()
    for posting in postings:
        sums[posting.transaction_id, posting.currency] += posting.amount_minor
        if not posting.amount_minor or abs(posting.amount_minor) > MAX_MINOR_UNITS:
            _refuse("posting_amount_minor_check")
        line = (posting.transaction_id, posting.line)
        if line in lines:
            _refuse("posting_pkey")
        lines.add(line)
    if any(sums.values()):
        _refuse("posting_balance_check")


def _refuse(constraint: str) -> None:
    raise ItemFaultError(f"violates {constraint}", constraint=constraint)
