"""
Programmes, merchants and stores, as the console creates and lists them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import time
from typing import NamedTuple

from gateway.books.admin import AdminConnection, Row, run, run_for_count
from gateway.domain.policy import PartyState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProgram:
    """
    A programme to be created.
    """

    code: str
    name: str
    time_zone: str
    tip_tolerance_bps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMerchant:
    """
    A merchant to be created, and the programmes that it accepts.
    """

    code: str
    name: str
    programs: tuple[str, ...]


class StoreName(NamedTuple):
    """
    How a store is named: by its merchant and its own code.
    """

    merchant: str
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStore:
    """
    A store to be created.
    """

    name: StoreName
    title: str
    country: str
    currencies: tuple[str, ...]
    time_zone: str
    cut_off: time
    jurisdiction: str | None = None
    merchant_category: str | None = None


def insert_program(connection: AdminConnection, program: NewProgram) -> None:
    """
    Create a programme.
    """
    run(
        connection,
        "admin_insert_program",
        code=program.code,
        name=program.name,
        time_zone=program.time_zone,
        tip_tolerance_bps=program.tip_tolerance_bps,
    )


def programs(connection: AdminConnection) -> list[Row]:
    """
    List all programmes.
    """
    return run(connection, "admin_programs")


def insert_merchants(
    connection: AdminConnection, merchants: Sequence[NewMerchant]
) -> None:
    """
    Create merchants and let them accept their programmes.
    """
    run(
        connection,
        "admin_insert_merchants",
        codes=[merchant.code for merchant in merchants],
        names=[merchant.name for merchant in merchants],
    )
    accept_programs(
        connection,
        [
            (program, merchant.code)
            for merchant in merchants
            for program in merchant.programs
        ],
    )


def accept_programs(
    connection: AdminConnection, pairs: Sequence[tuple[str, str]]
) -> None:
    """
    Let merchants accept programmes: pairs of programme and merchant.
    """
    if pairs:
        run(
            connection,
            "admin_accept_programs",
            programs=[program for program, _ in pairs],
            merchants=[merchant for _, merchant in pairs],
        )


def refuse_program(connection: AdminConnection, *, program: str, merchant: str) -> bool:
    """
    Take a programme back from a merchant; tell whether it had it.
    """
    count = run_for_count(
        connection, "admin_refuse_program", program=program, merchant=merchant
    )
    return count > 0


def merchants(connection: AdminConnection) -> list[Row]:
    """
    List all merchants.
    """
    return run(connection, "admin_merchants")


def set_merchant_state(
    connection: AdminConnection, merchant: str, state: PartyState
) -> bool:
    """
    Change a merchant's state; tell whether there is one that is not CLOSED.
    """
    return bool(
        run(
            connection,
            "admin_set_merchant_state",
            merchant=merchant,
            state=int(state),
        )
    )


def insert_stores(connection: AdminConnection, stores: Sequence[NewStore]) -> None:
    """
    Create stores.
    """
    run(
        connection,
        "admin_insert_stores",
        merchants=[store.name.merchant for store in stores],
        codes=[store.name.store for store in stores],
        names=[store.title for store in stores],
        countries=[store.country for store in stores],
        currencies=[" ".join(store.currencies) for store in stores],
        time_zones=[store.time_zone for store in stores],
        cut_offs=[store.cut_off for store in stores],
        jurisdictions=[store.jurisdiction for store in stores],
        merchant_categories=[store.merchant_category for store in stores],
    )


def stores(connection: AdminConnection, merchant: str | None = None) -> list[Row]:
    """
    List all stores, or those of one merchant.
    """
    return run(connection, "admin_stores", merchant=merchant)


def set_store_state(
    connection: AdminConnection, name: StoreName, state: PartyState
) -> bool:
    """
    Change a store's state; tell whether there is one that is not CLOSED.
    """
    return bool(
        run(
            connection,
            "admin_set_store_state",
            merchant=name.merchant,
            store=name.store,
            state=int(state),
        )
    )


def set_store_category(
    connection: AdminConnection, name: StoreName, merchant_category: str | None
) -> bool:
    """
    Say what a store sells, or that nobody says; tell whether there is such a store.
    """
    return bool(
        run(
            connection,
            "admin_set_store_category",
            merchant=name.merchant,
            store=name.store,
            merchant_category=merchant_category,
        )
    )


def known_programs(connection: AdminConnection, codes: Collection[str]) -> set[str]:
    """
    Tell which of these programmes there are.
    """
    rows = run(connection, "admin_known_programs", programs=list(codes))
    return {row["code"] for row in rows}


def known_merchants(connection: AdminConnection, codes: Collection[str]) -> set[str]:
    """
    Tell which of these merchants there are.
    """
    rows = run(connection, "admin_known_merchants", merchants=list(codes))
    return {row["code"] for row in rows}


def known_stores(
    connection: AdminConnection, names: Collection[StoreName]
) -> set[StoreName]:
    """
    Tell which of these stores there are.
    """
    rows = run(
        connection,
        "admin_known_stores",
        merchants=[name.merchant for name in names],
        stores=[name.store for name in names],
    )
    return {StoreName(row["merchant"], row["store"]) for row in rows}
