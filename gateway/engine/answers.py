"""
What the lane answers.
"""

from typing import NamedTuple

from gateway.domain.holds import HoldStep
from gateway.domain.record import TransactionRecord
from gateway.domain.results import CurrentState


class Answer(NamedTuple):
    """
    A decided request: its record, whether it was decided before, and what became of it.

    A record without a transaction id is answered but not kept (domain 1.2). `step` is
    the hold as the request left it, where it is about one.
    """

    record: TransactionRecord
    replayed: bool
    state: CurrentState
    step: HoldStep | None = None
