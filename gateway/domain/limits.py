"""
How much and how often: the limits of cards and of terminals, and what of them is used.

A card obeys the limit sets of its product, of its issue batch and of its own, each that
has one; a terminal obeys its own (ADR 0020). Days are those of the card's programme,
and for terminals the business days of their store.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Final, NamedTuple

from currency import Currency
from gateway.domain.ids import LimitVersionId, TransactionId
from gateway.domain.results import Result

# What a card takes in a day where its product's own limits say nothing of it.
DEFAULT_DAY_LOAD_USD_MINOR: Final = 2_000_00


class Flow(IntEnum):
    """
    Which way money goes: onto a card, or from it.
    """

    LOAD = 1
    SPEND = 2


class LimitKind(IntEnum):
    """
    What a limit limits: kept as a number with the transaction that it refused.
    """

    LOAD_AMOUNT = 1
    LOAD_DAY_AMOUNT = 2
    LOAD_DAY_COUNT = 3
    LOAD_WINDOW_COUNT = 4
    SPEND_AMOUNT = 5
    SPEND_DAY_AMOUNT = 6
    SPEND_DAY_COUNT = 7
    SPEND_WINDOW_COUNT = 8
    BALANCE = 9
    TERMINAL_LOAD_DAY_AMOUNT = 10
    TERMINAL_LOAD_DAY_COUNT = 11
    TERMINAL_SPEND_DAY_AMOUNT = 12
    TERMINAL_SPEND_DAY_COUNT = 13


COUNTS: Final = frozenset(
    {
        LimitKind.LOAD_DAY_COUNT,
        LimitKind.LOAD_WINDOW_COUNT,
        LimitKind.SPEND_DAY_COUNT,
        LimitKind.SPEND_WINDOW_COUNT,
        LimitKind.TERMINAL_LOAD_DAY_COUNT,
        LimitKind.TERMINAL_SPEND_DAY_COUNT,
    }
)


class Exceeded(NamedTuple):
    """
    The limit that a request would exceed, in full: the till's sentence is made of it.

    `value` is the limit itself: minor units of the card's currency, for a terminal's of
    its own, or a number of times. `window_s` is set if it is so many in a while.
    `version_id` is None for what the product's own row or the default says.
    """

    kind: LimitKind
    value: int
    window_s: int | None = None
    version_id: LimitVersionId | None = None

    @property
    def result(self) -> Result:
        """
        Give the result: 65 for a number of times, 61 for an amount.
        """
        if self.kind in COUNTS:
            return Result.COUNT_EXCEEDED
        return Result.LIMIT_EXCEEDED


class FlowLimits(NamedTuple):
    """
    What one version limits of one flow; None is no limit.

    At most `amount_minor` at a time, `day_minor` and `day_count` times a day, and
    `window_count` times in any `window_s` seconds.
    """

    amount_minor: int | None = None
    day_minor: int | None = None
    day_count: int | None = None
    window_count: int | None = None
    window_s: int | None = None


NO_LIMITS: Final = FlowLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    One version of a limit set, or of a terminal's limits.

    Amounts are minor units of `currency`: for a set that of all cards which have it.
    """

    version_id: LimitVersionId
    currency: Currency
    load: FlowLimits = NO_LIMITS
    spend: FlowLimits = NO_LIMITS

    def of(self, flow: Flow) -> FlowLimits:
        """
        Give what is limited of a flow.
        """
        return self.load if flow is Flow.LOAD else self.spend

    @property
    def longest_window_s(self) -> int:
        """
        Tell how far back it looks; 0 where only days count.
        """
        return max(self.load.window_s or 0, self.spend.window_s or 0)


class DayUse(NamedTuple):
    """
    What was loaded and spent on one day, and how often; what was undone is not in it.

    Of a card in its currency, of a terminal in that of its limits.
    """

    day: date | None = None
    load_minor: int = 0
    loads: int = 0
    spend_minor: int = 0
    spends: int = 0

    def on(self, day: date) -> "DayUse":
        """
        Give the use of a day: nothing so far if the last one was before it.

        Of a day before the last, which a clock that went back gives, it is that of the
        last: it is never forgotten.
        """
        if self.day is not None and self.day >= day:
            return self
        return DayUse(day)

    def of(self, flow: Flow) -> tuple[int, int]:
        """
        Give the amount and the number of times of a flow.
        """
        if flow is Flow.LOAD:
            return self.load_minor, self.loads
        return self.spend_minor, self.spends

    def adding(self, flow: Flow, amount_minor: int, times: int) -> "DayUse":
        """
        Give the use after one transaction more, or with negative figures one less.
        """
        day, load_minor, loads, spend_minor, spends = self
        if flow is Flow.LOAD:
            return DayUse(
                day, load_minor + amount_minor, loads + times, spend_minor, spends
            )
        return DayUse(
            day, load_minor, loads, spend_minor + amount_minor, spends + times
        )


UNUSED: Final = DayUse()


class Use(NamedTuple):
    """
    One load or one sale, for limits that look back for a while.
    """

    transaction_id: TransactionId
    flow: Flow
    at: datetime


class Used(NamedTuple):
    """
    What a decision knows of the limits' use, under the locks that guard it.

    `recent` holds the uses within the longest window that the card obeys. `terminal`
    is None where nothing is counted for the terminal.
    """

    card: DayUse = UNUSED
    recent: tuple[Use, ...] = ()
    terminal: DayUse | None = None


NOTHING_USED: Final = Used()
