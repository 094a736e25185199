"""
Write a key ring's content as JSON and read it back with suspicion.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.vault.keys import KeyState, Purpose, RootSecret

FIRST_KEY_ID: Final = 1

_FORMAT: Final = "scrip-keyring"
_VERSION: Final = 1
_FIRST_KEY: Final = (KeyState.ACTIVE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringContent:
    """
    Hold what the file says: the root secret and each purpose's key states.

    The states are in order of key id, from 1. A purpose that the file does not
    name has its first key, ACTIVE: a program that learns a new purpose can open an
    old file, and all its processes agree without writing. A purpose that this
    program does not know is kept, so that going back one release loses no key.
    """

    root: RootSecret
    states_by_purpose: Mapping[str, tuple[KeyState, ...]]

    def states(self, purpose: Purpose) -> tuple[KeyState, ...]:
        """
        Give a purpose's key states, the first one being that of key 1.
        """
        return self.states_by_purpose.get(purpose, _FIRST_KEY)

    def with_states(
        self, purpose: Purpose, states: tuple[KeyState, ...]
    ) -> "KeyringContent":
        """
        Give the content with one purpose changed.
        """
        changed = {**self.states_by_purpose, purpose.value: states}
        return KeyringContent(root=self.root, states_by_purpose=changed)


def new_content(root: RootSecret) -> KeyringContent:
    """
    Give the content of a new key ring: one ACTIVE key for each purpose.
    """
    states = {purpose.value: _FIRST_KEY for purpose in Purpose}
    return KeyringContent(root=root, states_by_purpose=states)


def encode_content(content: KeyringContent) -> bytes:
    """
    Write the content as the file's bytes.
    """
    document = {
        "format": _FORMAT,
        "version": _VERSION,
        "root_secret": content.root.reveal_hex(),
        "check": content.root.check_value(),
        "keys": {
            purpose: [
                {"id": key_id, "state": state.value}
                for key_id, state in enumerate(states, FIRST_KEY_ID)
            ]
            for purpose, states in content.states_by_purpose.items()
        },
    }
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"


def decode_content(data: bytes) -> KeyringContent | str:
    """
    Read the file's bytes, or say in words what is wrong with them.

    The problem is returned, not raised: an exception made while the text is being
    parsed would carry it, and with it the root secret, in its attributes, its
    context or the variables of its frames.
    """
    try:
        document = json.loads(data)
    except ValueError:
        return "is not JSON"
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        return "is not the file of a key ring"
    if document.get("version") != _VERSION:
        return f"has a version other than {_VERSION}"
    root = _decode_root(document)
    if isinstance(root, str):
        return root
    keys = document.get("keys")
    if not isinstance(keys, dict):
        return "lists no keys"
    states_by_purpose = {}
    for purpose, entries in keys.items():
        states = _decode_states(entries)
        if isinstance(states, str):
            return f"has keys for {purpose!r} that {states}"
        states_by_purpose[purpose] = states
    return KeyringContent(root=root, states_by_purpose=states_by_purpose)


def _decode_root(document: Mapping[str, object]) -> RootSecret | str:
    secret = document.get("root_secret")
    if not isinstance(secret, str):
        return "has no root secret"
    try:
        root = RootSecret.from_hex(secret)
    except ValueError:
        return "has a root secret that is not 32 bytes in hexadecimal"
    if document.get("check") != root.check_value():
        return "has a root secret that does not match its check value"
    return root


def _decode_states(entries: object) -> tuple[KeyState, ...] | str:
    if not isinstance(entries, list):
        return "are not a list"
    states = []
    for key_id, entry in enumerate(entries, FIRST_KEY_ID):
        if not isinstance(entry, dict) or entry.get("id") != key_id:
            return f"are not numbered {FIRST_KEY_ID}, 2, 3 and so on: one was removed"
        state = entry.get("state")
        if not isinstance(state, str) or state not in KeyState.__members__:
            return "are in a state that this program does not know"
        states.append(KeyState(state))
    if states.count(KeyState.ACTIVE) != 1:
        return "are not exactly one ACTIVE and others PENDING or DECRYPT_ONLY"
    return tuple(states)
