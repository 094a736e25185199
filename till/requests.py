"""
What a till asks, as values: made once, kept, and sent again unchanged.

The request id is the identity of a request. It is made before the first attempt and
stays the same for every further one, so that no attempt can be done twice.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from currency import Money
from till.card_number import CardNumber
from till.codes import BlockReason, EntryMode, LoadType, ReversalReason
from till.pin import Pin

_MILLISECOND_NS: Final = 1_000_000


def new_request_id() -> UUID:
    """
    Make a request id: a UUID of version 7, whose first 48 bits are the time.

    Any UUID is accepted. Time-ordered ones are kinder to the host's indexes, and the
    74 random bits beside the time make two of a kind impossible in practice.
    """
    now_ms = time.time_ns() // _MILLISECOND_NS
    bits = (now_ms & (2**48 - 1)) << 80 | secrets.randbits(80)
    version_and_variant = 0x7 << 76 | 0b10 << 62
    return UUID(int=bits & ~(0xF << 76 | 0b11 << 62) | version_and_variant)


class TillContext(NamedTuple):
    """
    What the till adds for its own books: stored, echoed, no part of the identity.

    `merchant_reference` has at most 64 characters, `cashier_id` 32, `local_time` 35
    (ISO 8601), `terminal_batch_no` 12; `system_trace_no` is 1 to 6 digits.
    """

    merchant_reference: str = ""
    cashier_id: str = ""
    entry_mode: EntryMode = EntryMode.UNSPECIFIED
    local_time: str = ""
    system_trace_no: str = ""
    terminal_batch_no: str = ""


NO_CONTEXT: Final = TillContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """
    Make a pending card usable, with a first amount or none.
    """

    request_id: UUID
    card_number: CardNumber
    initial_amount: Money | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """
    Add value to an active card.
    """

    request_id: UUID
    card_number: CardNumber
    amount: Money
    load_type: LoadType = LoadType.SALE
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """
    Spend from a card.
    """

    request_id: UUID
    card_number: CardNumber
    amount: Money
    allow_partial: bool = False
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashOut:
    """
    Pay the rest of a card out in cash. The answer says how much to hand out.
    """

    request_id: UUID
    card_number: CardNumber
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBalance:
    """
    Read a card's balance. Nothing is recorded, so it needs no request id.
    """

    card_number: CardNumber
    request_id: UUID | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """
    Undo a request whose answer never came, whether or not it was ever done.

    `request_id` is the reversal's own. It needs no card number: a till that lost its
    power can still make every request final.
    """

    request_id: UUID
    original_request_id: UUID
    reason: ReversalReason
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """
    Give back what a redemption spent, wholly or in part, in the currency of the sale.
    """

    request_id: UUID
    original_request_id: UUID
    amount: Money
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """
    Undo a completed request of the same business day, whole.

    A till that never got an answer sends Reverse, which also shuts out what is late.
    """

    request_id: UUID
    original_request_id: UUID
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """
    Hold an amount for a later capture; `time_to_live_s` shortens its life.
    """

    request_id: UUID
    card_number: CardNumber
    amount: Money
    allow_partial: bool = False
    time_to_live_s: int | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementAuthorization:
    """
    Hold more under an open hold, in its currency.
    """

    request_id: UUID
    original_request_id: UUID
    amount: Money
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """
    Spend from a hold; without an amount, all that is left of it.
    """

    request_id: UUID
    original_request_id: UUID
    amount: Money | None = None
    keep_open: bool = False
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAuthorization:
    """
    Give up what is left of a hold.
    """

    request_id: UUID
    original_request_id: UUID
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """
    Confirm an approved request, at a terminal that sends two messages.
    """

    request_id: UUID
    original_request_id: UUID
    original_terminal_id: str = ""
    card_number: CardNumber | None = None
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """
    Tell of a sale that was made while the gateway could not be asked.
    """

    request_id: UUID
    card_number: CardNumber
    amount: Money
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    Block a card at once.
    """

    request_id: UUID
    card_number: CardNumber
    reason: BlockReason
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferBalance:
    """
    Move all that can be spent to another card.
    """

    request_id: UUID
    card_number: CardNumber
    to_card_number: CardNumber
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivate:
    """
    Close an empty card for ever.
    """

    request_id: UUID
    card_number: CardNumber
    terminal_id: str = ""
    context: TillContext = NO_CONTEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTransaction:
    """
    Ask what is recorded for a request id. That nothing is, is not final.
    """

    request_id: UUID
    terminal_id: str = ""


# What moves money is sent by a Shop, which keeps it in the journal first.
Sale = (
    Activate
    | Load
    | Redeem
    | CashOut
    | Refund
    | Void
    | Authorize
    | IncrementAuthorization
    | Capture
    | CancelAuthorization
    | Confirm
    | Advice
    | Block
    | TransferBalance
    | Deactivate
)
Recorded = Sale | Reverse
Request = Recorded | GetBalance | GetTransaction
