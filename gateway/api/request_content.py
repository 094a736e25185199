"""
The one list of a request's content that its fingerprint is made of (domain 1.6).

Every operation fills the same eleven places, in this order, and None stands where it
has nothing. The order and the encoding are stored with every request for ever: a golden
test holds them. Unary calls and streams come through here alike.
"""

import struct
from typing import Final

from gateway.api.ports import Part
from gateway.domain.cards import BlockReason
from gateway.domain.commands import Amount
from gateway.domain.ids import RequestKey
from gateway.domain.results import LoadType, ReversalReason

_pack_key: Final = struct.Struct(">q16s").pack


def content_parts(  # noqa: PLR0913 - one place for each
    operation: str,
    card_digits: str | None,
    *,
    second_card: str | None = None,
    original: RequestKey | None = None,
    amount: Amount | None = None,
    allow_partial: bool | None = None,
    keep_open: bool | None = None,
    time_to_live_s: int | None = None,
    load_type: LoadType | None = None,
    reason: ReversalReason | BlockReason | str | None = None,
) -> tuple[Part, ...]:
    """
    List what a request asks for; not what it says besides (exponent, till context).
    """
    return (
        operation,
        card_digits,
        second_card,
        None if original is None else _pack_key(*original),
        None if amount is None else amount.minor_units,
        None if amount is None else amount.currency_code,
        allow_partial,
        keep_open,
        time_to_live_s,
        None if load_type is None else int(load_type),
        reason if reason is None or isinstance(reason, str) else int(reason),
    )
