"""
Count what happened: answers, times, rates, and every sale in the end.
"""

from __future__ import annotations

from array import array
from collections import Counter
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from currency import Money
from till.answer import Answer
from till.simulation.plan import Visit

MAX_DIFFERENCES: Final = 1_000
_MICROSECOND_NS: Final = 1_000


class Sale(NamedTuple):
    """
    Be a sale that ended approved: the plan's visit and what the gateway made of it.
    """

    visit: Visit
    request_id: UUID
    card_cents: int


class RateSeen(NamedTuple):
    """
    Be the rates that answers carried for one currency.
    """

    lowest: Decimal
    highest: Decimal
    sales: int


class Tally:
    """
    Gather figures from all tills; they share one thread and need no lock.
    """

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.troubles: Counter[str] = Counter()
        self.replays = 0
        self.visits = 0
        self.sales: dict[int, Sale] = {}
        self.refused_empty = 0
        self.rates: dict[str, RateSeen] = {}
        self.differences: list[str] = []
        self.difference_count = 0
        self._latencies_us = array("q")

    @property
    def operations(self) -> int:
        """
        Count the answers of the gateway.
        """
        return len(self._latencies_us)

    def answered(self, operation: str, answer: Answer, elapsed_ns: int) -> None:
        """
        Count an answer and its time.
        """
        self.answers[operation, answer.result.name] += 1
        self.replays += answer.replayed
        self._latencies_us.append(elapsed_ns // _MICROSECOND_NS)

    def failed(self, operation: str, what: str) -> None:
        """
        Count a call without an answer.
        """
        self.failures[operation, what] += 1

    def sold(self, visit: Visit, request_id: UUID, answer: Answer) -> None:
        """
        Keep a sale that stands.
        """
        conversion = answer.conversion
        if conversion is None:
            self.differs(f"purchase {visit.number}: the answer has no conversion")
            return
        if answer.approved_amount != visit.amount:
            self.differs(
                f"purchase {visit.number}: {answer.approved_amount} was approved, "
                f"not {visit.amount}"
            )
        if visit.number in self.sales:
            self.differs(f"purchase {visit.number}: approved twice")
        self._see_rate(visit.amount, conversion.transaction_rate_to_usd)
        self.sales[visit.number] = Sale(
            visit, request_id, conversion.card_amount.minor_units
        )

    def differs(self, what: str) -> None:
        """
        Note something that is not as planned; the first thousand in words.
        """
        self.difference_count += 1
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(what)

    def latency_ms(self, percent: int) -> Decimal:
        """
        Give the time in which so many percent of the answers came.
        """
        times = sorted(self._latencies_us)
        if not times:
            return Decimal(0)
        index = min(len(times) * percent // 100, len(times) - 1)
        return Decimal(times[index]).scaleb(-3)

    def _see_rate(self, amount: Money, rate: Decimal) -> None:
        code = amount.currency.code
        seen = self.rates.get(code)
        if seen is None:
            self.rates[code] = RateSeen(rate, rate, 1)
        else:
            self.rates[code] = RateSeen(
                min(seen.lowest, rate), max(seen.highest, rate), seen.sales + 1
            )
