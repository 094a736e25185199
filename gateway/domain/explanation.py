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


class CheckNumber(IntEnum):
    """
    The checks in the order in which every request meets them (domain 1.2).
    """

    IDENTITY = 1
    READABLE = 2
    KEY = 3
    PLACE = 4
    AMOUNT = 5
    CARD = 6
    OPERATION = 7
    STATE = 8
    LAST_DAY = 9
    PIN = 10
    RESTRICTIONS = 11
    CURRENCY = 12
    PRICE = 13
    LIMITS = 14
    ORIGINAL = 15
    FUNDS = 16


CHECK_NAMES: Final = {
    CheckNumber.IDENTITY: "identity",
    CheckNumber.READABLE: "readable",
    CheckNumber.KEY: "request id",
    CheckNumber.PLACE: "terminal, store, merchant",
    CheckNumber.AMOUNT: "amount",
    CheckNumber.CARD: "card known here",
    CheckNumber.OPERATION: "operation permitted",
    CheckNumber.STATE: "card state",
    CheckNumber.LAST_DAY: "last day",
    CheckNumber.PIN: "PIN",
    CheckNumber.RESTRICTIONS: "restrictions",
    CheckNumber.CURRENCY: "currency and rate",
    CheckNumber.PRICE: "amount on the card",
    CheckNumber.LIMITS: "limits",
    CheckNumber.ORIGINAL: "original or hold",
    CheckNumber.FUNDS: "funds",
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

    number: CheckNumber
    outcome: CheckOutcome
    result: Result | None = None
    values: tuple[Value, ...] = ()

    @property
    def name(self) -> str:
        """
        Give its name for people.
        """
        return CHECK_NAMES[self.number]


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
    decided_by: CheckNumber | None = None
    differences: tuple[Difference, ...] = ()
    missing: Missing | None = None
