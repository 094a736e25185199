"""
Products and cards, as the console creates and lists them.

Cards are created PENDING and empty: value comes by Activate and Load alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.books.admin import AdminConnection, Row, run
from gateway.domain.policy import DEFAULT_PIN_LOCK_S, DEFAULT_PIN_MAX_TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """
    A product to be created. Amounts in minor units of `currency`; None is no limit.
    """

    program: str
    code: str
    currency: str
    reloadable: bool
    permitted: tuple[int, ...]
    fixed_amount_minor: int | None
    max_load_minor: int | None
    max_redeem_minor: int | None
    max_balance_minor: int | None
    validity_days: int | None
    cash_out_limit_minor: int | None = None
    restriction_set_id: int | None = None
    pin_required_for: tuple[int, ...] = ()
    pin_max_tries: int = DEFAULT_PIN_MAX_TRIES
    pin_lock_s: int = DEFAULT_PIN_LOCK_S
    hold_ttl_s: int = 7 * 86_400


class NewCard(NamedTuple):
    """
    A card to be created: nothing in it gives its number away.
    """

    card_id: int
    number_index: bytes
    number_ciphertext: bytes
    last_four: str


class KnownCard(NamedTuple):
    """
    A card found by the keyed hash of its number.
    """

    card_id: int
    product_id: int
    issue_batch_id: int | None


def insert_product(connection: AdminConnection, product: NewProduct) -> None:
    """
    Create a product.
    """
    run(
        connection,
        "admin_insert_product",
        program=product.program,
        code=product.code,
        currency=product.currency,
        reloadable=product.reloadable,
        permitted=list(product.permitted),
        fixed_amount_minor=product.fixed_amount_minor,
        max_load_minor=product.max_load_minor,
        max_redeem_minor=product.max_redeem_minor,
        max_balance_minor=product.max_balance_minor,
        validity_days=product.validity_days,
        cash_out_limit_minor=product.cash_out_limit_minor,
        restriction_set_id=product.restriction_set_id,
        pin_required_for=list(product.pin_required_for),
        pin_max_tries=product.pin_max_tries,
        pin_lock_s=product.pin_lock_s,
        hold_ttl_s=product.hold_ttl_s,
    )


def products(
    connection: AdminConnection, program: str | None = None, product: str | None = None
) -> list[Row]:
    """
    List all products, or those of a programme, or one.
    """
    return run(connection, "admin_products", program=program, product=product)


def take_card_ids(connection: AdminConnection, count: int) -> list[int]:
    """
    Reserve ids of cards to come; those not used are lost, which does no harm.
    """
    rows = run(connection, "admin_take_card_ids", count=count)
    return [row["card_id"] for row in rows]


def insert_cards(
    connection: AdminConnection,
    cards: Sequence[NewCard],
    *,
    product_id: int,
    issue_batch_id: int,
    index_key_id: int,
) -> set[int]:
    """
    Create cards; give the ids of those created, without any whose number exists.
    """
    rows = run(
        connection,
        "admin_insert_cards",
        card_ids=[card.card_id for card in cards],
        number_indexes=[card.number_index for card in cards],
        number_ciphertexts=[card.number_ciphertext for card in cards],
        last_fours=[card.last_four for card in cards],
        product_id=product_id,
        issue_batch_id=issue_batch_id,
        index_key_id=index_key_id,
    )
    return {row["card_id"] for row in rows}


def find_cards(
    connection: AdminConnection, number_indexes: Sequence[bytes]
) -> dict[bytes, KnownCard]:
    """
    Find cards by the keyed hashes of their numbers.
    """
    rows = run(
        connection, "admin_find_cards_by_number", number_indexes=list(number_indexes)
    )
    return {
        row["number_index"]: KnownCard(
            row["card_id"], row["product_id"], row["issue_batch_id"]
        )
        for row in rows
    }


def cards(
    connection: AdminConnection,
    *,
    limit: int,
    number_index: bytes | None = None,
    last_four: str | None = None,
) -> list[Row]:
    """
    Show cards by the hash of a number, or by the last four digits.
    """
    return run(
        connection,
        "admin_cards",
        number_index=number_index,
        last_four=last_four,
        limit=limit,
    )
