"""
Limit sets and the limits of terminals, as the console makes and lists them.

Both change by a new version, whole; an old one stays as it was.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple

from gateway.books.admin import AdminConnection, Row, run
from gateway.books.admin_devices import TerminalName


class LimitSetName(NamedTuple):
    """
    How a limit set is named: by its programme and its own code.
    """

    program: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLimits:
    """
    What the next version limits; None is no limit. Amounts in minor units.
    """

    load_amount_minor: int | None = None
    load_day_minor: int | None = None
    load_day_count: int | None = None
    load_window_count: int | None = None
    load_window_s: int | None = None
    spend_amount_minor: int | None = None
    spend_day_minor: int | None = None
    spend_day_count: int | None = None
    spend_window_count: int | None = None
    spend_window_s: int | None = None


def insert_limit_set(
    connection: AdminConnection, name: LimitSetName, currency: str, limits: NewLimits
) -> None:
    """
    Make a limit set with its first version.
    """
    (made,) = run(
        connection,
        "admin_insert_limit_set",
        program=name.program,
        code=name.code,
        currency=currency,
    )
    insert_set_version(connection, made["limit_set_id"], limits)


def insert_set_version(
    connection: AdminConnection, limit_set_id: int, limits: NewLimits
) -> int:
    """
    Make the next version of a set; give its number.
    """
    return _insert_version(connection, limits, limit_set_id=limit_set_id)


def insert_terminal_version(
    connection: AdminConnection, terminal_id: int, limits: NewLimits
) -> int:
    """
    Make the next version of a terminal's limits; give its number.
    """
    return _insert_version(connection, limits, terminal_id=terminal_id)


def limit_sets(
    connection: AdminConnection,
    *,
    program: str | None = None,
    code: str | None = None,
    version: int | None = None,
) -> list[Row]:
    """
    List limit sets with the version in force, or one with the version named.
    """
    return run(
        connection, "admin_limit_sets", program=program, code=code, version=version
    )


def limit_product(
    connection: AdminConnection, *, program: str, product: str, set_id: int | None
) -> bool:
    """
    Give a product a limit set or none; tell whether there is such a product.
    """
    return bool(
        run(
            connection,
            "admin_limit_product",
            program=program,
            product=product,
            limit_set_id=set_id,
        )
    )


def limit_issue_batch(
    connection: AdminConnection, *, issue_batch_id: int, set_id: int | None
) -> bool:
    """
    Give an issue batch a limit set or none; tell whether the set is for such cards.
    """
    return bool(
        run(
            connection,
            "admin_limit_issue_batch",
            issue_batch_id=issue_batch_id,
            limit_set_id=set_id,
        )
    )


def limit_card(
    connection: AdminConnection, *, card_id: int, set_id: int | None
) -> None:
    """
    Give one card a limit set of its own or none.
    """
    run(connection, "admin_limit_card", card_id=card_id, limit_set_id=set_id)


def count_terminal(
    connection: AdminConnection, name: TerminalName, currency: str
) -> None:
    """
    Begin to count for a terminal, in a currency that stays, unless that is done.
    """
    run(
        connection,
        "admin_insert_terminal_use",
        currency=currency,
        **name._asdict(),
    )


def terminal_limits(
    connection: AdminConnection,
    *,
    merchant: str | None = None,
    store: str | None = None,
    terminal: str | None = None,
) -> list[Row]:
    """
    List the terminals that have limits, with what they did on their last day.
    """
    return run(
        connection,
        "admin_terminal_limits",
        merchant=merchant,
        store=store,
        terminal=terminal,
    )


def _insert_version(
    connection: AdminConnection,
    limits: NewLimits,
    *,
    limit_set_id: int | None = None,
    terminal_id: int | None = None,
) -> int:
    (made,) = run(
        connection,
        "admin_insert_limit_version",
        limit_set_id=limit_set_id,
        terminal_id=terminal_id,
        **asdict(limits),
    )
    version: int = made["version"]
    return version
