"""
What people must look at, as the console lists it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.books.admin import AdminConnection, Row, run

# How many are given at once; who needs older ones asks for a store or a time.
MOST_EXCEPTIONS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionFilter:
    """
    Which exceptions are wanted; None is any. `closed` adds those that are over.
    """

    merchant: str | None = None
    store: str | None = None
    since: datetime | None = None
    closed: bool = False


def exceptions(connection: AdminConnection, wanted: ExceptionFilter) -> list[Row]:
    """
    List exceptions, the newest first; one more than there may be tells of more.
    """
    return run(
        connection,
        "admin_exceptions",
        merchant=wanted.merchant,
        store=wanted.store,
        since=wanted.since,
        closed=wanted.closed,
        most=MOST_EXCEPTIONS + 1,
    )
