"""
The limits in force, from the rows of one snapshot.
"""

from collections.abc import Sequence

from currency import Currency
from gateway.books.wire import Row
from gateway.domain.ids import LimitSetId, TerminalId
from gateway.domain.limits import FlowLimits, Limits

# `policy_limits` gives the set, the terminal, the version and the currency first.
_LOAD = 4
_SPEND = _LOAD + len(FlowLimits._fields)


def card_limits_of(rows: Sequence[Row]) -> dict[LimitSetId, Limits]:
    """
    Give the version in force of each limit set.
    """
    return {LimitSetId(row[0]): _limits(row) for row in rows if row[0] is not None}


def terminal_limits_of(rows: Sequence[Row]) -> dict[TerminalId, Limits]:
    """
    Give the limits in force of each terminal that has or had any.
    """
    return {TerminalId(row[1]): _limits(row) for row in rows if row[1] is not None}


def _limits(row: Row) -> Limits:
    return Limits(
        version_id=row[2],
        currency=Currency.of(row[3]),
        load=FlowLimits._make(row[_LOAD:_SPEND]),
        spend=FlowLimits._make(row[_SPEND:]),
    )
