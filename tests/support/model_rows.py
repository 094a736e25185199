"""
What the independent model asks, keeps and answers.

A row has the names of the gateway's record, so that the two can be compared field by
field; nothing else is taken over.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from tests.support.model_restrictions import NOT_REFUSED, Refused
from tests.support.model_rules import (
    STORE_OF_TERMINAL,
    STORES,
    Conversion,
    ProductRow,
    Rules,
    StoreRow,
    business_date,
)

Key = tuple[int, int]
Legs = Counter[tuple[str, int, str]]
Row = dict[str, Any]
APPROVALS = frozenset({"APPROVED", "APPROVED_PARTIAL"})
DEBITS = frozenset({"REDEEM", "CASH_OUT"})


class Ask(NamedTuple):
    """
    One request as a till means it. `number` is the card number it read.
    """

    operation: str
    terminal: int
    request: int
    number: int | None = None
    minor: int | None = None
    code: str | None = None
    exponent: int | None = None
    partial: bool = False
    reason: int | None = None
    original: Key | None = None

    @property
    def key(self) -> Key:
        """
        Name it for ever.
        """
        return (self.terminal, self.request)

    @property
    def content(self) -> tuple[Any, ...]:
        """
        Give what a retry repeats: all but the exponent (domain 1.6).
        """
        return tuple(self._replace(exponent=None, terminal=0, request=0))

    @property
    def store(self) -> StoreRow:
        """
        Give the store it is asked in.
        """
        return STORES[STORE_OF_TERMINAL[self.terminal]]


@dataclass
class ModelCard:
    """
    One card. `number` is also its id.
    """

    number: int
    product: ProductRow
    state: str = "PENDING"
    balance: int = 0
    held: int = 0
    loads: int = 0
    block: str | None = None
    expires: date | None = None
    seq: int = 0
    batch: int | None = None
    restriction: int | None = None
    last: datetime | None = None
    loaded: int = 0

    @property
    def available(self) -> int:
        """
        Ledger less holds.
        """
        return self.balance - self.held

    def accepted(self, ask: Ask, rules: Rules) -> bool:
        """
        Tell whether its programme goes with the merchant who asks.
        """
        return (self.product.program, ask.store.merchant) in rules.accepted

    def no_earlier(self, clock: datetime) -> datetime:
        """
        Give the moment of a decision: never before the card's last transaction.
        """
        return clock if self.last is None else max(clock, self.last)


@dataclass(eq=False)
class Entry:
    """
    What stands under a key. Without content it is a tombstone.
    """

    content: tuple[Any, ...] | None
    row: Row
    legs: Legs = field(default_factory=Counter)
    undone_by: str | None = None
    expires_before: date | None = None
    refunds: "list[Entry]" = field(default_factory=list)

    @property
    def undone(self) -> bool:
        """
        Tell whether it is as if it had not been.
        """
        return self.undone_by is not None

    def refunded(self, what: str) -> int:
        """
        Sum up one amount of the refunds that stand.
        """
        return sum(entry.row[what] for entry in self.refunds if not entry.undone)

    @property
    def approved(self) -> bool:
        """
        Tell whether it came to something.
        """
        return self.row["result"] in APPROVALS

    @property
    def state(self) -> str:
        """
        Tell what has become of it.
        """
        if not self.approved:
            return "DECLINED"
        if self.undone_by is not None:
            return {"REVERSAL": "REVERSED", "VOID": "VOIDED"}[self.undone_by]
        refunded = self.refunded("approved_minor")
        whole = refunded and refunded == self.row["approved_minor"]
        return "REFUNDED" if whole else "POSTED"


class Money(NamedTuple):
    """
    What an approval moves: in the transaction's currency and in the card's.
    """

    approved: int
    card_minor: int
    conversion: Conversion | None = None


class Told(NamedTuple):
    """
    What a row says beyond its request and its card.
    """

    result: str
    shown: bool = False
    amount: tuple[int | None, int | None, str | None] = (None, None, None)
    original: bytes | None = None
    effective: bool | None = None
    refused: Refused = NOT_REFUSED


def asked(ask: Ask) -> tuple[int | None, int | None, str | None]:
    """
    Give the amount of a request.
    """
    return ask.minor, ask.exponent, ask.code


def asked_of(row: Row) -> tuple[int | None, int | None, str | None]:
    """
    Give the amount that a row's request asked for.
    """
    return tuple(row[name] for name in AMOUNT_FIELDS)


def still(
    ask: Ask, now: datetime, card: ModelCard | None, told: Told, rules: Rules
) -> Row:
    """
    Write the row of a request that changes no card.
    """
    number = card.number if card else ask.number
    return {
        "terminal_id": ask.terminal,
        "request_id": ask.request,
        "activity": ask.operation,
        "result": told.result,
        "merchant_id": ask.store.merchant,
        "store_id": ask.store.store,
        "program_id": card.product.program if card else None,
        "card_id": card.number if card else None,
        "card_number_index": None if card else ask.number,
        "card_last_four": None if number is None else f"{number:04}",
        "card_seq": None,
        "card_state": card.state if card else None,
        "expires_on": card.expires if card else None,
        "original_transaction_id": told.original,
        "effective": told.effective,
        "reason": ask.reason,
        **dict(zip(AMOUNT_FIELDS, told.amount, strict=True)),
        "approved_minor": 0,
        "card_minor": 0,
        "card_currency": card.product.currency if card else None,
        **dict.fromkeys(RATE_FIELDS),
        "markup_bps": 0,
        "available_before_minor": card.available if card else None,
        "available_after_minor": card.available if card else None,
        "balance_before_minor": card.balance if card else None,
        "balance_after_minor": card.balance if card else None,
        "held_after_minor": card.held if card else None,
        "balances_shown": told.shown and card is not None,
        "host_time": now,
        "business_date": business_date(ask.store, now),
        "batch_no": 1,
        "policy_version": rules.version,
        "approval_code": told.result in APPROVALS,
        **dict(zip(REFUSAL_FIELDS, told.refused, strict=True)),
    }


def changed(
    row: Row, card: ModelCard, money: Money, balance_before: int, now: datetime
) -> Row:
    """
    Complete the row of what changed a card: its place in the card's chain, its money.
    """
    card.seq += 1
    card.last = now
    rates: tuple[Any, ...] = (None,) * len(RATE_FIELDS)
    if money.conversion:
        source, target, version = money.conversion
        rates = (
            Fraction(str(source.usd)),
            Fraction(str(target.usd)),
            money.conversion.applied(),
            version,
            source.effective_from,
            money.conversion.rounding(money.approved),
        )
    return row | {
        "card_seq": card.seq,
        "available_before_minor": balance_before - card.held,
        "balance_before_minor": balance_before,
        "approved_minor": money.approved,
        "card_minor": money.card_minor,
        **dict(zip(RATE_FIELDS, rates, strict=True)),
    }


REFUSAL_FIELDS = ("refusal", "restriction_version_id", "refusal_hours")
AMOUNT_FIELDS = ("requested_minor", "requested_exponent", "transaction_currency")
RATE_FIELDS = (
    "rate_transaction",
    "rate_card",
    "applied_rate",
    "rate_table_version",
    "rate_effective_from",
    "rounding",
)
