"""
`scrip explain`: why a transaction ended as it did.
"""

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from currency import Money, find_currency
from gateway.books.admin_devices import TerminalName
from gateway.books.connect import Session
from gateway.books.explaining import PostgresExplanations
from gateway.console.faults import (
    EXIT_FAILED,
    BadInputError,
    CommandRefusedError,
    FieldError,
)
from gateway.console.options import AsJson, read_terminal_name
from gateway.console.screen import Column, answer, complain, show_rows, warn
from gateway.console.session import session_of
from gateway.domain.errors import DependencyError
from gateway.domain.explanation import CHECK_NAMES, Check, Explanation
from gateway.domain.ids import RequestId, RequestKey, TransactionId, uuid_text
from gateway.domain.policy import Place
from gateway.domain.recall import Missing
from gateway.domain.results import RESPONSE_CODES

# A person waits: the policy of another day may be long to put together.
_TIMEOUT_MS: Final = 30_000
_MISSING: Final = {
    Missing.NOT_KEPT: "it was recorded by a release that kept no inputs of decisions, "
    "so it cannot be decided again; the row above is all there is",
    Missing.TOO_MUCH: "what its decision saw was too much to be kept; the row above is "
    "all there is",
    Missing.UNKNOWN_FORM: "a newer release recorded it: explain it with that one",
}
_COLUMNS: Final = (
    Column(title="No", key="number", is_figure=True),
    Column(title="Check", key="name"),
    Column(title="Outcome", key="outcome"),
    Column(title="Looked at", key="shown"),
)


def read_id(text: str) -> bytes:
    """
    Read a UUID. Whatever else somebody typed, perhaps a card's number, is not repeated.
    """
    try:
        return UUID(text).bytes
    except ValueError as error:
        raise FieldError(
            "give a UUID, like 0198c6a4-5d1e-7f00-8a4e-1f2a3b4c5d6e; of a card see "
            "`scrip card show`"
        ) from error


