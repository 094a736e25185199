"""
What happens in a story, step by step, and what the gateway has to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from currency import Money
from till.codes import CurrentState, Result
from till.requests import Advice, Request, Reverse
from till.simulation.replay import TillName
from till.stories.desk import StaffRequest
from till.stories.purse import Purse


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """
    Be what an answer must say, counted without the gateway.

    Balances are in cents; None where they must not be told. They are not compared where
    `tells_balances` is false: then they depend on what came first. `sentence` is a part
    of the text for the receipt.
    """

    result: Result
    approved: Money | None = None
    available_cents: int | None = None
    ledger_cents: int | None = None
    held_cents: int | None = None
    exception: Result | None = None
    sentence: str = ""
    tells_balances: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """
    Let a till ask something and look at the answer.
    """

    till: TillName
    request: Request
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStaff:
    """
    Let somebody of the staff ask something and look at the answer.
    """

    desk: TillName
    request: StaffRequest
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """
    Let a till that cannot ask keep what it has to tell later.

    Without `expected` the answer depends on what comes first; the card's balance tells.
    """

    till: TillName
    request: Advice | Reverse
    expected: Expected | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """
    Let a till tell all that it kept.
    """

    till: TillName


Act = Ask | AskStaff | Keep | Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryException:
    """
    Be what people must look at in the end, how much it is about, and that in cents.
    """

    till: TillName
    kind: str
    amount: Money
    cents: int
    reason: Result | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    Be one step of a story. `at` is a full hour: then the gateway's clock gets there.
    """

    story: str
    at: datetime
    says: str
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    Be a story: its steps in their order, and how its cards and requests have to end.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    purses: tuple[Purse, ...]
    ends_as: Mapping[UUID, CurrentState]
    exceptions: tuple[StoryException, ...]

    @property
    def last_day(self) -> date:
        """
        Give the day that a demo must reach to tell this story to its end.
        """
        return max(step.at for step in self.steps).date()
