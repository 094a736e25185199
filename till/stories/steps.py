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
from till.requests import Request
from till.simulation.replay import TillName
from till.stories.desk import StaffRequest
from till.stories.purse import Purse


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """
    Be what an answer must say, counted without the gateway.

    Balances are in cents; None where they must not be told. `sentence` is a part of the
    text for the receipt.
    """

    result: Result
    approved: Money | None = None
    available_cents: int | None = None
    ledger_cents: int | None = None
    held_cents: int | None = None
    exception: Result | None = None
    sentence: str = ""


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


Act = Ask | AskStaff


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

    @property
    def last_day(self) -> date:
        """
        Give the day that a demo must reach to tell this story to its end.
        """
        return max(step.at for step in self.steps).date()
