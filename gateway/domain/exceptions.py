"""
Exceptions: what the books cannot settle by themselves, and people must look at.
"""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from gateway.domain.ids import StoreId, TransactionId
from gateway.domain.results import Result


class ExceptionKind(IntEnum):
    """
    What happened. UNCONFIRMED is never kept: it is what nobody confirmed for a day.
    """

    ADVICE_NOT_PAID = 1
    LOAD_NOT_REVERSED = 2
    UNCONFIRMED = 3


class ExceptionItem(NamedTuple):
    """
    One exception: inserted once, and never changed.

    It is about `transaction_id`, and is over when that one is undone; `opened_by` is
    the transaction that brought it to light. `reason` is the result that kept it from
    being settled. The order of the fields is that of the columns.
    """

    transaction_id: TransactionId
    kind: ExceptionKind
    opened_by: TransactionId
    reason: Result
    store_id: StoreId
    amount_minor: int
    currency: str
    opened_at: datetime
