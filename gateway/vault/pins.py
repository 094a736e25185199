"""
Carry a PIN through the program, and turn it into the only thing that is kept of it.

No ciphertext of a PIN is kept: a forgotten one cannot be read back, only replaced.
"""

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Self

from gateway.vault.card_number import CardNumber
from gateway.vault.errors import PinError
from gateway.vault.fingerprints import length_prefixed
from gateway.vault.hidden import Hidden
from gateway.vault.keyring import KeyRing, Purpose

PIN_MIN_DIGITS: Final = 4
PIN_MAX_DIGITS: Final = 12


class Pin(Hidden):
    """
    Hold the digits of one PIN, shown only through `digits`.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if not (
            PIN_MIN_DIGITS <= len(digits) <= PIN_MAX_DIGITS
            and digits.isascii()
            and digits.isdigit()
        ):
            # A traceback may print the variables of its frames.
            del digits
            raise PinError
        self._digits = digits

    @classmethod
    def draw(
        cls, length: int, *, randbelow: Callable[[int], int] = secrets.randbelow
    ) -> Self:
        """
        Make a PIN that nobody can guess better than by chance.
        """
        return cls(f"{randbelow(10**length):0{length}d}")

    @property
    def digits(self) -> str:
        """
        Give the PIN: only to hash it or to hand it to its owner.
        """
        return self._digits

    def __eq__(self, other: object) -> bool:
        """
        Compare by digits.
        """
        if isinstance(other, Pin):
            return self._digits == other._digits
        return NotImplemented

    def __hash__(self) -> int:
        """
        Hash by digits (Python's hash of a text is keyed anew in each process).
        """
        return hash(self._digits)

    def __str__(self) -> str:
        """
        Show nothing, not even how long it is.
        """
        return repr(self)

    def __format__(self, format_spec: str) -> str:
        """
        Format what `str` shows; no format shows the digits.
        """
        return format(str(self), format_spec)


class PinVault(Hidden):
    """
    Hash PINs under a key of their own, each bound to its card's number.

    Bound, so that equal PINs of two cards have nothing in common, and a tag moved to
    another card fits no PIN. To the number and not to its index, which changes with
    that one's key.
    """

    __slots__ = ("_key_id", "_macs")

    def __init__(self, keyring: KeyRing) -> None:
        self._key_id = keyring.active_key_id(Purpose.PIN_MAC)
        self._macs = {
            key_id: keyring.keyed_mac(Purpose.PIN_MAC, key_id)
            for key_id in keyring.key_ids(Purpose.PIN_MAC)
        }

    @property
    def key_id(self) -> int:
        """
        Name the key for new tags, to be stored beside each.
        """
        return self._key_id

    def tag(self, number: CardNumber, pin: Pin) -> bytes:
        """
        Give the 32 bytes that are kept of a card's PIN, under the active key.
        """
        return self._macs[self._key_id](_bound(number, pin))

    def tags(self, number: CardNumber, pin: Pin) -> Mapping[int, bytes]:
        """
        Give the tags of a PIN that was entered, under every key of the ring.

        Which of them the card's own was made with, only its row tells.
        """
        bound = _bound(number, pin)
        tags = {key_id: mac(bound) for key_id, mac in self._macs.items()}
        return MappingProxyType(tags)


def _bound(number: CardNumber, pin: Pin) -> bytes:
    return length_prefixed(("pin", number.digits, pin.digits))
