"""
What an explanation says: the checks in their order, and the one that decided.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from gateway.domain.policy import Place
from gateway.domain.recall import Missing
from gateway.domain.record import TransactionRecord
from gateway.domain.results import Result

# The checks by their numbers, in the order in which every request meets them.
CHECKS: Final = {
    1: "identity",
    2: "readable",
    3: "request id",
    4: "terminal, store, merchant",
    5: "amount",
    6: "card known here",
    7: "operation permitted",
    8: "card state",
    9: "last day",
    10: "PIN",
    11: "restrictions",
    12: "currency and rate",
    13: "amount on the card",
    14: "limits",
    15: "original or hold",
    16: "funds",
}


class CheckOutcome(IntEnum):
    """
    How a check ended. Values equal those of `scrip.v1.Check.Outcome`.
    """

    PASSED = 1
    REFUSED = 2
    NOT_APPLIED = 3


class Value(NamedTuple):
    """
    One thing that a check looked at, in words.
    """

    name: str
    text: str


class Check(NamedTuple):
    """
    One check, and what it looked at. Of two cards each has a line of its own.
    """

    number: int
    name: str
    outcome: CheckOutcome
    result: Result | None = None
    values: tuple[Value, ...] = ()


class Difference(NamedTuple):
    """
    Where deciding again does not give what was recorded.
    """

    field: str
    recorded: str
    decided: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    Why a transaction ended as it did.

    The checks go up to the one that decided, `decided_by`; None: all were passed. If
    what the decision saw cannot be brought back, `missing` says why and there are none.
    Any `differences` are an alarm: the explanation is not to be trusted.
    """

    record: TransactionRecord
    place: Place
    operation: str
    checks: tuple[Check, ...] = ()
    decided_by: int | None = None
    differences: tuple[Difference, ...] = ()
    missing: Missing | None = None
