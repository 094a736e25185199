"""
Check the books: every invariant that holds so far, in one snapshot.

A rule is a query named `check_…` that gives the rows which break it (sql/check_*.sql);
conversions are computed again here, with the functions that decided them. Nothing is
changed and nobody is waited for, so it may run beside the tills.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg import AsyncConnection, Error, IsolationLevel
from psycopg.rows import DictRow, dict_row

from gateway.books.check_conversions import ConversionCheck
from gateway.books.queries import QUERIES
from gateway.domain.errors import DependencyError

# How many of the rows that break a rule are shown.
MOST_ROWS: Final = 20
PAGE_ROWS: Final = 2_000
CONNECT_TIMEOUT_S: Final = 10

CONVERSIONS: Final = "check_conversions"
RULES: Final = (
    "check_postings_sum",
    "check_currencies_sum",
    "check_postings_belong",
    "check_records_posted",
    "check_liability",
    "check_conservation",
    "check_declines",
    "check_approvals",
    "check_conversion_recorded",
    "check_card_balances",
    "check_card_money",
    "check_card_history",
    "check_card_last",
    "check_card_steps",
    "check_card_loads",
    "check_cash_outs",
    "check_cards_known",
    "check_originals",
    "check_reversals",
    "check_reversed_once",
    "check_reversed_nets_zero",
    "check_refunds",
    "check_refunded",
    "check_keys_lead",
    "check_transactions_keyed",
    "check_held",
    "check_holds_made",
    "check_hold_steps",
    "check_held_chain",
    "check_card_states",
    "check_depleted",
    "check_transfers",
    "check_transfers_arrive",
    "check_replaced",
    "check_refusals",
    "check_pin_tries",
    "check_pin_counted",
    "check_restrictions",
    "check_confirmations",
    "check_unconfirmed",
    "check_unconfirmed_steps",
    "check_advices",
    "check_exceptions",
    "check_card_uses",
    "check_terminal_uses",
    "check_limits",
    "check_audit",
    "check_adjustments",
    CONVERSIONS,
)

Connection = AsyncConnection[DictRow]
# Told after each rule: how many are done, how many there are, and the rule's name.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """
    A rule that does not hold, in words, and rows that break it.

    `more` tells that there may be further rows than those shown.
    """

    rule: str
    about: str
    rows: tuple[dict[str, Any], ...]
    more: bool


async def check_books(dsn: str, progress: Progress | None = None) -> list[Violation]:
    """
    Check every rule and give those that do not hold, with rows that break them.

    Any role that may read the tables will do (`scrip_reader`).

    Raises:
        DependencyError: the books cannot be reached or read.

    """
    violations: list[Violation] = []
    async with _snapshot(dsn) as connection:
        for done, rule in enumerate(RULES, start=1):
            if rule == CONVERSIONS:
                rows = await _wrong_conversions(connection)
            else:
                rows = await _rows(connection, rule, {"most": MOST_ROWS + 1})
            if rows:
                violations.append(_violation(rule, rows))
            if progress is not None:
                progress(done, len(RULES), rule)
    return violations


def _violation(rule: str, rows: list[dict[str, Any]]) -> Violation:
    about = QUERIES[rule].about
    return Violation(
        rule=rule.removeprefix("check_"),
        about="Conversions come out the same." if rule == CONVERSIONS else about,
        rows=tuple(rows[:MOST_ROWS]),
        more=len(rows) > MOST_ROWS,
    )


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator[Connection]:
    """
    Connect, and see one moment until the end.
    """
    try:
        connection = await Connection.connect(
            dsn,
            row_factory=dict_row,
            application_name="scrip books check",
            connect_timeout=CONNECT_TIMEOUT_S,
        )
        async with connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            yield connection
    except Error as error:
        message = f"the books cannot be read: {error}"
        raise DependencyError(message) from error


async def _wrong_conversions(connection: Connection) -> list[dict[str, Any]]:
    """
    Compute every conversion again, page by page, until enough are found wrong.
    """
    check = ConversionCheck(await _rows(connection, "check_rates", {}))
    wrong: list[dict[str, Any]] = []
    async with connection.cursor(name=CONVERSIONS) as cursor:
        await cursor.execute(QUERIES[CONVERSIONS].text)
        while page := await cursor.fetchmany(PAGE_ROWS):
            wrong += filter(None, map(check.fault_of, page))
            if len(wrong) > MOST_ROWS:
                break
    return wrong


async def _rows(
    connection: Connection, name: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    cursor = await connection.execute(QUERIES[name].text, parameters)
    return await cursor.fetchall()
