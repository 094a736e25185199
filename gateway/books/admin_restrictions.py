"""
Restriction sets and issue batches, as the console makes and lists them.

A set changes by a new version, whole; an old one stays as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.books.admin import AdminConnection, Row, run
from gateway.domain.restrictions import ListRule, Window


class RestrictionName(NamedTuple):
    """
    How a restriction set is named: by its programme and its own code.
    """

    program: str
    code: str


class ListedName(NamedTuple):
    """
    One entry of a list by name.

    `kind` is store, group, merchant, country or category. `owner` is the merchant of a
    store or of a store group; a group without one is the programme's own.
    """

    rule: ListRule
    kind: str
    owner: str | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """
    What the next version of a set lists, and when it holds.
    """

    name: RestrictionName
    listed: tuple[ListedName, ...]
    windows: tuple[Window, ...]


def unknown_listed(
    connection: AdminConnection, program: str, listed: Sequence[ListedName]
) -> list[ListedName]:
    """
    Tell which names on a list stand for nothing.
    """
    found = _find_listed(connection, program, listed)
    return [
        one
        for one, row in zip(listed, found, strict=True)
        if one.kind in {"store", "group", "merchant"}
        and row["store_id"] is row["store_group_id"] is row["merchant_id"] is None
    ]


def insert_version(connection: AdminConnection, new: NewVersion) -> int:
    """
    Make the next version of a set, and the set if it is new; give the version.

    Every name on its list is known.
    """
    listed, windows = new.listed, new.windows
    run(connection, "admin_insert_restriction_set", **new.name._asdict())
    (made,) = run(connection, "admin_insert_restriction_version", **new.name._asdict())
    version_id = made["restriction_version_id"]
    if listed:
        found = _find_listed(connection, new.name.program, listed)
        run(
            connection,
            "admin_insert_restriction_entries",
            restriction_version_id=version_id,
            rules=[int(one.rule) for one in listed],
            store_ids=[row["store_id"] for row in found],
            store_group_ids=[row["store_group_id"] for row in found],
            merchant_ids=[row["merchant_id"] for row in found],
            countries=_codes(listed, "country"),
            merchant_categories=_codes(listed, "category"),
        )
    if windows:
        run(
            connection,
            "admin_insert_restriction_windows",
            restriction_version_id=version_id,
            weekdays=[window.weekdays for window in windows],
            begins_minutes=[window.begins_minute for window in windows],
            ends_minutes=[window.ends_minute for window in windows],
        )
    version: int = made["version"]
    return version


def restrictions(
    connection: AdminConnection,
    *,
    program: str | None = None,
    code: str | None = None,
    version: int | None = None,
) -> list[Row]:
    """
    List restriction sets with the version in force, or one with the version named.
    """
    return run(
        connection,
        "admin_restrictions",
        program=program,
        code=code,
        version=version,
    )


def restriction_entries(
    connection: AdminConnection, restriction_version_id: int
) -> list[Row]:
    """
    List what one version lists.
    """
    return run(
        connection,
        "admin_restriction_entries",
        restriction_version_id=restriction_version_id,
    )


def restriction_windows(
    connection: AdminConnection, restriction_version_id: int
) -> list[Window]:
    """
    List when one version holds.
    """
    rows = run(
        connection,
        "admin_restriction_windows",
        restriction_version_id=restriction_version_id,
    )
    return [Window(**row) for row in rows]


def restriction_set_id(
    connection: AdminConnection, name: RestrictionName
) -> int | None:
    """
    Find a set by its name.
    """
    rows = restrictions(connection, program=name.program, code=name.code)
    return rows[0]["restriction_set_id"] if rows else None


def restrict_product(
    connection: AdminConnection, *, program: str, product: str, set_id: int | None
) -> bool:
    """
    Give a product a set or none; tell whether there is such a product.
    """
    return bool(
        run(
            connection,
            "admin_restrict_product",
            program=program,
            product=product,
            restriction_set_id=set_id,
        )
    )


def restrict_issue_batch(
    connection: AdminConnection, *, issue_batch_id: int, set_id: int | None
) -> None:
    """
    Give an issue batch a set or none.
    """
    run(
        connection,
        "admin_restrict_issue_batch",
        issue_batch_id=issue_batch_id,
        restriction_set_id=set_id,
    )


def restrict_card(
    connection: AdminConnection, *, card_id: int, set_id: int | None
) -> None:
    """
    Give one card a set of its own or none.
    """
    run(connection, "admin_restrict_card", card_id=card_id, restriction_set_id=set_id)


def insert_issue_batch(
    connection: AdminConnection, *, product_id: int, set_id: int | None
) -> int:
    """
    Make an issue batch; give its id.
    """
    (made,) = run(
        connection,
        "admin_insert_issue_batch",
        product_id=product_id,
        restriction_set_id=set_id,
    )
    issue_batch_id: int = made["issue_batch_id"]
    return issue_batch_id


def issue_batches(
    connection: AdminConnection,
    *,
    limit: int,
    issue_batch_id: int | None = None,
    program: str | None = None,
    product: str | None = None,
) -> list[Row]:
    """
    List issue batches, the newest first, or one.
    """
    return run(
        connection,
        "admin_issue_batches",
        issue_batch_id=issue_batch_id,
        program=program,
        product=product,
        limit=limit,
    )


def _find_listed(
    connection: AdminConnection, program: str, listed: Sequence[ListedName]
) -> list[Row]:
    return run(
        connection,
        "admin_find_listed",
        program=program,
        kinds=[one.kind for one in listed],
        owners=[one.owner for one in listed],
        codes=[one.code for one in listed],
    )


def _codes(listed: Iterable[ListedName], kind: str) -> list[str | None]:
    return [one.code if one.kind == kind else None for one in listed]
