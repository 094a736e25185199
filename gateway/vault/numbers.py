"""
Find cards by a keyed hash of their number and keep the number encrypted.

The card number itself and its generation are part of this module's interface.
"""

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag

from gateway.vault.card_batch import generate_card_numbers
from gateway.vault.card_number import CardNumber
from gateway.vault.errors import CardNumberError, DecryptionError, UnknownKeyError
from gateway.vault.hidden import Hidden
from gateway.vault.keyring import KeyRing, Purpose
from gateway.vault.keys import NONCE_BYTES

__all__ = ["CardNumber", "CardNumberError", "NumberVault", "generate_card_numbers"]

_KEY_ID: Final = struct.Struct(">I")
_HEADER_BYTES: Final = _KEY_ID.size + NONCE_BYTES
_INDEX_PREFIX: Final = b"pan\0"


class NumberVault(Hidden):
    """
    Turn card numbers into what the database may hold, and back.

    The index and the encryption have keys of their own, so that each rotates alone.
    The active keys are those at construction: a process takes part in a rotation
    when it starts again.
    """

    __slots__ = ("_cipher", "_encryption_key_id", "_hash", "_index_key_id", "_keyring")

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self._index_key_id = keyring.active_key_id(Purpose.PAN_INDEX)
        self._hash = keyring.keyed_mac(Purpose.PAN_INDEX, self._index_key_id)
        self._encryption_key_id = keyring.active_key_id(Purpose.PAN_ENC)
        self._cipher = keyring.cipher(Purpose.PAN_ENC, self._encryption_key_id)

    @property
    def index_key_id(self) -> int:
        """
        Name the key under which `index` hashes, to be stored beside the hash.
        """
        return self._index_key_id

    @property
    def encryption_key_id(self) -> int:
        """
        Name the key under which `encrypt` encrypts; each ciphertext holds it too.
        """
        return self._encryption_key_id

    def index(self, number: CardNumber) -> bytes:
        """
        Give the 32 bytes by which the card is found.
        """
        return self._hash(_INDEX_PREFIX + number.digits.encode("ascii"))

    def encrypt(self, card_id: int, number: CardNumber) -> bytes:
        """
        Encrypt a number for one card: key id, random nonce, ciphertext and tag.
        """
        key_id = self._encryption_key_id
        nonce = os.urandom(NONCE_BYTES)
        associated = _associated_data(card_id=card_id, key_id=key_id)
        sealed = self._cipher.encrypt(nonce, number.digits.encode("ascii"), associated)
        return _KEY_ID.pack(key_id) + nonce + sealed

    def decrypt(self, card_id: int, blob: bytes) -> CardNumber:
        """
        Give back the number that was encrypted for this card.

        Raises DecryptionError for another card, an altered or cut ciphertext, and a
        key that the key ring does not hold.
        """
        if len(blob) < _HEADER_BYTES:
            raise DecryptionError
        (key_id,) = _KEY_ID.unpack_from(blob)
        associated = _associated_data(card_id=card_id, key_id=key_id)
        try:
            cipher = self._keyring.cipher(Purpose.PAN_ENC, key_id)
            plaintext = cipher.decrypt(
                blob[_KEY_ID.size : _HEADER_BYTES], blob[_HEADER_BYTES:], associated
            )
        except (InvalidTag, UnknownKeyError) as error:
            raise DecryptionError from error
        return CardNumber.read(plaintext.decode("ascii"))

    def __repr__(self) -> str:
        return (
            f"<NumberVault index key {self._index_key_id}, "
            f"encryption key {self._encryption_key_id}>"
        )


def _associated_data(*, card_id: int, key_id: int) -> bytes:
    return b"scrip|card|%d|%d" % (card_id, key_id)
