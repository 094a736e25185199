"""
Identifiers, each a type of its own so that two of them cannot be mixed up.

UUIDs travel as their 16 bytes: that is what Postgres stores and what costs least.
"""

from typing import NamedTuple, NewType

ProgramId = NewType("ProgramId", int)
MerchantId = NewType("MerchantId", int)
StoreId = NewType("StoreId", int)
TerminalId = NewType("TerminalId", int)
ProductId = NewType("ProductId", int)
CardId = NewType("CardId", int)
TransactionId = NewType("TransactionId", bytes)
RequestId = NewType("RequestId", bytes)
StoreGroupId = NewType("StoreGroupId", int)
IssueBatchId = NewType("IssueBatchId", int)
RestrictionSetId = NewType("RestrictionSetId", int)
RestrictionVersionId = NewType("RestrictionVersionId", int)
LimitSetId = NewType("LimitSetId", int)
LimitVersionId = NewType("LimitVersionId", int)


class RequestKey(NamedTuple):
    """
    Name one request for ever: the terminal it counts for and the id the till made.
    """

    terminal_id: TerminalId
    request_id: RequestId


def uuid_text(value: bytes) -> str:
    """
    Write 16 bytes as a UUID.

    Faster than `uuid.UUID`, which matters where every answer holds two of them.
    """
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
