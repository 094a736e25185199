"""
The chain of the audit, computed again outside the database.

Each row holds SHA-256 over the hash before it and its own content, so that whoever
changes, puts in or takes out a row has to change every row after it. The database makes
the hashes (`audit_hash_v1`); a test holds this equal to it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

FIRST_HASH: Final = bytes(32)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CONTENT: Final = (
    "audit_id",
    "host_time",
    "terminal_id",
    "staff",
    "role",
    "operation",
    "channel",
    "request_id",
    "card_id",
    "transaction_id",
    "result",
    "replayed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """
    How far the chain goes: its last row and that one's hash.

    Kept elsewhere, it shows later whether rows were taken from the end.
    """

    audit_id: int
    hash: bytes


class BrokenChainError(Exception):
    """
    A row is not as it was written, or does not follow the one before it.
    """

    def __init__(self, audit_id: int, why: str) -> None:
        super().__init__(f"row {audit_id}: {why}")
        self.audit_id = audit_id


def verify_chain(
    rows: Iterable[dict[str, Any]], kept: ChainEnd | None = None
) -> ChainEnd:
    """
    Walk the chain from its first row, and give where it ends.

    With `kept`, an end that was written down before has to lie on it.

    Raises:
        BrokenChainError: it names the first row that is wrong.

    """
    end = ChainEnd(audit_id=0, hash=FIRST_HASH)
    met = kept is None or kept == end
    for row in rows:
        audit_id: int = row["audit_id"]
        if audit_id != end.audit_id + 1:
            raise BrokenChainError(end.audit_id + 1, "it is missing")
        if row["hash"] != hash_of(row):
            raise BrokenChainError(audit_id, "its content was changed")
        if row["previous_hash"] != end.hash:
            raise BrokenChainError(audit_id, "the row before it was changed")
        end = ChainEnd(audit_id=audit_id, hash=row["hash"])
        met = met or kept == end
    if kept is not None and not met:
        why = "it was there before with another hash, or rows are missing at the end"
        raise BrokenChainError(kept.audit_id, why)
    return end


def hash_of(row: dict[str, Any]) -> bytes:
    """
    Compute a row's hash.
    """
    content = "".join(_part(row[name]) for name in _CONTENT)
    return hashlib.sha256(row["previous_hash"] + content.encode()).digest()


def _part(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        text = str((value - _EPOCH) // _MICROSECOND)
    else:
        text = str(int(value) if isinstance(value, bool) else value)
    return f"{len(text.encode())}:{text}"
