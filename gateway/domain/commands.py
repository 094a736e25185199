"""
What a till asks, read and checked for form, before any rule of money is applied.

A command that reached this form can be keyed: everything else that may be wrong with it
is a recorded decline (domain 1.2).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.domain.card_pins import PinProof
from gateway.domain.cards import BlockReason
from gateway.domain.ids import RequestId, RequestKey, TerminalId
from gateway.domain.results import (
    ActivityType,
    Channel,
    EntryMode,
    LoadType,
    ReversalReason,
)


class Amount(NamedTuple):
    """
    An amount as the till wrote it: not yet known to be positive, or to be money at all.

    `exponent` is what the till believes the currency's digits are.
    """

    minor_units: int
    currency_code: str
    exponent: int


class CardRef(NamedTuple):
    """
    A card number as the gateway keeps it: its keyed hash and its last four digits.
    """

    number_index: bytes
    last_four: str


class TillContext(NamedTuple):
    """
    What the till adds for its own books: stored, echoed, outside the fingerprint.
    """

    merchant_reference: str | None = None
    cashier_id: str | None = None
    entry_mode: EntryMode | None = None
    local_time: str | None = None
    system_trace_no: str | None = None
    terminal_batch_no: str | None = None


NO_CONTEXT = TillContext()


class Fingerprint(NamedTuple):
    """
    The keyed hash of a request's content, and the key it was made with.
    """

    key_id: int
    tag: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """
    What all recorded commands carry.

    `content` is the length-prefixed list that `fingerprint` was made of; it holds the
    card number, so it has no place in a repr. It is kept until the answer, to compare
    with a fingerprint stored under an older key. `actor` names who of the staff asked.
    `pin` is what is left of a PIN that came with it; it is not in the fingerprint.
    """

    request_id: RequestId
    terminal_id: TerminalId
    card: CardRef | None
    till: TillContext
    fingerprint: Fingerprint
    content: bytes = field(repr=False)
    channel: Channel = Channel.API
    actor: str | None = None
    pin: PinProof | None = None

    @property
    def key(self) -> RequestKey:
        """
        Name this request.
        """
        return RequestKey(self.terminal_id, self.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming(Command):
    """
    What names an original is about that one's card. Only a Reverse claims its key.
    """

    original: RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving(Command):
    """
    What moves a balance names a second card, which receives it.
    """

    other: CardRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate(Command):
    """
    Make a pending card usable.
    """

    initial_amount: Amount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Command):
    """
    Add value.
    """

    amount: Amount
    load_type: LoadType


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem(Command):
    """
    Spend.
    """

    amount: Amount
    allow_partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse(Naming):
    """
    Undo a request, whether or not it was ever done.
    """

    reversal_reason: ReversalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class CashOut(Command):
    """
    Pay the rest out in cash: all that is available, so no amount is named.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(Naming):
    """
    Give back what a redemption spent, wholly or in part.
    """

    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Void(Naming):
    """
    Undo a whole completed operation of the same business day.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize(Command):
    """
    Hold an amount. `time_to_live_s` shortens what the product allows.
    """

    amount: Amount
    allow_partial: bool
    time_to_live_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementAuthorization(Naming):
    """
    Hold more under an open hold.
    """

    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture(Naming):
    """
    Spend from a hold; without an amount, all that is left of it.
    """

    amount: Amount | None
    keep_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAuthorization(Naming):
    """
    Give up what is left of a hold.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Naming):
    """
    Confirm an approved request of a terminal that sends two messages.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice(Command):
    """
    Tell of a sale that was made while the till could not ask.
    """

    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Command):
    """
    Block a card at once.
    """

    reason: BlockReason


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferBalance(Moving):
    """
    Move all that can be spent to another card.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivate(Command):
    """
    Close an empty card for ever.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPin(Command):
    """
    Let a card's PIN be tried again.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblock(Command):
    """
    Make a blocked card usable again.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace(Moving):
    """
    Put another card in the place of a lost or stolen one.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Command):
    """
    Ask that a balance be put right; `activity` says which way.
    """

    activity: ActivityType
    amount: Amount
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveAdjustment(Naming):
    """
    Let an adjustment happen that somebody else asked for.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBalance:
    """
    Read a balance. Not recorded: `request_id` is echoed where it was sent.

    By staff it is GetCard, which tells of any card, whatever its state.
    """

    request_id: RequestId | None
    terminal_id: TerminalId
    card: CardRef
    till: TillContext
    channel: Channel = Channel.API
    actor: str | None = None
    pin: PinProof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTransaction:
    """
    Ask what is recorded for a request.
    """

    key: RequestKey


MoneyCommand = (
    Activate
    | Load
    | Redeem
    | CashOut
    | Reverse
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
    | Unblock
    | Replace
    | ResetPin
    | Unblock
    | Replace
    | Adjust
    | ApproveAdjustment
)
