"""
The one list of a request's content that its fingerprint is made of (domain 1.6).

Every operation fills the same eleven places, in this order, and None stands where it
has nothing. The order and the encoding are stored with every request for ever: a golden
test holds them. Unary calls and streams come through here alike.
"""

import struct
from typing import Final

from gateway.api.ports import Part
from gateway.domain.commands import Amount
from gateway.domain.ids import RequestKey
from gateway.domain.results import LoadType, ReversalReason

ACTIVATE: Final = "ACTIVATE"
LOAD: Final = "LOAD"
REDEEM: Final = "REDEEM"
REVERSE: Final = "REVERSE"
CASH_OUT: Final = "CASH_OUT"
REFUND: Final = "REFUND"
VOID: Final = "VOID"

_pack_key: Final = struct.Struct(">q16s").pack


def content_parts(
    operation: str,
    card_digits: str | None,
    *,
    original: RequestKey | None = None,
    amount: Amount | None = None,
    allow_partial: bool | None = None,
    load_type: LoadType | None = None,
    reason: ReversalReason | None = None,
) -> tuple[Part, ...]:
    """
    List what a request asks for; not what it says besides (exponent, till context).
    """
    return (
        operation,
        card_digits,
        None,  # the second card: Replace and TransferBalance, which come later
        None if original is None else _pack_key(*original),
        None if amount is None else amount.minor_units,
        None if amount is None else amount.currency_code,
        allow_partial,
        None,  # keep_open: Capture, which comes later
        None,  # requested time to live: Authorize, which comes later
        None if load_type is None else int(load_type),
        None if reason is None else int(reason),
    )