def explain(
    context: typer.Context,
    transaction: Annotated[
        bytes | None,
        typer.Argument(
            parser=read_id,
            metavar="[TRANSACTION_ID]",
            help="The transaction, as answers and receipts tell it.",
        ),
    ] = None,
    *,
    request: Annotated[
        bytes | None,
        typer.Option(
            parser=read_id,
            metavar="REQUEST_ID",
            help="Instead of it the till's own id of the request, with --terminal.",
        ),
    ] = None,
    terminal: Annotated[
        TerminalName | None,
        typer.Option(
            parser=read_terminal_name,
            metavar="MERCHANT/STORE/TERMINAL",
            help="The terminal that the request counts for.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Explain a transaction: each check in its order, what it saw, and which decided.

    It is decided again on what was recorded with it, by the policy and the rates of its
    time, and compared with the record. Ends with 1 if the two differ: that is an alarm.
    Nothing is changed, and no card's number is shown.
    """
    if (transaction is None) == (request is None) or (
        (request is None) != (terminal is None)
    ):
        raise BadInputError("give TRANSACTION_ID, or --request with --terminal")
    address = session_of(context).books_address(to_read=True)
    try:
        found = asyncio.run(_find(address, transaction, request, terminal))
    except DependencyError as error:
        raise CommandRefusedError(str(error)) from error
    if found is None:
        raise BadInputError("there is no such transaction: check the id")
    if as_json:
        show_rows([_as_row(found)], (), as_json=True)
    else:
        _show(found)
    if found.missing is not None:
        warn(f"no explanation: {_MISSING[found.missing]}")
    if found.differences:
        complain(
            "ALARM: the explanation does not agree with what was recorded; see the "
            "runbook on declines",
            [f"{d.field}: {d.recorded}, now {d.decided}" for d in found.differences],
        )
        raise typer.Exit(EXIT_FAILED)


async def _find(
    address: str,
    transaction: bytes | None,
    request: bytes | None,
    terminal: TerminalName | None,
) -> Explanation | None:
    session = Session(
        application_name="scrip explain", statement_timeout_ms=_TIMEOUT_MS
    )
    books = PostgresExplanations(address, session)
    try:
        if transaction is not None:
            return await books.explain(TransactionId(transaction))
        for place in (await books.policy()).places.values():
            if request is not None and _name_of(place) == terminal:
                key = RequestKey(place.terminal.terminal_id, RequestId(request))
                return await books.explain_request(key)
    finally:
        await books.close()
    raise BadInputError("--terminal: there is no such terminal")


def _name_of(place: Place) -> TerminalName:
    return TerminalName(place.merchant.code, place.store.code, place.terminal.code)


def _as_row(found: Explanation) -> dict[str, Any]:
    record = found.record
    return {
        "transaction_id": uuid_text(record.transaction_id or b""),
        "request_id": (
            None if record.request_id is None else uuid_text(record.request_id)
        ),
        "terminal": "/".join(_name_of(found.place)),
        "operation": found.operation,
        "result": record.result.name,
        "response_code": RESPONSE_CODES[record.result],
        "host_time": record.host_time,
        "business_date": record.business_date,
        "policy_version": record.policy_version,
        "rate_table_version": record.rate_table_version,
        "channel": record.channel.name,
        "staff": record.actor,
        "card_last_four": record.card_last_four,
        "requested": _money(record.requested_minor, record.transaction_currency),
        "approved": _money(record.approved_minor, record.transaction_currency),
        "on_the_card": _money(record.card_minor, record.card_currency),
        "decided_by": None if found.decided_by is None else int(found.decided_by),
        "checks": [_check_row(check) for check in found.checks],
        "differences": [difference._asdict() for difference in found.differences],
        "missing": None if found.missing is None else found.missing.name,
        "agrees": found.missing is None and not found.differences,
    }


def _check_row(check: Check) -> dict[str, Any]:
    return {
        "number": int(check.number),
        "name": check.name,
        "outcome": check.outcome.name,
        "result": None if check.result is None else check.result.name,
        "values": {value.name: value.text for value in check.values},
    }


def _show(found: Explanation) -> None:
    row = _as_row(found)
    answer(
        f"{row['operation']} {row['transaction_id']}: {row['result']} "
        f"({row['response_code']})"
    )
    if found.decided_by is not None:
        answer(f"decided by check {found.decided_by}, {CHECK_NAMES[found.decided_by]}")
    for title, key in (
        ("request", "request_id"),
        ("terminal", "terminal"),
        ("staff", "staff"),
        ("requested", "requested"),
        ("approved", "approved"),
        ("on the card", "on_the_card"),
        ("policy version", "policy_version"),
        ("rate table version", "rate_table_version"),
    ):
        if row[key] is not None:
            answer(f"{title}: {row[key]}")
    answer(f"host time: {found.record.host_time.isoformat(timespec='microseconds')}")
    if found.record.card_last_four is not None:
        answer(f"card: **** {found.record.card_last_four}")
    answer("")
    if found.checks:
        show_rows([_line(check) for check in found.checks], _COLUMNS, as_json=False)


def _line(check: Check) -> dict[str, Any]:
    outcome = check.outcome.name.lower().replace("_", " ")
    return {
        "number": int(check.number),
        "name": check.name,
        "outcome": outcome
        if check.result is None
        else f"{outcome}: {check.result.name}",
        "shown": "; ".join(f"{value.name} {value.text}" for value in check.values),
    }


def _money(minor_units: int | None, code: str | None) -> str | None:
    """
    Write an amount; one that never was money in minor units alone.
    """
    if minor_units is None or code is None:
        return None
    currency = find_currency(code)
    if currency is None:
        return f"{minor_units} minor units of {code}"
    return f"{Money(minor_units, currency).to_decimal_text()} {code}"


APPS: Final = {"explain": explain}
