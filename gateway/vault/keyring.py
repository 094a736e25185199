"""
Give keyed hashes and encryption by purpose and key id, never the keys.
"""

import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, Self

from gateway.vault.errors import KeyringFileError, KeyUseError, UnknownKeyError
from gateway.vault.hidden import Hidden
from gateway.vault.keyring_file import (
    FIRST_KEY_ID,
    KeyringContent,
    decode_content,
    encode_content,
    new_content,
)
from gateway.vault.keys import (
    CIPHER_PURPOSES,
    KEY_BYTES,
    Cipher,
    KeyedMac,
    KeyState,
    Purpose,
    RootSecret,
)
from gateway.vault.private_file import (
    exclusive,
    make_private_folder,
    read_private,
    write_atomically,
)

__all__ = [
    "Cipher",
    "KeyRing",
    "KeyState",
    "KeyedMac",
    "LocalKeyring",
    "Purpose",
    "RootSecret",
]


class KeyRing(Protocol):
    """
    Stand for whatever keeps the keys: a file here, an HSM or a KMS elsewhere.
    """

    def active_key_id(self, purpose: Purpose) -> int:
        """
        Name the key that new values are made with.
        """

    def key_ids(self, purpose: Purpose) -> Sequence[int]:
        """
        Name every key of a purpose: values made with any of them may come back.
        """

    def mac(self, purpose: Purpose, key_id: int, data: bytes) -> bytes:
        """
        Hash with HMAC-SHA-256 under one key: 32 bytes.
        """

    def keyed_mac(self, purpose: Purpose, key_id: int) -> KeyedMac:
        """
        Give the hash of one key for repeated use, for the hot path.
        """

    def cipher(self, purpose: Purpose, key_id: int) -> Cipher:
        """
        Give the encryption of one key.
        """


class LocalKeyring(Hidden):
    """
    Keep one root secret in a file and derive every key from it.

    Rotation has two steps, because each process reads the file when it starts:
    `add_key` makes a PENDING key; when every process has started again and can read
    what the key makes, `activate` makes it the one for new values, for processes that
    start after that.
    """

    __slots__ = ("_ciphers", "_content", "_macs", "_path")

    def __init__(self, path: Path, content: KeyringContent) -> None:
        self._path = path
        self._content = content
        self._macs: dict[tuple[Purpose, int], KeyedMac] = {}
        self._ciphers: dict[tuple[Purpose, int], Cipher] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """
        Open the key ring in a file that only its owner may read.

        Raises FileNotFoundError, PrivateFileError (mode wider than 0600) and
        KeyringFileError (content).
        """
        return cls(path, _read(path))

    @classmethod
    def open_or_create(cls, path: Path) -> Self:
        """
        Open the key ring, or make one with a new random root secret.

        Of several processes that start at once one creates and all open the same;
        after a crash at any moment there is the whole file or none.
        """
        make_private_folder(path.parent)
        with exclusive(path):
            if not path.exists():
                root = RootSecret(secrets.token_bytes(KEY_BYTES))
                content = new_content(root)
                write_atomically(path, partial(encode_content, content))
        return cls.open(path)

    @classmethod
    def create(cls, path: Path, *, root: RootSecret) -> Self:
        """
        Make a key ring from a root secret that was kept elsewhere.

        Raises KeyringFileError when there is a file already.
        """
        make_private_folder(path.parent)
        with exclusive(path):
            if path.exists():
                raise KeyringFileError(path, "exists already")
            write_atomically(path, partial(encode_content, new_content(root)))
        return cls.open(path)

    @property
    def path(self) -> Path:
        """
        Name the file.
        """
        return self._path

    def active_key_id(self, purpose: Purpose) -> int:
        """
        Name the key that new values are made with.
        """
        states = self._content.states(purpose)
        return states.index(KeyState.ACTIVE) + FIRST_KEY_ID

    def key_ids(self, purpose: Purpose) -> Sequence[int]:
        """
        Name every key of a purpose: values made with any of them may come back.
        """
        return list(self.key_states(purpose))

    def key_states(self, purpose: Purpose) -> Mapping[int, KeyState]:
        """
        List a purpose's keys by id.
        """
        states = self._content.states(purpose)
        return MappingProxyType(dict(enumerate(states, FIRST_KEY_ID)))

    def mac(self, purpose: Purpose, key_id: int, data: bytes) -> bytes:
        """
        Hash with HMAC-SHA-256 under one key: 32 bytes.
        """
        return self.keyed_mac(purpose, key_id)(data)

    def keyed_mac(self, purpose: Purpose, key_id: int) -> KeyedMac:
        """
        Give the hash of one key for repeated use, for the hot path.
        """
        mac = self._macs.get((purpose, key_id))
        if mac is None:
            if purpose in CIPHER_PURPOSES:
                raise KeyUseError(purpose, "hashing")
            self._require(purpose, key_id)
            mac = self._content.root.keyed_mac(purpose, key_id)
            self._macs[purpose, key_id] = mac
        return mac

    def cipher(self, purpose: Purpose, key_id: int) -> Cipher:
        """
        Give the encryption of one key.
        """
        cipher = self._ciphers.get((purpose, key_id))
        if cipher is None:
            if purpose not in CIPHER_PURPOSES:
                raise KeyUseError(purpose, "encryption")
            self._require(purpose, key_id)
            cipher = self._content.root.cipher(purpose, key_id)
            self._ciphers[purpose, key_id] = cipher
        return cipher

    def add_key(self, purpose: Purpose) -> int:
        """
        Make a PENDING key, durably, and name it.
        """
        with exclusive(self._path):
            content = self._reread()
            states = (*content.states(purpose), KeyState.PENDING)
            self._replace(content.with_states(purpose, states))
        return len(states) + FIRST_KEY_ID - 1

    def activate(self, purpose: Purpose, key_id: int) -> None:
        """
        Make a key the one for new values, durably; the former becomes DECRYPT_ONLY.

        A DECRYPT_ONLY key may become ACTIVE again, so that a rotation can be taken
        back. Activating the ACTIVE key changes nothing.
        """
        with exclusive(self._path):
            content = self._reread()
            states = list(content.states(purpose))
            if not FIRST_KEY_ID <= key_id < FIRST_KEY_ID + len(states):
                raise UnknownKeyError(purpose, key_id)
            states[states.index(KeyState.ACTIVE)] = KeyState.DECRYPT_ONLY
            states[key_id - FIRST_KEY_ID] = KeyState.ACTIVE
            self._replace(content.with_states(purpose, tuple(states)))

    def _require(self, purpose: Purpose, key_id: int) -> None:
        count = len(self._content.states(purpose))
        if not FIRST_KEY_ID <= key_id < FIRST_KEY_ID + count:
            raise UnknownKeyError(purpose, key_id)

    def _reread(self) -> KeyringContent:
        # Another process may have added a key since this one opened the file.
        content = _read(self._path)
        if content.root.check_value() != self._content.root.check_value():
            raise KeyringFileError(self._path, "was replaced by another key ring")
        return content

    def _replace(self, content: KeyringContent) -> None:
        write_atomically(self._path, partial(encode_content, content))
        self._content = content

    def __repr__(self) -> str:
        active = ", ".join(
            f"{purpose}={self.active_key_id(purpose)}" for purpose in Purpose
        )
        return f"<LocalKeyring {self._path} active: {active}>"


def _read(path: Path) -> KeyringContent:
    content = decode_content(read_private(path))
    if isinstance(content, str):
        raise KeyringFileError(path, content)
    return content
