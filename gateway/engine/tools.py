"""
What an attempt at a batch works with, besides the batch.
"""

from dataclasses import dataclass

from gateway.engine.policies import Policies
from gateway.engine.ports import Books, Codes, FaultPoint, TransactionIds


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """
    What attempts work with.
    """

    books: Books
    policies: Policies
    codes: Codes
    ids: TransactionIds
    faults: FaultPoint
