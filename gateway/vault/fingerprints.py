"""
Tell a retried request from another request under the same id.
"""

import struct
from collections.abc import Sequence
from typing import Final

from gateway.vault.hidden import Hidden
from gateway.vault.keyring import KeyedMac, KeyRing, Purpose

_pack_header: Final = struct.Struct(">cI").pack
_NONE: Final = _pack_header(b"N", 0)
_FALSE: Final = _pack_header(b"L", 1) + b"\x00"
_TRUE: Final = _pack_header(b"L", 1) + b"\x01"

Part = bytes | str | int | bool | None


def length_prefixed(parts: Sequence[Part]) -> bytes:
    """
    Encode a list so that two different lists never give the same bytes.

    Each part is a type tag (N none, L boolean, I integer, S text, B bytes), the
    length in 4 bytes and the content. So None, False, 0, "" and "0" all differ,
    and no part can flow into the next. A StrEnum counts as its text. The encoding
    is stored in every request key for ever: a golden test fixes it.
    """
    encoded = []
    for part in parts:
        if part is None:
            encoded.append(_NONE)
        elif isinstance(part, bool):
            encoded.append(_TRUE if part else _FALSE)
        elif isinstance(part, str):
            # Total, also for lone surrogates, and still one to one.
            content = part.encode("utf-8", "surrogatepass")
            encoded.append(_pack_header(b"S", len(content)) + content)
        elif isinstance(part, int):
            content = b"%d" % part
            encoded.append(_pack_header(b"I", len(content)) + content)
        else:
            # Anything but bytes, a float for one, is a TypeError here.
            encoded.append(_pack_header(b"B", len(part)) + part)
    return b"".join(encoded)


class Fingerprinter(Hidden):
    """
    Hash what a request asks for, under a key that is never destroyed.

    A stored fingerprint is compared under the key it was made with, so a retry years
    later is still recognised.
    """

    __slots__ = ("_key_id", "_keyring", "_macs")

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self._key_id = keyring.active_key_id(Purpose.FINGERPRINT)
        self._macs: dict[int, KeyedMac] = {}
        self._mac(self._key_id)

    @property
    def key_id(self) -> int:
        """
        Name the key for new fingerprints, to be stored beside each.
        """
        return self._key_id

    def compute(self, payload: bytes, key_id: int | None = None) -> bytes:
        """
        Give the 32 bytes for a payload made by `length_prefixed`.

        Without a key id, under the active key. Raises UnknownKeyError.
        """
        return self._mac(self._key_id if key_id is None else key_id)(payload)

    def _mac(self, key_id: int) -> KeyedMac:
        mac = self._macs.get(key_id)
        if mac is None:
            mac = self._keyring.keyed_mac(Purpose.FINGERPRINT, key_id)
            self._macs[key_id] = mac
        return mac

    def __repr__(self) -> str:
        return f"<Fingerprinter key {self._key_id}>"
