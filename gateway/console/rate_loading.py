"""
Load rates as one version of the table, or say why not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from currency import ImportedRate
from gateway.books.admin import AdminConnection
from gateway.books.admin_rates import clock, insert_rates, open_rate_table, rates_of
from gateway.console.csv_file import MAX_PROBLEMS
from gateway.console.faults import BadInputError
from gateway.console.rate_jumps import find_jumps, needs_second_person, same_person
from gateway.console.session import Session

# What the books demand when the import commits, and what is left to get there.
LEAD_MIN: Final = timedelta(seconds=1)
LEAD_OF_NOW: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """
    Who loads, and who else has looked at it.

    Names only: that they are who they say is the business of the machine they use.
    """

    loaded_by: str
    approved_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """
    What came of it.
    """

    version: int
    rates: int
    first: datetime
    last: datetime


def soon(session: Session) -> datetime:
    """
    Give the moment from which a rate that is loaded now can be in force.
    """
    with session.books() as books:
        return clock(books).now + LEAD_OF_NOW


def load_rates(
    session: Session,
    rates: Sequence[ImportedRate],
    *,
    source: str,
    responsible: Responsible,
) -> Loaded:
    """
    Load rates as one version: all of them, or nothing.

    Raises:
        BadInputError: a rate lies in the past, or jumps without a second person.

    """
    if responsible.approved_by is not None and same_person(
        responsible.loaded_by, responsible.approved_by
    ):
        raise BadInputError(
            f"--approved-by: {responsible.approved_by} loads the rates: name somebody "
            "else"
        )
    with session.change() as books:
        _require_future(books, rates)
        version = open_rate_table(
            books,
            source=source,
            loaded_by=responsible.loaded_by,
            approved_by=responsible.approved_by,
        )
        insert_rates(books, version, rates)
        _require_approval(books, rates, version, responsible, session)
    moments = [rate.effective_from for rate in rates]
    return Loaded(
        version=version, rates=len(rates), first=min(moments), last=max(moments)
    )


def _require_future(books: AdminConnection, rates: Sequence[ImportedRate]) -> None:
    earliest = clock(books).now + LEAD_MIN
    late = [rate for rate in rates if rate.effective_from < earliest]
    if late:
        lines = [
            f"{rate.currency_code} from {rate.effective_from:%Y-%m-%dT%H:%M:%SZ}"
            for rate in late[:MAX_PROBLEMS]
        ]
        if len(late) > MAX_PROBLEMS:
            lines.append(f"and {len(late) - MAX_PROBLEMS} more")
        raise BadInputError(
            "effective_from: these lie before the gateway's time "
            f"({earliest:%Y-%m-%dT%H:%M:%SZ}) and would change the past: load rates "
            "for moments to come (--effective-from)",
            lines,
        )


def _require_approval(
    books: AdminConnection,
    rates: Sequence[ImportedRate],
    version: int,
    responsible: Responsible,
    session: Session,
) -> None:
    table = rates_of(books, {rate.currency_code for rate in rates})
    limit = session.settings.max_rate_jump_percent
    jumps = find_jumps(table, version, max_percent=limit)
    if needs_second_person(jumps, responsible.loaded_by, responsible.approved_by):
        lines = [str(jump) for jump in jumps[:MAX_PROBLEMS]]
        if len(jumps) > MAX_PROBLEMS:
            lines.append(f"and {len(jumps) - MAX_PROBLEMS} more")
        raise BadInputError(
            f"--approved-by: these move by more than {limit} %: let somebody else look "
            "at them and name him",
            lines,
        )
