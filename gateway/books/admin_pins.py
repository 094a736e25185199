"""
PINs, as the console gives them and decides when they are asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.books.admin import AdminConnection, run


@dataclass(frozen=True, slots=True, kw_only=True)
class PinPolicy:
    """
    What a product asks a PIN for; None leaves a figure as it is.
    """

    required_for: Sequence[int]
    max_tries: int | None
    lock_s: int | None


def insert_card_pins(
    connection: AdminConnection, tags: Mapping[int, bytes], *, key_id: int
) -> None:
    """
    Give new cards their PINs: tags by card id, made under one key.
    """
    run(
        connection,
        "admin_insert_card_pins",
        card_ids=list(tags),
        tags=list(tags.values()),
        key_id=key_id,
    )


def set_product_pins(
    connection: AdminConnection, *, program: str, product: str, policy: PinPolicy
) -> bool:
    """
    Change what a product asks a PIN for; tell whether there is such a product.
    """
    return bool(
        run(
            connection,
            "admin_set_product_pins",
            program=program,
            product=product,
            required_for=list(policy.required_for),
            max_tries=policy.max_tries,
            lock_s=policy.lock_s,
        )
    )
