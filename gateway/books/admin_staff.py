"""
Staff and the audit, as the console adds and reads them.
"""

from collections.abc import Collection, Iterator
from typing import Any

from psycopg.rows import dict_row

from gateway.books.admin import AdminConnection, Row, run
from gateway.books.queries import QUERIES
from gateway.domain.policy import DeviceKind, DeviceName
from gateway.domain.staff import StaffRole

_PAGE_ROWS = 2_000


def insert_staff(
    connection: AdminConnection, name: DeviceName, roles: Collection[StaffRole]
) -> None:
    """
    Make a terminal the desk of a staff member, who is named like it.
    """
    codes = sorted(map(int, roles))
    run(connection, "admin_insert_staff", **name._asdict(), roles=codes)


def staff(
    connection: AdminConnection, merchant: str | None = None, store: str | None = None
) -> list[Row]:
    """
    List all staff, or those of a merchant or a store.
    """
    return run(connection, "admin_staff", merchant=merchant, store=store)


def is_staff(connection: AdminConnection, name: DeviceName) -> bool:
    """
    Tell whether there is a staff member of this name.
    """
    rows = run(connection, "admin_staff_kind", **name._asdict())
    return any(row["kind"] == DeviceKind.STAFF for row in rows)


def audit_rows(
    connection: AdminConnection, *, most: int, staff: str | None, card_id: int | None
) -> list[Row]:
    """
    List the newest rows of the audit, newest first.
    """
    return run(connection, "admin_audit", most=most, staff=staff, card_id=card_id)


def audit_chain(connection: AdminConnection) -> Iterator[dict[str, Any]]:
    """
    Give the whole audit in the order of its chain, page by page.
    """
    with connection.cursor(name="audit_chain", row_factory=dict_row) as cursor:
        cursor.itersize = _PAGE_ROWS
        yield from cursor.execute(QUERIES["admin_audit_chain"].text)
