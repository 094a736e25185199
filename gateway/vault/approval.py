"""
Make the approval code that a till prints and a person can read aloud.
"""

from typing import Final

from gateway.vault.hidden import Hidden
from gateway.vault.keyring import KeyRing, Purpose

APPROVAL_CODE_LENGTH: Final = 6
# 32 signs; 0, O, 1 and I are left out because people take one for another.
APPROVAL_CODE_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_TRANSACTION_ID_BYTES: Final = 16
# Two signs are ten bits, so a code is three look-ups in this table.
_PAIRS: Final = tuple(
    first + second
    for first in APPROVAL_CODE_ALPHABET
    for second in APPROVAL_CODE_ALPHABET
)
_PAIR_MASK: Final = len(_PAIRS) - 1


class ApprovalCodes(Hidden):
    """
    Derive a transaction's approval code, so that it need not be stored.

    Keyed, so that a code cannot be made up for a transaction id. It is not unique
    (30 bits) and decides nothing; the transaction id does.
    """

    __slots__ = ("_key_id", "_keyring", "_mac")

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self._key_id = keyring.active_key_id(Purpose.APPROVAL_CODE)
        self._mac = keyring.keyed_mac(Purpose.APPROVAL_CODE, self._key_id)

    @property
    def key_id(self) -> int:
        """
        Name the key for new codes.

        A code is derived again under the same key only: store this id, or the code,
        before this purpose is ever rotated.
        """
        return self._key_id

    def code(self, transaction_id: bytes, key_id: int | None = None) -> str:
        """
        Give the six signs for the 16 bytes of a transaction id.

        Without a key id, under the active key. Raises UnknownKeyError.
        """
        if len(transaction_id) != _TRANSACTION_ID_BYTES:
            message = f"a transaction id has {_TRANSACTION_ID_BYTES} bytes"
            raise ValueError(message)
        if key_id is None or key_id == self._key_id:
            mac = self._mac
        else:
            mac = self._keyring.keyed_mac(Purpose.APPROVAL_CODE, key_id)
        bits = int.from_bytes(mac(transaction_id)[:4])
        return (
            _PAIRS[bits >> 20 & _PAIR_MASK]
            + _PAIRS[bits >> 10 & _PAIR_MASK]
            + _PAIRS[bits & _PAIR_MASK]
        )

    def __repr__(self) -> str:
        return f"<ApprovalCodes key {self._key_id}>"
