"""
What the operator rules about cash-out, as the console loads, lists and changes it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.books.admin import AdminConnection, Row, run, run_for_count
from gateway.books.admin_parties import StoreName
from gateway.domain.cash_out_rules import CashOutRule


class SourcedRule(NamedTuple):
    """
    A rule of law, and where it is written.
    """

    rule: CashOutRule
    source: str


def put_cash_out_rules(
    connection: AdminConnection, rules: Sequence[SourcedRule]
) -> None:
    """
    Load rules; one for the same place, day and cards replaces the one before.
    """
    run(
        connection,
        "admin_put_cash_out_rules",
        jurisdictions=[rule.jurisdiction for rule, _ in rules],
        effective_froms=[rule.effective_from for rule, _ in rules],
        cards=[int(rule.cards) for rule, _ in rules],
        kinds=[int(rule.kind) for rule, _ in rules],
        limits_minor=[rule.limit_minor for rule, _ in rules],
        currencies=[rule.currency for rule, _ in rules],
        used_percents=[rule.used_percent for rule, _ in rules],
        sources=[source for _, source in rules],
    )


def cash_out_rules(
    connection: AdminConnection, jurisdiction: str | None = None
) -> list[Row]:
    """
    List all rules, or those of one jurisdiction.
    """
    return run(connection, "admin_cash_out_rules", jurisdiction=jurisdiction)


def permit_cash_out(
    connection: AdminConnection,
    *,
    program: str,
    product: str,
    limit_minor: int | None,
) -> bool:
    """
    Let a product be paid out, with a limit of its own or none; tell whether it exists.
    """
    count = run_for_count(
        connection,
        "admin_permit_cash_out",
        program=program,
        product=product,
        limit_minor=limit_minor,
    )
    return count > 0


def forbid_cash_out(connection: AdminConnection, *, program: str, product: str) -> bool:
    """
    Let a product be paid out nowhere; tell whether it exists.
    """
    count = run_for_count(
        connection, "admin_forbid_cash_out", program=program, product=product
    )
    return count > 0


def set_store_jurisdiction(
    connection: AdminConnection, name: StoreName, jurisdiction: str | None
) -> bool:
    """
    Say whose law holds in a store; tell whether there is such a store.
    """
    count = run_for_count(
        connection,
        "admin_set_store_jurisdiction",
        merchant=name.merchant,
        store=name.store,
        jurisdiction=jurisdiction,
    )
    return count > 0
