"""
What is kept of a request: one row, declines too, and its postings (design 4).

Both are NamedTuples on purpose: a batch becomes arrays of columns by one `zip`, and a
row read back becomes a record again by position. The order of the fields is the order
of the columns in `transaction.sql`; a test holds them equal.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from gateway.domain.cards import CardState
from gateway.domain.ids import (
    CardId,
    LimitVersionId,
    MerchantId,
    ProgramId,
    RequestId,
    RestrictionVersionId,
    StoreId,
    TerminalId,
    TransactionId,
)
from gateway.domain.limits import LimitKind
from gateway.domain.restrictions import RefusalReason
from gateway.domain.results import ActivityType, Channel, EntryMode, Result


class Account(IntEnum):
    """
    A kind of ledger account (design 4).
    """

    CARD_LIABILITY = 1
    MERCHANT_PAYABLE = 2
    MERCHANT_RECEIVABLE = 3
    FX_CLEARING = 4
    FX_ROUNDING = 5
    BREAKAGE = 6
    FEES = 7
    ADJUSTMENTS = 8
    TRANSFERS = 9


class Posting(NamedTuple):
    """
    One signed amount on one account: a debit is positive, a credit negative.

    `owner_id` is the merchant for MERCHANT_PAYABLE and MERCHANT_RECEIVABLE, else the
    programme.
    """

    transaction_id: TransactionId
    line: int
    card_id: CardId
    account: Account
    owner_id: int
    currency: str
    amount_minor: int


class AdjustmentAsked(NamedTuple):
    """
    Who asked for an adjustment, and why. `transaction_id` is the request's.
    """

    transaction_id: TransactionId
    requested_by: str
    reason: str


class AdjustmentApproved(NamedTuple):
    """
    Who let an adjustment happen, and by which transaction.
    """

    transaction_id: TransactionId
    approval_id: TransactionId
    approved_by: str


class TransactionRecord(NamedTuple):
    """
    One recorded request and its outcome.

    Amounts named `requested` and `approved` are in the transaction's currency, balances
    and `card_minor` in the card's. Balances are None where no card is known.
    `card_minor` is what the card's ledger balance changed by, without its sign; of an
    AUTHORIZE or a RELEASE what its held amount changed by. `refusal` and the two after
    it say which restriction refused and why, on a decline of check 11.

    Without a `request_id` it is a row that another request or the clerk brought about.
    `actor` names who of the staff asked. `offline` marks a sale told by Advice, whose
    `reason` is the result that kept it from being paid in full. `unconfirmed` marks an
    approval that its terminal has still to confirm. `seen` holds what else the decision
    saw, for its explanation.

    `limit_kind` and the three after it say which limit was exceeded, on a decline of
    check 14. `terminal_minor` is what an approval counts for a terminal that has
    limits, in the currency of these.
    """

    transaction_id: TransactionId | None
    terminal_id: TerminalId
    request_id: RequestId | None
    activity: ActivityType
    result: Result
    merchant_id: MerchantId
    store_id: StoreId
    program_id: ProgramId | None
    card_id: CardId | None
    card_number_index: bytes | None
    card_last_four: str | None
    card_seq: int | None
    card_state: CardState | None
    expires_on: date | None
    original_transaction_id: TransactionId | None
    effective: bool | None
    reason: int | None
    requested_minor: int | None
    requested_exponent: int | None
    transaction_currency: str | None
    approved_minor: int
    card_minor: int
    card_currency: str | None
    rate_transaction: Decimal | None
    rate_card: Decimal | None
    applied_rate: Decimal | None
    rate_table_version: int | None
    rate_effective_from: datetime | None
    rounding: Decimal | None
    markup_bps: int
    available_before_minor: int | None
    available_after_minor: int | None
    balance_before_minor: int | None
    balance_after_minor: int | None
    held_after_minor: int | None
    balances_shown: bool
    host_time: datetime
    business_date: date
    batch_no: int
    policy_version: int
    approval_code: str | None
    merchant_reference: str | None
    cashier_id: str | None
    entry_mode: EntryMode | None
    local_time: str | None
    system_trace_no: str | None
    terminal_batch_no: str | None
    refusal: RefusalReason | None = None
    restriction_version_id: RestrictionVersionId | None = None
    refusal_hours: str | None = None
    channel: Channel = Channel.API
    actor: str | None = None
    offline: bool = False
    unconfirmed: bool = False
    seen: bytes | None = None
    limit_kind: LimitKind | None = None
    limit_value: int | None = None
    limit_window_s: int | None = None
    limit_version_id: LimitVersionId | None = None
    terminal_minor: int | None = None
