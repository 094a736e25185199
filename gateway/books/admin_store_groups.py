"""
Store groups, as the console makes and lists them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.books.admin import AdminConnection, Row, run, run_for_count
from gateway.books.admin_parties import StoreName


class GroupName(NamedTuple):
    """
    How a store group is named: by its programme or its merchant, and its own code.
    """

    program: str | None
    merchant: str | None
    code: str


def insert_store_group(connection: AdminConnection, name: GroupName) -> None:
    """
    Create a store group without stores.
    """
    run(connection, "admin_insert_store_group", **name._asdict())


def store_groups(
    connection: AdminConnection,
    *,
    program: str | None = None,
    merchant: str | None = None,
    code: str | None = None,
) -> list[Row]:
    """
    List store groups with their stores.
    """
    return run(
        connection, "admin_store_groups", program=program, merchant=merchant, code=code
    )


def group_stores(
    connection: AdminConnection, store_group_id: int, stores: Sequence[StoreName]
) -> int:
    """
    Put stores into a group; tell how many were not in it.
    """
    return run_for_count(
        connection,
        "admin_group_stores",
        store_group_id=store_group_id,
        merchants=[name.merchant for name in stores],
        stores=[name.store for name in stores],
    )


def ungroup_stores(
    connection: AdminConnection, store_group_id: int, stores: Sequence[StoreName]
) -> int:
    """
    Take stores out of a group; tell how many were in it.
    """
    return run_for_count(
        connection,
        "admin_ungroup_stores",
        store_group_id=store_group_id,
        merchants=[name.merchant for name in stores],
        stores=[name.store for name in stores],
    )
